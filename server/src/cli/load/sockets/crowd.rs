//! The people of a load: one task each, told what to do by the script.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    net::Ipv4Addr,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_local,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use super::{
    super::{cookies::Person, target::Target},
    connect::{self, Reader, Ws},
};

/// Handshakes under way at once: more only wait in the system's queue of connections.
const AT_ONCE: usize = 1_000;
/// A handshake and a join take milliseconds; whoever needs longer counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the script tells a person to do. Nobody telling anything any more means: drop the connection.
enum Order {
    /// Go to the page of this number.
    Page(u32),
    Beat,
}

/// What happened so far, counted by the people's tasks.
#[derive(Default)]
pub(super) struct Told {
    /// Connected and, if the people join, answered to.
    pub(super) here: Cell<usize>,
    /// Tries to connect that are over, since all were sent off.
    pub(super) tried: Cell<usize>,
    /// Those that did not work, by what went wrong.
    pub(super) failed: RefCell<BTreeMap<String, u64>>,
    /// Connections that the server ended, by its code.
    pub(super) ended: RefCell<BTreeMap<String, u64>>,
    /// Frames of text that arrived.
    pub(super) frames: Cell<u64>,
    /// When the change of each number was sent.
    pub(super) sent: RefCell<Vec<Option<Instant>>>,
    /// How many people each member of a room sees, and what that took.
    pub(super) rooms: RefCell<Vec<i64>>,
    pub(super) room_frames: Cell<u64>,
    pub(super) room_bytes: Cell<u64>,
}

impl Told {
    /// Whether everybody who is here sees this many people in the room.
    pub(super) fn room_is_complete(&self, people: usize) -> bool {
        let rooms = self.rooms.borrow();
        rooms.iter().filter(|seen| **seen == people as i64).count() >= self.here.get()
    }

    fn note_room(&self, n: usize, text: &str) {
        let Some(room) = room(text) else { return };
        self.room_frames.set(self.room_frames.get() + 1);
        self.room_bytes.set(self.room_bytes.get() + text.len() as u64);
        if let Some(seen) = self.rooms.borrow_mut().get_mut(n) {
            *seen = match room {
                Room::State(people) => people,
                Room::Diff(more) => *seen + more,
            };
        }
    }
}

/// What a frame of Phoenix Presence says about how many people there are. A thousand readers of the same frames share
/// one processor here, so they count people, each of whom has one list of `metas`, and parse nothing: whoever only
/// changed joins and leaves.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    State(i64),
    Diff(i64),
}

fn room(text: &str) -> Option<Room> {
    let people = |text: &str| text.matches("\"metas\"").count() as i64;
    let mut parts = text.splitn(5, ',').skip(3);
    match parts.next()? {
        "\"presence_state\"" => Some(Room::State(people(text))),
        "\"presence_diff\"" => {
            let (joins, leaves) = text.split_once("\"leaves\":{")?;
            Some(Room::Diff(people(joins) - people(leaves)))
        }
        _ => None,
    }
}

pub(super) struct Crowd {
    pub(super) people: Rc<Vec<Person>>,
    pub(super) told: Rc<Told>,
    target: Rc<Target>,
    /// Whether people join `presence:me`, or only keep a connection.
    join: bool,
    /// A topic on which they all see each other.
    room: Option<Rc<str>>,
    /// Connections come from this many addresses of the loopback.
    sources: u8,
    doors: Rc<Semaphore>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
}

/// The page of change `n`: `/load/000007`.
fn page(n: u32) -> String {
    format!("/load/{n:06}")
}

impl Crowd {
    pub(super) fn new(people: Vec<Person>, target: Target, join: bool, room: Option<String>, sources: u8) -> Self {
        let (people, target, room) = (Rc::new(people), Rc::new(target), room.map(Rc::from));
        let doors = Rc::new(Semaphore::new(AT_ONCE));
        Self { people, told: Rc::default(), target, join, room, sources, doors, orders: vec![] }
    }

    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    pub(super) fn joins(&self) -> bool {
        self.join
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.is_some()
    }

    /// Brings everybody in, at most `rate` a second; nothing is all at once. Returns when all have been sent off.
    pub(super) async fn enter(&mut self, rate: Option<u32>) {
        self.told.here.set(0);
        self.told.tried.set(0);
        self.orders.clear();
        *self.told.rooms.borrow_mut() = vec![0; self.people.len()];
        let started = Instant::now();
        for n in 0..self.people.len() {
            if let Some(rate) = rate {
                let due = started + Duration::from_secs_f64(n as f64 / f64::from(rate.max(1)));
                tokio::time::sleep_until(due.into()).await;
            }
            let (sender, orders) = mpsc::unbounded_channel();
            self.orders.push(sender);
            let source =
                (self.sources > 1).then(|| Ipv4Addr::new(127, 0, 0, 1 + (n % usize::from(self.sources)) as u8));
            let (people, told, target) = (Rc::clone(&self.people), Rc::clone(&self.told), Rc::clone(&self.target));
            let (doors, join, room) = (Rc::clone(&self.doors), self.join, self.room.clone());
            spawn_local(async move {
                let person = &people[n];
                let entered = async {
                    let _door = doors.acquire().await.map_err(|e| e.to_string())?;
                    let mut ws = enter(&target, person, source, join, room.is_some()).await?;
                    if let Some(room) = &room {
                        let frame = format!(r#"["2","2","{room}","phx_join",{{}}]"#);
                        ws.send(Message::text(frame)).await.map_err(|e| e.to_string())?;
                    }
                    Ok(ws)
                };
                let entered = timeout(PATIENCE, entered).await.unwrap_or_else(|_| Err("no answer".to_owned()));
                told.tried.set(told.tried.get() + 1);
                match entered {
                    Ok(ws) => {
                        told.here.set(told.here.get() + 1);
                        stay(n, ws, orders, &told, room.is_some()).await;
                    }
                    Err(how) => *told.failed.borrow_mut().entry(how).or_default() += 1,
                }
            });
        }
    }

    /// Everybody's connection breaks off at once, without a goodbye.
    pub(super) fn drop_all(&mut self) {
        self.orders.clear();
    }

    /// Person `who` goes to a page that nobody was on before: the page of the next change's number.
    pub(super) fn change(&self, who: usize) {
        let mut sent = self.told.sent.borrow_mut();
        let n = sent.len() as u32;
        sent.push(None);
        drop(sent);
        self.order(who, Order::Page(n));
    }

    pub(super) fn beat(&self, who: usize) {
        self.order(who, Order::Beat);
    }

    fn order(&self, who: usize, order: Order) {
        // Whose connection has ended does nothing any more; that is counted there.
        if let Some(person) = self.orders.get(who) {
            let _ = person.send(order);
        }
    }
}

async fn enter(
    target: &Target,
    person: &Person,
    source: Option<Ipv4Addr>,
    join: bool,
    watches: bool,
) -> Result<Ws, String> {
    let reader = if watches { Reader::Watcher } else { Reader::Person };
    let mut ws = connect::open(target, &person.cookie, source, reader).await?;
    if join {
        let frame = r#"["1","1","presence:me","phx_join",{"page":"/","visible":true}]"#;
        ws.send(Message::text(frame)).await.map_err(|e| e.to_string())?;
        loop {
            match ws.next().await {
                Some(Ok(Message::Text(text))) if text.contains("\"phx_reply\"") => {
                    if text.contains("\"status\":\"ok\"") {
                        break;
                    }
                    return Err(format!("the join was refused: {text}"));
                }
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.to_string()),
                None => return Err("the connection broke off".to_owned()),
            }
        }
    }
    Ok(ws)
}

/// Does as told until nobody tells anything any more, or the server ends the connection.
async fn stay(n: usize, mut ws: Ws, mut orders: mpsc::UnboundedReceiver<Order>, told: &Told, room: bool) {
    loop {
        tokio::select! {
            order = orders.recv() => {
                let frame = match order {
                    None => return,
                    Some(Order::Beat) => r#"[null,"2","phoenix","heartbeat",{}]"#.to_owned(),
                    Some(Order::Page(n)) => {
                        if let Some(sent) = told.sent.borrow_mut().get_mut(n as usize) {
                            *sent = Some(Instant::now());
                        }
                        format!(r#"["1","2","presence:me","meta",{{"page":"{}"}}]"#, page(n))
                    }
                };
                // What is wrong with the connection is seen when reading.
                let _ = ws.send(Message::text(frame)).await;
            }
            message = ws.next() => {
                let how = match message {
                    Some(Ok(Message::Text(text))) => {
                        told.frames.set(told.frames.get() + 1);
                        if room {
                            told.note_room(n, &text);
                        }
                        continue;
                    }
                    Some(Ok(Message::Close(frame))) => frame.map_or_else(|| "no code".to_owned(), |f| f.code.to_string()),
                    Some(Ok(_)) => continue,
                    Some(Err(e)) => e.to_string(),
                    None => "broke off".to_owned(),
                };
                told.here.set(told.here.get().saturating_sub(1));
                *told.ended.borrow_mut().entry(how).or_default() += 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_counted() {
        let of = |event: &str, payload: &str| room(&format!("[null,null,\"presence:all\",\"{event}\",{payload}]"));
        let state = r#"{"a":{"metas":[{"phx_ref":"1"},{"phx_ref":"2"}]},"b":{"metas":[]}}"#;
        assert_eq!(of("presence_state", state), Some(Room::State(2)));
        let arrival = r#"{"joins":{"a":{"metas":[]},"b":{"metas":[]}},"leaves":{"a":{"metas":[]}}}"#;
        assert_eq!(of("presence_diff", arrival), Some(Room::Diff(1)));
        assert_eq!(of("phx_reply", r#"{"status":"ok","response":{}}"#), None);
    }
}
