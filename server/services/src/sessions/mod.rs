//! Sessions: signing in, the check of every request, and ending.
//!
//! - `sign_in`: from a password to a session; limits. `notice`: telling people of a device that is new.
//! - `password`: confirming one, for sudo mode and changes. `code`: the second step of both.
//! - `live`, `cache`, `activity`: what is kept in memory, and how it is written behind.
//! - `end`: every way a session ends on purpose. `cleanup`: what time does, and the watch for other processes' acts.
//! - `rules`: what limits and lifetimes that change do to sessions.
//! - `list`: pages, counts, numbers. `data`: values kept with a session. `load`: test people by the thousand.
//!
//! Whatever ends a session does it in this order: one transaction (rows, audit), out of memory, sockets closed, answer.
//! The one predicate is `store::session::LIVE` in SQL and `domain::session::Span::is_live` in memory. To add a way to
//! end sessions: `store::ending::end` in the transaction, `Sessions::ended` after it, both within `Sessions::act`.

mod activity;
mod cache;
mod cleanup;
mod code;
mod data;
mod end;
mod history;
mod list;
mod live;
mod load;
mod notice;
mod password;
mod rules;
mod sign_in;

use std::{sync::Arc, time::Duration};

use domain::{Actor, ApiError, SessionId, Time, UserId, session::EndReason};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use self::{activity::Activity, cache::Cache};
pub use self::{
    cleanup::{CLEAN_UP_PATIENCE, CleanedUp},
    end::Which,
    history::History,
    list::Page,
    live::LiveSession,
    sign_in::{Origin, SignedIn},
};
pub(crate) use self::{history::Chance, sign_in::Start};
use crate::{
    audit::Audit,
    clock::Clock,
    geo::Places,
    mail::Mail,
    passwords::Passwords,
    presence::Presence,
    secret,
    settings::Present,
    store::{Store, card, db, live as rows},
    vault::Vault,
};

/// An act that changes something is given up after this long; its transaction is then rolled back.
const ACT_MAX: Duration = Duration::from_mins(1);
/// Sockets whose sessions are looked up in the database at the same time. After a restart everybody comes at once; the
/// rest of the database's connections are for sign-ins and pages.
const HERD: usize = 4;
/// The same on SQLite, which has a connection for nothing else and answers those who wait for it together.
const HERD_TOGETHER: usize = 32;

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) audit: Audit,
    pub(crate) vault: Vault,
    pub(crate) mail: Mail,
    pub(crate) places: Places,
    pub(crate) settings: Present,
    pub(crate) events: crate::Activity,
    pub(crate) cache: Arc<Cache>,
    pub(crate) activity: Activity,
    pub(crate) passwords: Passwords,
    pub(crate) presence: Presence,
    /// Whether this process is the server; a command beside it must not judge by activity it cannot see.
    pub(crate) serving: bool,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    herd: Semaphore,
    /// Cards are read and handed out by one at a time, so that an older one never overtakes a newer.
    cards: Mutex<()>,
    /// Held by the one clean-up that runs.
    cleaning: Arc<Mutex<()>>,
}

/// The handle on sessions; a cheap clone.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) inner: Arc<Inner>,
}

impl Sessions {
    #[expect(clippy::too_many_arguments, reason = "each is a service of its own, named once, at the start")]
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        audit: Audit,
        vault: Vault,
        mail: Mail,
        places: Places,
        settings: Present,
        events: crate::Activity,
        presence: Presence,
        serving: bool,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let cache = Arc::new(Cache::new(places.clone()));
        let activity = Activity::new(Arc::clone(&cache), store.clone());
        let passwords = Passwords::default();
        let herd = Semaphore::new(if store.is_postgres() { HERD } else { HERD_TOGETHER });
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                audit,
                vault,
                mail,
                places,
                settings,
                events,
                cache,
                activity,
                passwords,
                presence,
                serving,
                stop,
                tasks,
                herd,
                cards: Mutex::new(()),
                cleaning: Arc::default(),
            }),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.inner.clock.now()
    }

    /// The live session a cookie's token stands for. Memory first, the database on a miss; never one that has ended.
    /// Does not touch it.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Arc<LiveSession>>, ApiError> {
        if !secret::is_token(token) {
            return Ok(None);
        }
        let hash = secret::hash(token);
        match self.inner.cache.get(&hash) {
            Some(session) => Ok(Some(session).filter(|s| s.is_live(self.now()))),
            None => self.load(&hash).await,
        }
    }

    /// The same for a socket's handshake: where the database must be asked, it waits its turn among the others that
    /// come back at the same time, and no sign-in waits behind it.
    pub async fn authenticate_socket(&self, token: &str) -> Result<Option<Arc<LiveSession>>, ApiError> {
        let known = secret::is_token(token) && self.inner.cache.get(&secret::hash(token)).is_some();
        let turn = if known { None } else { self.inner.herd.acquire().await.ok() };
        let session = self.authenticate(token).await;
        drop(turn);
        session
    }

    /// Whether whoever asks has to set a second factor up before anything else: their role asks for one.
    pub fn lacks_second_factor(&self, actor: &Actor) -> bool {
        actor.person().is_ok_and(|p| self.inner.settings.now().lacks_second_factor(&p.card))
    }

    /// Brings a session into memory.
    pub(crate) async fn load(&self, hash: &[u8; 32]) -> Result<Option<Arc<LiveSession>>, ApiError> {
        let Inner { store, cache, .. } = &*self.inner;
        loop {
            let generation = cache.generation();
            let Some(loaded) = store.within(rows::by_hash(store, hash, self.now())).await? else {
                return Ok(None);
            };
            if let Some(session) = cache.insert(loaded, generation) {
                return Ok(Some(session).filter(|s| s.is_live(self.now())));
            }
        }
    }

    /// A request or an input of the session at `at`: extends it. Newest wins; what is over stays over.
    pub fn touch(&self, session: &Arc<LiveSession>, at: Time) {
        if session.is_live(self.now()) {
            session.touch(at);
        }
    }

    /// A sign of life at `at`; never extends.
    pub fn seen(&self, session: &Arc<LiveSession>, at: Time) {
        session.seen(at);
    }

    /// Whether the session has a socket that counts.
    pub fn set_connected(&self, session: &LiveSession, connected: bool) {
        session.set_connected(connected);
    }

    /// At the start of a server: live sessions that were connected at the last proof of life, with its time. Those who
    /// do not return within the restart grace are then written down as gone.
    pub async fn connected_before(&self) -> Result<Vec<(Arc<LiveSession>, Time)>, ApiError> {
        let Inner { store, cache, settings, stop, tasks, .. } = &*self.inner;
        let generation = cache.generation();
        let loaded = store.within(rows::connected(store.read(), self.now())).await?;
        let sessions: Vec<_> = loaded.into_iter().filter_map(|l| cache.insert(l, generation)).collect();
        if !sessions.is_empty() {
            let (waiting, stop) = (sessions.clone(), stop.clone());
            let grace = Duration::from_millis(settings.now().presence.restart_grace.max(0) as u64);
            tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    // In memory they are not connected unless they came back; say so in the database.
                    () = tokio::time::sleep(grace) => waiting.iter().for_each(|s| s.mark()),
                }
            });
        }
        Ok(sessions
            .into_iter()
            .map(|s| {
                let seen = s.last_seen();
                (s, seen)
            })
            .collect())
    }

    /// Writes all activity that waits.
    pub async fn flush(&self) -> Result<(), ApiError> {
        let Inner { store, activity, .. } = &*self.inner;
        store.within(activity.flush()).await
    }

    /// How many sessions are in memory.
    pub fn in_memory(&self) -> usize {
        self.inner.cache.len()
    }

    /// Runs an act to its end even when whoever asked for it goes away: between a commit and the closing of sockets
    /// nothing may stop it.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        act: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let bounded = async move {
            tokio::time::timeout(ACT_MAX, act).await.unwrap_or_else(|_| {
                tracing::error!("an act on the database took too long and was given up");
                Err(ApiError::unavailable())
            })
        };
        tokio::spawn(bounded.instrument(tracing::Span::current())).await.map_err(|e| {
            tracing::error!(error = %e, "an act panicked");
            ApiError::internal()
        })?
    }

    /// After the commit: out of memory, then sockets closed.
    pub(crate) async fn ended(&self, ended: &[(SessionId, EndReason)]) {
        if !ended.is_empty() {
            self.inner.cache.evict(ended.iter().map(|(id, _)| *id));
            self.inner.presence.sessions_ended(ended).await;
        }
    }

    /// After a commit that changed these people's names, teams and the like: sessions, rows and watchers get them.
    pub(crate) async fn cards_changed(&self, users: &[UserId]) -> Result<(), ApiError> {
        let Inner { store, cache, presence, .. } = &*self.inner;
        if users.is_empty() {
            return Ok(());
        }
        let turn = self.inner.cards.lock().await;
        let cards = store.within(card::by_ids(store.read(), users)).await?;
        let cards: Vec<Arc<_>> = cards.into_iter().map(Arc::new).collect();
        cache.set_cards(&cards);
        for card in cards {
            presence.card_changed(card);
        }
        drop(turn);
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<sea_orm::DatabaseTransaction, ApiError> {
        self.inner.store.within(self.inner.store.begin()).await
    }
}

/// Commits, or tells why not.
pub(crate) async fn commit(txn: sea_orm::DatabaseTransaction) -> Result<(), ApiError> {
    txn.commit().await.map_err(db)
}
