//! Presence at work: the one task that owns the roster, and the handle everybody else has.
//!
//! - `hub`: the task. It owns the pure `Roster`, the registry of sockets and the watchers; it is spoken to by channel,
//!   so there is no lock order to get wrong, and ending a session closes its sockets in the same call.
//! - `watch`: what watchers get: diffs for Phoenix topics, patches for live queries.
//! - `pace`: how long changes wait for company.
//! - `registry`: which session has which sockets, and until when.
//! - `socket`: the handle of one connection. `outbox`: what waits for it. `signs`: signs of life, which wait for the hub to wake up for something else.
//! - `canary`: a person who does not exist, by whom we know whether all of this tells the truth.
//! - `audience`: who may watch which topic, and as what.
//! - `choice`: the manual choice, kept in the database.
//! - `traffic`: who watches it gets samples; they are made elsewhere.
//! - `ledger`: intervals, written behind. `history`: reading them.
//!
//! Not here: the wire to a socket (`server/live`) and the rules (`domain::presence`).

mod audience;
mod canary;
mod choice;
mod history;
mod hub;
mod ledger;
mod outbox;
mod pace;
mod registry;
mod signs;
mod socket;
mod traffic;
mod watch;

use std::{collections::HashMap, sync::Arc};

use domain::{
    Actor, ApiError, OrganisationId, Reach, SessionId, Time, UserId,
    access::Action,
    account::UserCard,
    files::{Arriving, UploadView},
    presence::{
        Chosen, Closing, Colleague, Event, Joined, Query, Report, State,
        query::LIMIT_MAX,
        view::{Me, OnlinePage, Why, sentence},
    },
    session::EndReason,
    settings::Settings,
    time::Millis,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{hub::Hub, ledger::Ledger, signs::Signs};
pub use self::{
    outbox::{Close, Next, Outbox},
    registry::Refused,
    socket::Socket,
    watch::Key,
};
use crate::{clock::Clock, preferences, sessions::LiveSession, settings::Present, store::Store};

type Act = Box<dyn FnOnce(&mut Hub) + Send>;

/// The handle on the hub; a cheap clone.
#[derive(Clone)]
pub struct Presence {
    hub: Option<mpsc::UnboundedSender<Act>>,
    store: Option<Store>,
    ledger: Option<Ledger>,
    signs: Arc<Signs>,
    /// Nothing where there is no hub.
    settings: Option<Present>,
    traffic_watched: Option<tokio::sync::watch::Receiver<bool>>,
    clock: Clock,
}

/// What a client hears after it joined or told about itself.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    pub state: State,
    pub expires_at: Time,
    /// Within which time to return after a close with 1012: a moment of one's own in it.
    pub retry_within: Millis,
}

/// Who a session is to the roster.
fn joined(session: &LiveSession) -> Joined {
    Joined {
        card: session.card(),
        session: session.id,
        device: session.device.label().into(),
        ip: session.ip.as_str().into(),
        place: session.place.clone(),
        signed_in_at: session.created_at,
    }
}

impl Presence {
    /// A handle without a hub: for commands that run beside the server, and for tests of other services.
    pub fn inert(clock: Clock) -> Self {
        Self {
            hub: None,
            store: None,
            ledger: None,
            signs: Arc::default(),
            settings: None,
            traffic_watched: None,
            clock,
        }
    }

    /// Starts the hub. `roles` are those counted as zero when nobody has them.
    pub async fn start(
        store: Store,
        settings: Present,
        roles: Vec<String>,
        clock: Clock,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, ApiError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let ledger = Ledger::open(store.clone(), clock.clone()).await?;
        let mut hub = Hub::new((*settings.now()).clone(), roles, clock.clone());
        hub.ledger = Some(ledger.clone());
        let signs = Arc::clone(&hub.signs);
        let traffic_watched = Some(hub.traffic_watched.subscribe());
        for (card, chosen) in choice::all(&store, clock.now()).await? {
            hub.apply(Event::Chose { card, chosen });
        }
        for card in preferences::private(&store).await? {
            hub.apply(Event::Private { card: Arc::new(card), private: true });
        }
        tasks.spawn(ledger.clone().run(stop.clone()));
        tasks.spawn(hub.run(receiver, stop.clone()));
        let (hub, store, ledger) = (Some(sender), Some(store), Some(ledger));
        let presence = Self { hub, store, ledger, signs, settings: Some(settings), traffic_watched, clock };
        tasks.spawn(canary::run(presence.clone(), stop));
        Ok(presence)
    }

    fn tell(&self, act: impl FnOnce(&mut Hub) + Send + 'static) {
        if let Some(hub) = &self.hub {
            // The hub outlives every caller but the last moments of a stop, when there is nothing left to tell.
            let _ = hub.send(Box::new(act));
        }
    }

    async fn ask<T: Send + 'static>(&self, act: impl FnOnce(&mut Hub) -> T + Send + 'static) -> Result<T, ApiError> {
        let (answer, heard) = oneshot::channel();
        self.tell(move |hub| {
            // Whoever asked may have gone away meanwhile.
            let _ = answer.send(act(hub));
        });
        heard.await.map_err(|_| ApiError::unavailable())
    }

    /// Closes the sockets of sessions that are over, and takes the sessions out of presence, before it returns. Among
    /// them may be accounts that are deleted, by their own id: nothing of the person stays in memory.
    pub async fn sessions_ended(&self, ended: &[(SessionId, EndReason)]) {
        if self.hub.is_none() || ended.is_empty() {
            return;
        }
        let ended = ended.to_vec();
        let _ = self.ask(move |hub| hub.end_sessions(&ended)).await;
    }

    /// Other settings are in force; when it returns, for everybody who is here.
    pub(crate) async fn settings_changed(&self, settings: &Settings) {
        if self.hub.is_some() {
            let settings = settings.clone();
            let _ = self.ask(move |hub| hub.settings_changed(settings)).await;
        }
    }

    /// How long intervals are kept.
    fn retention(&self) -> Millis {
        self.settings.as_ref().map_or(0, |s| s.now().retention_events)
    }

    /// An account's name, role, organisation or teams are others now: rows and watchers get them.
    pub fn card_changed(&self, card: Arc<UserCard>) {
        self.tell(move |hub| hub.apply(Event::Changed { card }));
    }

    /// Those who were connected at the last proof of life are unknown until they return or the grace is over.
    pub fn restore(&self, connected: Vec<(Arc<LiveSession>, Time)>) {
        self.tell(move |hub| {
            for (session, seen_at) in connected {
                hub.restore(joined(&session), seen_at);
            }
        });
    }

    /// Takes in a socket of `session` before its handshake is answered.
    pub async fn register(&self, session: Arc<LiveSession>) -> Result<Socket, Refused> {
        let outbox = Arc::new(Outbox::default());
        let (s, o) = (Arc::clone(&session), Arc::clone(&outbox));
        let id = self.ask(move |hub| hub.register(&s, o)).await.map_err(|_| Refused::Stopping)??;
        Ok(Socket { id, session, outbox, presence: self.clone(), closing: Closing::Lost })
    }

    /// `POST /heartbeat`: a sign of life of a session without a socket.
    pub async fn beat(&self, session: &Arc<LiveSession>, report: Report) -> Result<Heard, ApiError> {
        let (joined, requested_at) = (joined(session), session.last_activity());
        let session = Arc::clone(session);
        self.ask(move |hub| {
            let user = joined.card.id;
            if session.is_live(hub.now()) {
                hub.apply(Event::Beat { joined, report, requested_at });
            }
            hub.heard(user, &session)
        })
        .await
    }

    /// Somebody's last uploads are these, newest first.
    pub(crate) fn uploads_are(&self, user: UserId, names: Vec<String>) {
        self.tell(move |hub| hub.uploads_are(user, names));
    }

    /// Uploads on their way now.
    pub(crate) fn arriving(&self, now: Vec<Arriving>) {
        self.tell(move |hub| hub.arriving(now));
    }

    /// An upload of somebody of `organisation` has come.
    pub(crate) fn uploaded(&self, organisation: Option<OrganisationId>, upload: UploadView) {
        self.tell(move |hub| hub.uploaded(organisation, &upload));
    }

    /// Somebody has so many unread notices.
    pub(crate) fn unread(&self, user: UserId, unread: u64) {
        self.tell(move |hub| hub.unread(user, unread));
    }

    /// Who is here and hears of notices; nobody beside the server.
    pub(crate) async fn watchers_of_notices(&self) -> Vec<UserId> {
        if self.hub.is_none() {
            return vec![];
        }
        self.ask(|hub| hub.watchers_of_notices()).await.unwrap_or_default()
    }

    /// The states of those who are not offline within a reach, of everybody or of these; nothing beside the server.
    pub(crate) async fn states(
        &self,
        reach: Reach,
        of: Option<Vec<UserId>>,
    ) -> Result<Option<HashMap<UserId, State>>, ApiError> {
        if self.hub.is_none() {
            return Ok(None);
        }
        self.ask(move |hub| Some(hub.states(reach, of))).await
    }

    /// The roles are these now: those that nobody has are counted as zero.
    pub(crate) fn roles_changed(&self, roles: Vec<String>) {
        self.tell(move |hub| hub.set_roles(roles));
    }

    /// People who are not offline, within the actor's reach.
    pub async fn online(&self, actor: &Actor, query: &Query, limit: u32, offset: u32) -> Result<OnlinePage, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let query = query.clone();
        self.ask(move |hub| hub.online(reach, &query, limit.clamp(1, LIMIT_MAX), offset)).await
    }

    /// The people of the actor's organisation who are here, as members see each other; the actor is one of them.
    /// Nobody for somebody without an organisation.
    pub async fn people(&self, actor: &Actor) -> Result<Vec<Colleague>, ApiError> {
        let Some(organisation) = actor.person()?.card.organisation.as_ref().map(|o| o.id) else { return Ok(vec![]) };
        self.ask(move |hub| hub.people(organisation)).await
    }

    /// Why `card`'s owner is shown as they are. Whoever asks must have looked the account up within their reach.
    pub(crate) async fn why(&self, actor: &Actor, card: Arc<UserCard>) -> Result<Why, ApiError> {
        let reach = actor.require(Action::Watch)?;
        if !reach.covers(card.organisation.as_ref().map(|o| o.id)) {
            return Err(ApiError::not_found());
        }
        let id = card.id;
        let (known, limits, now) = self.ask(move |hub| (hub.known(id), hub.limits_sentence(), hub.now())).await?;
        let known = known.and_then(|k| k.seen(reach));
        let transitions = known.as_ref().map(|k| k.transitions.clone()).unwrap_or_default();
        let state = known.as_ref().map_or(State::Offline, |k| k.state);
        Ok(Why {
            id,
            name: card.name.clone(),
            username: card.username.clone(),
            state,
            since: transitions.first().map(|t| t.at),
            cause: transitions.first().map(|t| t.cause),
            sentence: sentence(state, transitions.first()),
            limits,
            person: known.and_then(|k| k.row).map(|r| domain::presence::live::at(&r, now)),
            transitions,
            as_of: now,
        })
    }

    /// What the actor is told of themselves.
    pub async fn me(&self, actor: &Actor) -> Result<Me, ApiError> {
        let id = actor.person()?.card.id;
        self.ask(move |hub| hub.me(id)).await
    }

    /// A manual choice: remembered, and in force before this returns.
    pub async fn choose(&self, actor: &Actor, chosen: Chosen) -> Result<Me, ApiError> {
        let card = Arc::clone(&actor.person()?.card);
        let chosen = chosen.check(self.clock.now())?;
        if let Some(store) = &self.store {
            choice::put(store, card.id, &chosen).await?;
        }
        self.ask(move |hub| {
            let id: UserId = card.id;
            hub.apply(Event::Chose { card, chosen });
            hub.me(id)
        })
        .await
    }

    /// Somebody keeps their presence from colleagues, or does so no more; in force when this returns.
    pub(crate) async fn keep_private(&self, card: &Arc<UserCard>, private: bool) -> Result<(), ApiError> {
        if self.hub.is_none() {
            return Ok(());
        }
        let card = Arc::clone(card);
        self.ask(move |hub| hub.apply(Event::Private { card, private })).await
    }

    /// Closes every socket with 1012 and takes in nothing more; the last thing before the final flush.
    pub async fn stop(&self) {
        let _ = self.ask(Hub::stop).await;
    }

    /// Writes down everything up to now.
    pub(crate) async fn flush(&self) -> Result<(), ApiError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        // A hub that is gone has told everything.
        let _ = self.ask(Hub::note).await;
        ledger.flush().await
    }

    /// Whether the hub answers: not yet stopped, and not a handle without one.
    pub fn is_running(&self) -> bool {
        self.hub.as_ref().is_some_and(|hub| !hub.is_closed())
    }

    /// Sets what is measured when metrics are read.
    pub(crate) async fn measure(&self) {
        let _ = self.ask(Hub::measure).await;
    }

    /// The most bytes that wait for any one socket; for tests, whose servers share the metrics.
    pub async fn queued(&self) -> Result<usize, ApiError> {
        self.ask(|hub| hub.queued()).await
    }

    /// Lets everything happen that is due; for tests that move the clock by hand.
    pub async fn tick(&self) {
        let _ = self
            .ask(|hub| {
                hub.advance();
                hub.look_at_canary();
            })
            .await;
    }
}
