//! The model behind a live list of people: a mirror of the server's window, and what of it is on screen.
//!
//! A patch changes the cells of a row, never the rows around it (`paint` decides what may move). What a reader must
//! see at once (somebody came, left, or changed state) is painted at once; the rest waits a moment for company.

use std::{collections::HashMap, time::Duration};

use domain::{
    Time,
    presence::{
        Counts, PersonRow, Sort,
        live::{Mirror, Patch, Snapshot, Window},
        view::OnlinePage,
    },
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

use super::{
    announce::Announced,
    paint::{Beyond, Reader, Shown, plan},
    socket,
};
use crate::{
    call::{Ask, answer, parse},
    clock::{Clock, clock},
    components::{status::said, switch::Switch},
};

const TOPIC: &str = "live:online";
/// Between repaints of what can wait, and of what cannot. What happened is to be on screen within a second, and it has
/// come a way before it waits here.
const CALM_MS: i64 = 750;
const URGENT_MS: i64 = 200;
/// Lists sorted by something that changes are sorted again this often at most.
const SORT_EVERY_MS: i64 = 5_000;

/// What the reader of a list is doing with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nothing: rows may move.
    No,
    /// Pointer or focus are inside, or the list is scrolled: cells may change, rows stay.
    Near,
    /// Text is selected: nothing changes.
    Selecting,
}

/// A row on screen. Its cells read `row`; it is dimmed once `left` is set, which says that somebody left unless they
/// may be `elsewhere`: in the list, out of the window.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) row: ArcRwSignal<PersonRow>,
    pub(crate) left: ArcRwSignal<Option<Time>>,
    pub(crate) elsewhere: ArcRwSignal<bool>,
}

impl Entry {
    fn new(row: PersonRow) -> Self {
        let (left, elsewhere) = (ArcRwSignal::new(None), ArcRwSignal::new(false));
        Self { id: row.id, row: ArcRwSignal::new(row), left, elsewhere }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Online {
    pub(crate) entries: RwSignal<Vec<Entry>>,
    pub(crate) counts: RwSignal<Counts>,
    /// How many match.
    pub(crate) total: RwSignal<u32>,
    pub(crate) as_of: RwSignal<Time>,
    /// New rows that wait until they may be put in.
    pub(crate) waiting: RwSignal<usize>,
    pub(crate) paused: RwSignal<bool>,
    /// Updates since the pause began.
    pub(crate) missed: RwSignal<u32>,
    /// What is being asked for.
    pub(crate) window: RwSignal<Window>,
    /// The answer to the last question is still on its way.
    pub(crate) loading: RwSignal<bool>,
    /// Whether it is said who comes and goes.
    pub(crate) announcing: Switch,
    clock: StoredValue<Clock>,
    state: StoredValue<State>,
    /// Tells what the reader is doing; the page sets it.
    reader: StoredValue<fn() -> Reading>,
}

#[derive(Default)]
struct State {
    mirror: Mirror,
    /// How many questions the reader has asked: the last one's answer counts.
    asked: u32,
    /// The next picture replaces the one on screen: the reader asked another question.
    replace: bool,
    /// Something is not on screen yet.
    dirty: bool,
    urgent: bool,
    scheduled: Option<i64>,
    painted_at: i64,
    sorted_at: i64,
    announced: Announced,
}

impl Online {
    /// From the page the server rendered.
    pub(crate) fn new(page: &OnlinePage, window: Window) -> Self {
        let mirror = mirror_of(page);
        Self {
            entries: RwSignal::new(page.users.iter().cloned().map(Entry::new).collect()),
            counts: RwSignal::new(page.counts.clone()),
            total: RwSignal::new(page.total),
            as_of: RwSignal::new(page.as_of),
            waiting: RwSignal::new(0),
            paused: RwSignal::new(false),
            missed: RwSignal::new(0),
            window: RwSignal::new(window),
            loading: RwSignal::new(false),
            announcing: Switch::new("announce-changes", false),
            clock: StoredValue::new(clock()),
            state: StoredValue::new(State { mirror, ..State::default() }),
            reader: StoredValue::new(|| Reading::No),
        }
    }

    /// Follows the server from now on, until the component that calls this goes.
    pub(crate) fn follow(self, reader: fn() -> Reading) {
        self.reader.set_value(reader);
        Effect::new(move |_| {
            if let Some(socket) = socket() {
                socket.join(TOPIC, move || self.question(true), move |event, payload| self.heard(event, payload));
            }
        });
        let said = said();
        // Those who left go after a while, and those who wait get in when the reader has gone: nobody tells us when.
        let look = move || {
            let restless = self.entries.try_with_untracked(|all| all.iter().any(|e| e.left.get_untracked().is_some()));
            let dirty = self.state.try_with_value(|s| s.dirty) == Some(true);
            if dirty || restless == Some(true) || self.waiting.try_get_untracked().is_some_and(|n| n > 0) {
                self.paint_soon(false);
            }
            if !said.is_speaking()
                && let Some(news) = self.news()
            {
                said.whisper(news);
            }
        };
        Effect::new(move |_| {
            if let Ok(ticker) = set_interval_with_handle(look, Duration::from_secs(1)) {
                on_cleanup(move || ticker.clear());
            }
        });
        let shown = window_event_listener_untyped("visibilitychange", move |_| self.paint_soon(true));
        on_cleanup(move || {
            shown.remove();
            if let Some(socket) = socket() {
                socket.leave(TOPIC);
            }
        });
    }

    /// Asks another question; the answer replaces what is on screen.
    pub(crate) fn ask(self, window: Window) {
        self.window.set(window);
        self.refresh();
    }

    /// Asks the same question again.
    pub(crate) fn refresh(self) {
        self.state.update_value(|s| {
            s.asked += 1;
            s.replace = true;
        });
        self.loading.set(true);
        if let Some(socket) = socket().filter(super::socket::Socket::is_open) {
            socket.push(TOPIC, "query", &self.question(false));
            return;
        }
        let window = self.window.get_untracked();
        spawn_local(async move {
            let answer = answer(Ask::Online(window.clone())).await.and_then(|text| parse(&text));
            if self.window.try_get_untracked() != Some(window) {
                return;
            }
            self.loading.set(false);
            if let Ok(page) = answer {
                self.state.update_value(|s| s.mirror = mirror_of(&page));
                self.paint();
            }
        });
    }

    /// The window as JSON; with what the mirror followed last, so that only what it missed need be sent.
    fn question(self, resume: bool) -> String {
        let mut window = self.window.get_untracked();
        window.ask = self.state.with_value(|s| s.asked);
        // While an answer is on its way, the mirror is one of another window.
        if resume && !self.loading.get_untracked() {
            window.resume = Some(self.state.with_value(|s| s.mirror.resume()));
        }
        serde_json::to_string(&window).unwrap_or_default()
    }

    /// Puts in the rows that wait.
    pub(crate) fn show_waiting(self) {
        self.state.update_value(|s| s.replace = true);
        self.paint();
    }

    /// Stops or goes on.
    pub(crate) fn pause(self, paused: bool) {
        self.paused.set(paused);
        self.missed.set(0);
        if !paused {
            self.paint();
        }
    }

    fn heard(self, event: &str, payload: &str) {
        let Some(paused) = self.paused.try_get_untracked() else { return };
        match event {
            "snapshot" => {
                let Ok(snapshot) = serde_json::from_str::<Snapshot>(payload) else { return };
                let (asked, replace) = self.state.with_value(|s| (s.asked, s.replace));
                if snapshot.ask != asked {
                    return;
                }
                self.state.update_value(|s| s.mirror = Mirror::new(snapshot));
                self.loading.set(false);
                if replace { self.paint() } else { self.paint_soon(true) }
            }
            "patch" => {
                let Ok(patch) = serde_json::from_str::<Patch>(payload) else { return };
                let urgent = self.is_urgent(&patch);
                let followed = self.state.try_update_value(|s| s.mirror.apply(patch));
                if followed == Some(Ok(())) {
                    if paused {
                        self.missed.update(|n| *n += 1);
                    }
                    self.paint_soon(urgent);
                } else if let (false, Some(socket)) = (self.loading.get_untracked(), socket()) {
                    socket.push(TOPIC, "query", &self.question(false));
                }
            }
            _ => {}
        }
    }

    /// What is to be said of those on screen, if the reader wants to hear it.
    fn news(self) -> Option<String> {
        let silent = self.is_still() || self.loading.try_get_untracked() != Some(false);
        let now = self.clock.try_get_value()?.read();
        self.state.try_update_value(|s| {
            if !self.announcing.is_on_now() {
                s.announced = Announced::default();
                return None;
            }
            let ids: Vec<Uuid> = s.mirror.rows.iter().map(|r| r.id).collect();
            let whole = s.mirror.total as usize == ids.len() && self.window.get_untracked().filter.is_everybody();
            if silent { None } else { s.announced.next(now, s.mirror.counts.online, whole.then_some(&ids)) }
        })?
    }

    /// Whether somebody came, left or changed state.
    fn is_urgent(self, patch: &Patch) -> bool {
        let states: HashMap<Uuid, _> =
            self.state.with_value(|s| s.mirror.rows.iter().map(|r| (r.id, r.state)).collect());
        patch.total.is_some()
            || !patch.remove.is_empty()
            || patch.upsert.iter().any(|r| states.get(&r.id) != Some(&r.state))
    }

    /// Paints at once when the last time is long enough ago, else as soon as it is.
    fn paint_soon(self, urgent: bool) {
        let now = js_sys::Date::now() as i64;
        let due = self.state.try_update_value(|s| {
            s.urgent |= urgent;
            s.dirty = true;
            let due = s.painted_at + if s.urgent { URGENT_MS } else { CALM_MS };
            if due <= now {
                return Some(0);
            }
            if s.scheduled.is_some_and(|at| at <= due) {
                return None;
            }
            s.scheduled = Some(due);
            Some(due - now)
        });
        match due.flatten() {
            Some(0) => self.paint_unless_paused(),
            Some(wait) => {
                let later = move || {
                    let due = self.state.try_update_value(|s| s.scheduled.take().is_some());
                    if due == Some(true) {
                        self.paint_unless_paused();
                    }
                };
                let _ = set_timeout_with_handle(later, Duration::from_millis(wait.unsigned_abs()));
            }
            None => {}
        }
    }

    /// Whether nothing may change: paused, or nobody looks.
    fn is_still(self) -> bool {
        document().visibility_state() == web_sys::VisibilityState::Hidden
            || self.paused.try_get_untracked() != Some(false)
    }

    fn paint_unless_paused(self) {
        let selecting = self.reader.try_with_value(|f| f()) == Some(Reading::Selecting);
        if !self.is_still() && !selecting {
            self.paint();
        }
    }

    fn paint(self) {
        let Some(window) = self.window.try_get_untracked() else { return };
        let (restless, limit) = (matches!(window.filter.sort, Sort::State | Sort::Activity), window.limit);
        let answered = self.loading.try_get_untracked() == Some(false);
        let Some((mirror, replace, may_sort)) = self.state.try_update_value(|s| {
            let now = js_sys::Date::now() as i64;
            s.painted_at = now;
            s.urgent = false;
            s.dirty = false;
            let may_sort = !restless || now - s.sorted_at >= SORT_EVERY_MS;
            if may_sort {
                s.sorted_at = now;
            }
            // What is pushed before the answer is still of the question before.
            let replace = answered && std::mem::take(&mut s.replace);
            (s.mirror.clone(), replace, may_sort)
        }) else {
            return;
        };
        let clock = self.clock.get_value();
        let wanted: Vec<Uuid> = mirror.rows.iter().map(|r| r.id).collect();
        let shown: Vec<Shown> = self.entries.with_untracked(|all| {
            let all = all.iter().filter(|_| !replace);
            all.map(|e| {
                let (left, elsewhere) = (e.left.get_untracked(), e.elsewhere.get_untracked());
                Shown { id: e.id, left, elsewhere }
            })
            .collect()
        });
        let may_shift = replace || self.reader.with_value(|f| f()) == Reading::No;
        let beyond = if mirror.total <= limit {
            Beyond::Nowhere
        } else if restless {
            Beyond::Anywhere
        } else {
            Beyond::End
        };
        let next = plan(&shown, &wanted, clock.read(), Reader { may_shift, may_sort }, beyond);

        let mut rows: HashMap<Uuid, PersonRow> = mirror.rows.into_iter().map(|r| (r.id, r)).collect();
        let known: HashMap<Uuid, Entry> =
            self.entries.with_untracked(|all| all.iter().map(|e| (e.id, e.clone())).collect());
        let mut entries = Vec::with_capacity(next.rows.len());
        for shown in &next.rows {
            let row = rows.remove(&shown.id);
            let Some(entry) = known.get(&shown.id).cloned().or_else(|| row.clone().map(Entry::new)) else { continue };
            if entry.left.get_untracked() != shown.left {
                entry.elsewhere.set(shown.elsewhere);
                entry.left.set(shown.left);
            }
            if let Some(row) = row
                && entry.row.with_untracked(|old| !same(old, &row))
            {
                entry.row.set(row);
            }
            entries.push(entry);
        }
        let moved = self.entries.with_untracked(|old| !old.iter().map(|e| e.id).eq(entries.iter().map(|e| e.id)));
        if moved {
            self.entries.set(entries);
        }
        set_if_new(self.counts, mirror.counts);
        set_if_new(self.total, mirror.total);
        set_if_new(self.waiting, next.waiting);
        set_if_new(self.as_of, mirror.as_of);
    }
}

/// A mirror that follows nobody yet: the first patch makes it ask for a snapshot.
fn mirror_of(page: &OnlinePage) -> Mirror {
    Mirror::new(Snapshot {
        epoch: Uuid::nil(),
        seq: page.seq,
        hash: String::new(),
        counts: page.counts.clone(),
        total: page.total,
        rows: page.users.clone(),
        as_of: page.as_of,
        ask: 0,
    })
}

/// Whether nothing a cell shows differs: the age of the session is counted here, not there.
fn same(a: &PersonRow, b: &PersonRow) -> bool {
    a.session_seconds == b.session_seconds && a == b
        || PersonRow { session_seconds: 0, ..a.clone() } == PersonRow { session_seconds: 0, ..b.clone() }
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
