//! Those who watch: they keep what they are sent as a real client does, and note when each change arrives.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use domain::presence::live::{self, Mirror, Patch, Snapshot};
use futures_util::{SinkExt, StreamExt};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use tokio::{sync::oneshot, task::spawn_local};
use tokio_tungstenite::tungstenite::Message;

use super::{
    super::target::Target,
    connect::{self, Reader, Ws},
    crowd::Told,
};
use crate::cli::failure::Failure;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Watched {
    /// `presence:all`: everybody's every change, as Phoenix sends it.
    Presence,
    /// `live:online`: a window of 200 people with the counts.
    Live,
}

/// What one watcher has got.
#[derive(Default)]
pub(super) struct Seen {
    /// People who are not offline, as the watcher knows it.
    pub(super) people: usize,
    /// Their usernames, as far as a window shows them.
    pub(super) window: Vec<String>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    /// How long each change took to arrive, by its number.
    pub(super) took: Vec<Option<Duration>>,
    /// How often the watcher's copy differed from the server's.
    pub(super) diverged: u64,
    /// Fresh snapshots: one when it came, and one each time it had fallen behind.
    pub(super) snapshots: u64,
    copy: Copy,
    /// Why it sees nothing any more.
    pub(super) ended: Option<String>,
}

impl Seen {
    /// Whether both know the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.copy.agrees(&other.copy)
    }
}

pub(super) type Eyes = Rc<RefCell<Seen>>;

/// Starts a watcher; it has its first snapshot when this returns.
pub(super) async fn start(target: &Target, cookie: &str, watched: Watched, told: Rc<Told>) -> Result<Eyes, Failure> {
    let ws = open(target, cookie, watched, Reader::Watcher).await?;
    let eyes = Eyes::default();
    let (ready, is_ready) = oneshot::channel();
    spawn_local(watch(ws, Rc::clone(&eyes), told, ready));
    match is_ready.await {
        Ok(()) => Ok(eyes),
        Err(_) => Err(cannot(&eyes.borrow().ended.clone().unwrap_or_else(|| "it was told nothing".to_owned()))),
    }
}

/// Starts a watcher that joins and then reads nothing until it is woken.
pub(super) async fn start_stuck(
    target: &Target,
    cookie: &str,
    watched: Watched,
    told: Rc<Told>,
) -> Result<(Eyes, oneshot::Sender<()>), Failure> {
    let ws = open(target, cookie, watched, Reader::Narrow).await?;
    let eyes = Eyes::default();
    let (wake, woken) = oneshot::channel();
    let (ready, _) = oneshot::channel();
    let seen = Rc::clone(&eyes);
    spawn_local(async move {
        // Not woken: the load is over.
        if woken.await.is_ok() {
            watch(ws, seen, told, ready).await;
        }
    });
    Ok((eyes, wake))
}

fn cannot(how: &str) -> Failure {
    Failure::failed(format!("the watcher cannot watch: {how}"))
}

async fn open(target: &Target, cookie: &str, watched: Watched, reader: Reader) -> Result<Ws, Failure> {
    let mut ws = connect::open(target, cookie, None, reader).await.map_err(|e| cannot(&e))?;
    let join = match watched {
        Watched::Presence => r#"["1","1","presence:all","phx_join",{}]"#,
        Watched::Live => r#"["1","1","live:online","phx_join",{"limit":200}]"#,
    };
    ws.send(Message::text(join)).await.map_err(|e| cannot(&e.to_string()))?;
    Ok(ws)
}

async fn watch(mut ws: Ws, eyes: Eyes, told: Rc<Told>, ready: oneshot::Sender<()>) {
    let mut ready = Some(ready);
    let ended = loop {
        let text = match ws.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => break frame.map_or_else(|| "closed".to_owned(), |f| f.to_string()),
            Some(Ok(_)) => continue,
            Some(Err(e)) => break e.to_string(),
            None => break "the connection broke off".to_owned(),
        };
        let at = Instant::now();
        let Ok(Named(_, _, _, event, _)) = serde_json::from_str::<Named<'_>>(&text) else {
            break format!("not a frame: {text}");
        };
        match event {
            "phx_reply" if text.contains("\"status\":\"error\"") => break format!("refused: {text}"),
            "phx_reply" => continue,
            _ => {}
        }
        if !eyes.borrow_mut().take_in(event, &text, at, &told) {
            let again = r#"["1","2","live:online","query",{"limit":200}]"#;
            if ws.send(Message::text(again)).await.is_err() {
                break "the connection broke off".to_owned();
            }
        }
        if matches!(event, "presence_state" | "snapshot")
            && let Some(ready) = ready.take()
        {
            // The script waits for this; if it does not, it is over.
            let _ = ready.send(());
        }
    };
    eyes.borrow_mut().ended = Some(ended);
}

impl Seen {
    /// Takes in one frame; false when the copy does not fit any more.
    fn take_in(&mut self, event: &str, text: &str, at: Instant, told: &Told) -> bool {
        self.frames += 1;
        self.bytes += text.len() as u64;
        note_changes(text, at, told, &mut self.took);
        let fits = self.copy.apply(event, text).is_ok();
        self.diverged += u64::from(!fits);
        self.snapshots += u64::from(matches!(event, "presence_state" | "snapshot"));
        (self.people, self.window) = (self.copy.people(), self.copy.window());
        fits
    }
}

/// Finds the pages of `Crowd::change` in a frame; the first frame that names one is when it arrived.
fn note_changes(text: &str, at: Instant, told: &Told, took: &mut Vec<Option<Duration>>) {
    let sent = told.sent.borrow();
    took.resize(sent.len(), None);
    for (place, name) in text.match_indices("\"/load/") {
        let digits = text[place + name.len()..].split('"').next().and_then(|d| d.parse::<usize>().ok());
        let Some(n) = digits.filter(|n| *n < sent.len()) else { continue };
        if let (Some(sent), None) = (sent[n], took[n]) {
            took[n] = Some(at.saturating_duration_since(sent));
        }
    }
}

/// `[join_ref, ref, topic, event, payload]`, of which only the event is looked at.
#[derive(Deserialize)]
struct Named<'a>(IgnoredAny, IgnoredAny, IgnoredAny, #[serde(borrow)] &'a str, IgnoredAny);

/// A client's copy of what it watches.
#[derive(Default)]
struct Copy {
    /// Phoenix: references of connections by person.
    people: HashMap<Box<str>, Vec<Box<str>>>,
    /// A live query: the browser's own code.
    mirror: Option<Mirror>,
}

/// The copy differs from the server's and must be replaced.
struct Diverged;

impl Copy {
    fn apply(&mut self, event: &str, text: &str) -> Result<(), Diverged> {
        match event {
            "presence_state" => {
                let state: HashMap<&str, Metas<'_>> = payload(text)?;
                self.people.clear();
                for (key, metas) in state {
                    self.join(key, &metas);
                }
            }
            "presence_diff" => {
                let diff: Diff<'_> = payload(text)?;
                for (key, metas) in diff.joins {
                    self.join(key, &metas);
                }
                for (key, metas) in diff.leaves {
                    self.leave(key, &metas);
                }
            }
            "snapshot" => self.mirror = Some(Mirror::new(owned::<Snapshot>(text)?)),
            "patch" => {
                let patch = owned::<Patch>(text)?;
                return self.mirror.as_mut().ok_or(Diverged)?.apply(patch).map_err(|_| Diverged);
            }
            _ => {}
        }
        Ok(())
    }

    /// People of whom the server does not know yet are not here: after a restart they are still to come.
    fn join(&mut self, key: &str, metas: &Metas<'_>) {
        if metas.metas.iter().any(|meta| meta.state == Some("unknown")) {
            return;
        }
        let known = self.people.entry(key.into()).or_default();
        for meta in &metas.metas {
            if known.iter().all(|k| **k != *meta.phx_ref) {
                known.push(meta.phx_ref.into());
            }
        }
    }

    /// By reference only, as the client of Phoenix does it.
    fn leave(&mut self, key: &str, metas: &Metas<'_>) {
        let Some(known) = self.people.get_mut(key) else { return };
        known.retain(|k| metas.metas.iter().all(|meta| *meta.phx_ref != **k));
        if known.is_empty() {
            self.people.remove(key);
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        let refs = |copy: &Self, key: &str| {
            let mut refs = copy.people.get(key).cloned().unwrap_or_default();
            refs.sort_unstable();
            refs
        };
        let rows = |copy: &Self| copy.mirror.as_ref().map(|m| (live::hash(&m.rows), m.total));
        self.people.len() == other.people.len()
            && self.people.keys().all(|key| refs(self, key) == refs(other, key))
            && rows(self) == rows(other)
    }

    fn people(&self) -> usize {
        self.mirror.as_ref().map_or(self.people.len(), |m| m.total as usize)
    }

    fn window(&self) -> Vec<String> {
        self.mirror.iter().flat_map(|m| &m.rows).map(|r| r.username.clone()).collect()
    }
}

#[derive(Deserialize)]
struct Metas<'a> {
    #[serde(borrow)]
    metas: Vec<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    phx_ref: &'a str,
    #[serde(borrow)]
    state: Option<&'a str>,
}

#[derive(Deserialize)]
struct Diff<'a> {
    #[serde(borrow)]
    joins: HashMap<&'a str, Metas<'a>>,
    #[serde(borrow)]
    leaves: HashMap<&'a str, Metas<'a>>,
}

type Five<T> = (IgnoredAny, IgnoredAny, IgnoredAny, IgnoredAny, T);

fn payload<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Diverged> {
    serde_json::from_str::<Five<T>>(text).map(|f| f.4).map_err(|_| Diverged)
}

fn owned<T: DeserializeOwned>(text: &str) -> Result<T, Diverged> {
    payload(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phoenix_copy_follows() {
        let mut copy = Copy::default();
        let mut follow = |event: &str, payload: &str| {
            let text = format!("[null,null,\"presence:all\",\"{event}\",{payload}]");
            assert!(copy.apply(event, &text).is_ok(), "{text}");
            copy.people()
        };
        assert_eq!(follow("presence_state", r#"{"a":{"metas":[{"phx_ref":"1"},{"phx_ref":"2"}]}}"#), 1);
        // An update is a join and a leave of the same person.
        let update =
            r#"{"joins":{"a":{"metas":[{"phx_ref":"3","page":"/"}]}},"leaves":{"a":{"metas":[{"phx_ref":"1"}]}}}"#;
        assert_eq!(follow("presence_diff", update), 1);
        assert_eq!(follow("presence_diff", update), 1);
        let gone = r#"{"joins":{},"leaves":{"a":{"metas":[{"phx_ref":"2"},{"phx_ref":"3"}]}}}"#;
        assert_eq!(follow("presence_diff", gone), 0);
    }

    #[test]
    fn a_change_arrives_once() {
        let (told, mut took) = (Told::default(), vec![]);
        let start = Instant::now();
        *told.sent.borrow_mut() = vec![Some(start), Some(start), None];
        let after = |ms| start + Duration::from_millis(ms);
        note_changes(r#"{"page":"/load/000001"}"#, after(5), &told, &mut took);
        note_changes(
            r#"{"page":"/load/000001"},{"page":"/load/000000"},{"page":"/load/9"}"#,
            after(7),
            &told,
            &mut took,
        );
        assert_eq!(took, [Some(Duration::from_millis(7)), Some(Duration::from_millis(5)), None]);
    }
}
