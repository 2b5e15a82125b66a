//! A live session in memory: what every request and every socket of it shares.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
};

use domain::{
    Actor, SessionId, Time, UserId,
    access::Person,
    account::UserCard,
    session::Span,
    settings::Lifetimes,
    time::{MINUTE, Millis},
    useragent::Device,
};

use crate::store::live::{Activity, Loaded};

/// A sign of life alone is written this often. Nobody's session ends by it; and 19,000 sockets that answer a ping
/// every 25 s made the database work harder than everything else they did.
const SEEN_EVERY: Millis = MINUTE;

/// Ids of sessions whose activity waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// A std mutex, held for a push or a take: a database that stalls never makes a request wait here.
    ids: Mutex<Vec<SessionId>>,
}

impl Pending {
    fn push(&self, id: SessionId) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    pub(crate) fn take(&self) -> Vec<SessionId> {
        std::mem::take(&mut *self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn copy(&self) -> Vec<SessionId> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One sign-in on one device, while it may authenticate requests. There is one of these per session in a process.
pub struct LiveSession {
    pub id: SessionId,
    pub device: Device,
    pub ip: String,
    /// `Utrecht, Netherlands`, as far as it is known.
    pub place: Option<Arc<str>>,
    pub created_at: Time,
    pub remembered: bool,
    /// Both change with the settings.
    absolute_expires_at: AtomicI64,
    idle: AtomicI64,
    last_activity: AtomicI64,
    last_seen: AtomicI64,
    /// What was written last of each.
    activity_written: AtomicI64,
    seen_written: AtomicI64,
    connected: AtomicBool,
    ended: AtomicBool,
    /// Something of the above is newer than the database; then the id is in `pending`, once.
    dirty: AtomicBool,
    pending: Arc<Pending>,
    /// Made once per sign-in, confirmed password and changed card, so that a request costs no more than counting a
    /// reference.
    person: RwLock<Arc<Person>>,
}

impl LiveSession {
    pub(crate) fn new(l: Loaded, card: Arc<UserCard>, place: Option<Arc<str>>, pending: Arc<Pending>) -> Self {
        let person = Person { card, session: l.id, fresh_until: l.fresh_until, ip: l.ip.as_str().into() };
        Self {
            id: l.id,
            device: l.device,
            ip: l.ip,
            place,
            created_at: l.span.created_at,
            absolute_expires_at: AtomicI64::new(l.span.absolute_expires_at.0),
            idle: AtomicI64::new(l.span.idle),
            remembered: l.remembered,
            last_activity: AtomicI64::new(l.span.last_activity_at.0),
            last_seen: AtomicI64::new(l.last_seen.0),
            activity_written: AtomicI64::new(l.span.last_activity_at.0),
            seen_written: AtomicI64::new(l.last_seen.0),
            connected: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            pending,
            person: RwLock::new(Arc::new(person)),
        }
    }

    /// The times that decide whether it is live.
    pub fn span(&self) -> Span {
        Span {
            created_at: self.created_at,
            last_activity_at: self.last_activity(),
            idle: self.idle(),
            absolute_expires_at: self.absolute_expires_at(),
            ended: self.ended.load(SeqCst),
        }
    }

    /// When it ends whatever happens.
    pub fn absolute_expires_at(&self) -> Time {
        Time(self.absolute_expires_at.load(SeqCst))
    }

    /// How long it may stay without activity.
    pub fn idle(&self) -> Millis {
        self.idle.load(SeqCst)
    }

    /// Other lifetimes are in force.
    pub(crate) fn retime(&self, l: &Lifetimes) {
        let card = self.card();
        let begun = Span::begin(self.created_at, &card.role, card.level, self.remembered, l);
        self.absolute_expires_at.store(begun.absolute_expires_at.0, SeqCst);
        self.idle.store(begun.idle, SeqCst);
    }

    pub fn expires_at(&self) -> Time {
        self.span().expires_at()
    }

    pub fn is_live(&self, now: Time) -> bool {
        self.span().is_live(now)
    }

    pub fn last_activity(&self) -> Time {
        Time(self.last_activity.load(SeqCst))
    }

    pub fn last_seen(&self) -> Time {
        Time(self.last_seen.load(SeqCst))
    }

    pub fn is_connected(&self) -> bool {
        self.connected.load(SeqCst)
    }

    /// Until then sensitive acts need no password.
    pub fn fresh_until(&self) -> Time {
        self.person().fresh_until
    }

    /// Who asks, from where they signed in.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.person())
    }

    /// Who asks, when a request comes with this session from this address.
    pub fn actor_at(&self, ip: &str) -> Actor {
        let person = self.person();
        if *person.ip == *ip {
            return Actor::Person(person);
        }
        Actor::Person(Arc::new(Person { ip: ip.into(), ..Person::clone(&person) }))
    }

    fn person(&self) -> Arc<Person> {
        Arc::clone(&self.person.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whose it is. Role, level and organisation are those of the sign-in: what changes them ends the session.
    pub fn card(&self) -> Arc<UserCard> {
        Arc::clone(&self.person().card)
    }

    pub(crate) fn user_id(&self) -> UserId {
        self.person.read().unwrap_or_else(PoisonError::into_inner).card.id
    }

    pub(crate) fn freshen(&self, until: Time) {
        self.be(|p| Person { fresh_until: until, ..p });
    }

    pub(crate) fn set_card(&self, card: Arc<UserCard>) {
        self.be(|p| Person { card, ..p });
    }

    fn be(&self, change: impl FnOnce(Person) -> Person) {
        let mut person = self.person.write().unwrap_or_else(PoisonError::into_inner);
        *person = Arc::new(change((**person).clone()));
    }

    /// The last input or request; newest wins.
    pub(crate) fn touch(&self, at: Time) {
        if self.last_activity.fetch_max(at.0, SeqCst) < at.0 {
            self.last_seen.fetch_max(at.0, SeqCst);
            self.mark();
        }
    }

    /// A sign of life; extends nothing.
    pub(crate) fn seen(&self, at: Time) {
        let is_news = self.last_seen.fetch_max(at.0, SeqCst) < at.0;
        if is_news && at.0 - self.seen_written.load(SeqCst) >= SEEN_EVERY {
            self.mark();
        }
    }

    /// Whether it has a socket that counts; written behind, so that a restart knows who was here.
    pub fn set_connected(&self, connected: bool) {
        if self.connected.swap(connected, SeqCst) != connected {
            self.mark();
        }
    }

    /// Something changed: it is to be written.
    pub(crate) fn mark(&self) {
        if !self.dirty.load(SeqCst) && !self.dirty.swap(true, SeqCst) {
            self.pending.push(self.id);
        }
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.load(SeqCst)
    }

    /// What to write. Clean from now on: whatever changes while this is being written marks it again.
    pub(crate) fn take_activity(&self) -> Activity {
        self.dirty.store(false, SeqCst);
        let activity = self.activity();
        self.seen_written.store(activity.last_seen.0, SeqCst);
        activity
    }

    pub(crate) fn activity(&self) -> Activity {
        let last_input = self.last_activity();
        Activity {
            id: self.id,
            last_input,
            last_seen: self.last_seen(),
            connected: self.is_connected(),
            moved: last_input.0 > self.activity_written.load(SeqCst),
        }
    }

    /// `activity` is in the database now.
    pub(crate) fn written(&self, activity: &Activity) {
        self.activity_written.fetch_max(activity.last_input.0, SeqCst);
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, SeqCst);
    }
}

impl fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSession").field("id", &self.id).field("user", &self.card().username).finish_non_exhaustive()
    }
}
