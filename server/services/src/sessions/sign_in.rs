//! From a password to a session.

use std::sync::Arc;

use domain::{
    ApiError, ErrorCode, SessionId, Time, UserId,
    account::{self, UserCard},
    activity::LOGIN,
    session::{EndReason, Span},
    settings::LimitPolicy,
    time::Millis,
    useragent::Device,
};
use metrics::counter;
use sea_orm::DatabaseTransaction;

use super::{Inner, LiveSession, Sessions, commit};
use crate::{
    activity::About,
    audit,
    secret::{self, Token},
    store::{
        Sql, card, db, ending,
        live::Loaded,
        session::{self, New},
        user, values,
    },
};

/// Where a request comes from: the client's address, as the trusted proxies tell it, and its `User-Agent`.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip: String,
    pub user_agent: String,
}

/// A session with the one copy of its token, to be handed to the client.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub token: Token,
    pub session: Arc<LiveSession>,
    /// Whether the cookie outlives the browser.
    pub remembered: bool,
}

impl SignedIn {
    /// How long the cookie outlives the browser: as long as the session may idle.
    pub fn remember(&self) -> Option<Millis> {
        self.remembered.then(|| self.session.idle())
    }
}

/// A user agent is only read for its label; a longer one is somebody's joke.
const USER_AGENT_MAX: usize = 512;

/// A session about to begin.
pub(crate) struct Start {
    pub(crate) card: UserCard,
    pub(crate) remember: bool,
    pub(crate) from: Origin,
    /// The cookie the same browser brought: that session ends.
    pub(crate) replaces: Option<String>,
}

/// A session that has begun within a transaction, and what ended for it.
pub(crate) struct Started {
    token: Token,
    loaded: Loaded,
    ended: Vec<(SessionId, EndReason)>,
    generation: u64,
}

impl Sessions {
    /// Signs in. The same answer, at the same cost, for an unknown name, a wrong password, a disabled account and one
    /// without a password; 429 after too many failures; 503 when too many are being checked already. Whoever has a second
    /// factor is told so, with the token of the second step; whose password is too short for their role, with that of a
    /// link to choose another.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &str,
        remember: bool,
        from: &Origin,
        replaces: Option<&str>,
    ) -> Result<SignedIn, ApiError> {
        let outcome = self.verify_and_start(username, password, remember, from, replaces).await;
        let result = match &outcome {
            Ok(_) => "ok",
            Err(e) if e.code == ErrorCode::InvalidCredentials => "refused",
            Err(e) if e.code == ErrorCode::SecondFactorRequired => "code_asked",
            Err(e) if e.code == ErrorCode::NewPasswordRequired => "new_password_asked",
            Err(e) if e.code == ErrorCode::TooManyRequests => "throttled",
            Err(_) => "failed",
        };
        counter!("rollcall_sign_ins_total", "result" => result).increment(1);
        outcome
    }

    async fn verify_and_start(
        &self,
        username: &str,
        password: &str,
        remember: bool,
        from: &Origin,
        replaces: Option<&str>,
    ) -> Result<SignedIn, ApiError> {
        let name = username.trim().to_lowercase();
        let Some(verified) = self.verify(&name, password, &from.ip, "sign_in_failed").await? else {
            return Err(ApiError::invalid_credentials());
        };
        let (this, from, replaces) = (self.clone(), from.clone(), replaces.map(str::to_owned));
        let characters = password.chars().count();
        self.act(async move {
            let txn = this.begin().await?;
            // Disabled, deleted or given another password while this one was being hashed.
            if !user::may_sign_in(&txn, verified.user, Some(&verified.hash)).await.map_err(db)? {
                return Err(ApiError::invalid_credentials());
            }
            let Some(card) = card::by_ids(&txn, &[verified.user]).await.map_err(db)?.pop() else {
                return Err(ApiError::invalid_credentials());
            };
            if characters < account::password_min(card.level) {
                let wanted = this.want_password(&txn, &card, &from).await?;
                commit(txn).await?;
                return Err(wanted);
            }
            if let Some(wanted) = this.want_code(&txn, &card, remember).await? {
                commit(txn).await?;
                return Err(wanted);
            }
            let started = this.start(&txn, Start { card, remember, from, replaces }).await?;
            commit(txn).await?;
            this.started(started).await
        })
        .await
    }

    /// A session for `user` without a password: for test people and for measurements. The limit holds.
    pub async fn create(&self, user: &UserCard, remember: bool, from: &Origin) -> Result<SignedIn, ApiError> {
        let (this, card, from) = (self.clone(), user.clone(), from.clone());
        self.act(async move {
            let txn = this.begin().await?;
            let started = this.start(&txn, Start { card, remember, from, replaces: None }).await?;
            commit(txn).await?;
            this.started(started).await
        })
        .await
    }

    /// Writes a session within `txn`: every way in ends here, so that the limit holds on all of them. 404 for whoever is
    /// disabled or gone.
    pub(crate) async fn start(&self, txn: &DatabaseTransaction, start: Start) -> Result<Started, ApiError> {
        let Inner { settings, clock, cache, .. } = &*self.inner;
        let Start { card, remember, from, replaces } = start;
        // Within the transaction: whoever changes them does so in one of these, too.
        let settings = settings.now();
        let generation = cache.generation();
        let now = clock.now();
        let mut ended = vec![];
        if let Some(token) = replaces.filter(|t| secret::is_token(t)) {
            let which = Sql::new("s.token_hash = ?", values![secret::hash(&token).to_vec()]);
            let by = Some(card.username.as_str());
            let ids = ending::end(txn, which, EndReason::Relogin, by, now).await.map_err(db)?;
            ended.extend(ids.into_iter().map(|id| (id, EndReason::Relogin)));
        }
        let limit = settings.limit_of(&card.role) as usize;
        if limit > 0 {
            ended.extend(self.make_room(txn, &card, limit, settings.session_limit_policy, now).await?);
        }
        let (token, token_hash) = secret::token();
        let remembered = remember && settings.lifetimes.remember.is_some();
        let span = Span::begin(now, &card.role, card.level, remembered, &settings.lifetimes);
        let agent: String = from.user_agent.chars().take(USER_AGENT_MAX).collect();
        let device = Device::parse(&agent);
        let (id, fresh_until) = (clock.new_id(), now.plus(settings.sudo_for));
        self.notice_device(txn, &card, id, &device, &from).await?;
        let new = New {
            id,
            token_hash,
            user: card.id,
            span,
            fresh_until,
            remembered,
            ip: from.ip.clone(),
            device: device.clone(),
        };
        session::insert(txn, [new]).await.map_err(db)?;
        if user::signed_in(txn, card.id, now).await.map_err(db)? == 0 {
            return Err(ApiError::not_found());
        }
        let about = About { card: &card, session: Some(id), ip: Some(&from.ip) };
        self.inner.events.append(txn, LOGIN, about).await.map_err(db)?;
        let subject = id.to_string();
        let entry = audit::Entry {
            action: "sign_in",
            subject_kind: "session",
            subject: Some(&subject),
            ..audit::Entry::default()
        };
        audit::append(txn, clock, audit::By { name: &card.username, ip: Some(&from.ip) }, entry).await.map_err(db)?;
        let loaded =
            Loaded { id, token_hash, card, span, last_seen: now, fresh_until, remembered, ip: from.ip, device };
        Ok(Started { token, loaded, ended, generation })
    }

    /// After the commit: the new session into memory, and those it pushed out of it.
    pub(crate) async fn started(&self, s: Started) -> Result<SignedIn, ApiError> {
        self.inner.mail.wake();
        let (hash, remembered) = (s.loaded.token_hash, s.loaded.remembered);
        let session = match self.inner.cache.insert(s.loaded.clone(), s.generation) {
            Some(session) => Some(session),
            // Something ended meanwhile, perhaps this very session.
            None => self.load(&hash).await?,
        };
        self.ended(&s.ended).await;
        // Pushed out again by the next sign-in before this one could answer: it was good, and it is over.
        let session = session.unwrap_or_else(|| {
            let card = Arc::new(s.loaded.card.clone());
            let session = LiveSession::new(s.loaded, card, None, Arc::clone(&self.inner.cache.pending));
            session.end();
            Arc::new(session)
        });
        Ok(SignedIn { token: s.token, session, remembered })
    }

    /// Ends the least recently used sessions so that one more is within the limit, or refuses.
    async fn make_room(
        &self,
        txn: &DatabaseTransaction,
        card: &UserCard,
        limit: usize,
        policy: LimitPolicy,
        now: Time,
    ) -> Result<Vec<(SessionId, EndReason)>, ApiError> {
        let mut live = self.live_by_use(txn, card.id, now).await?;
        if live.len() < limit {
            return Ok(vec![]);
        }
        if policy == LimitPolicy::Refuse {
            let message = format!(
                "You are signed in on {limit} devices, which is as many as is allowed. Sign out on one of them first."
            );
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        live.truncate(live.len() + 1 - limit);
        let mut ended = vec![];
        for id in live {
            // Over for the database perhaps, and live in memory: activity is written behind, so it is written first.
            let written: Vec<_> = self.inner.cache.by_ids(&[id]).iter().map(|s| s.activity()).collect();
            crate::store::live::write_within(&self.inner.store, txn, &written).await.map_err(db)?;
            let which = Sql::new("s.id = ?", values![id]);
            let by = Some(card.username.as_str());
            let ids = ending::end(txn, which, EndReason::Limit, by, now).await.map_err(db)?;
            ended.extend(ids.into_iter().map(|id| (id, EndReason::Limit)));
        }
        Ok(ended)
    }

    /// A person's live sessions, least recently used first, by the newest activity that memory or database knows.
    async fn live_by_use(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        now: Time,
    ) -> Result<Vec<SessionId>, ApiError> {
        let standing = session::standing_of(txn, user).await.map_err(db)?;
        let ids: Vec<SessionId> = standing.iter().map(|s| s.id).collect();
        let in_memory = self.inner.cache.by_ids(&ids);
        let mut live: Vec<(Time, SessionId)> = standing
            .iter()
            .filter_map(|s| {
                let mut span = s.span();
                if let Some(session) = in_memory.iter().find(|m| m.id == s.id) {
                    span.last_activity_at = span.last_activity_at.max(session.last_activity());
                }
                span.is_live(now).then_some((span.last_activity_at, s.id))
            })
            .collect();
        live.sort_unstable();
        Ok(live.into_iter().map(|(_, id)| id).collect())
    }
}
