//! Sessions by the million, live and over, as years of use would leave them: `rollcall load sessions`.

use domain::{
    Actor, ApiError, ErrorCode, Level,
    access::Action,
    account::{Named, Role, UserCard},
    session::{EndReason, Span},
    time::{DAY, HOUR, MINUTE, Millis},
    useragent::{Device, Kind},
};

use super::{Inner, Sessions, commit};
use crate::{
    clock::id_at,
    secret,
    store::{
        db, directory,
        session::{self, New, Past},
        user,
    },
};

/// Rows of one transaction: 1,000 sessions are 19,000 values.
const BATCH: u32 = 1_000;
const ORGANISATIONS: u32 = 40;
/// Addresses that many share, as schools do; one session in four comes from one of its own.
const SHARED: u64 = 200;
/// How far back sessions go; within the retention, so that no clean-up takes them by itself.
const BACK: Millis = 300 * DAY;

const DEVICES: [(&str, &str, Kind); 6] = [
    ("Chrome", "Windows", Kind::Desktop),
    ("Firefox", "Linux", Kind::Desktop),
    ("Safari", "iPhone", Kind::Phone),
    ("Chrome", "Android", Kind::Phone),
    ("Safari", "iPad", Kind::Tablet),
    ("curl", "", Kind::Program),
];

/// Why sessions of the past ended, of sixteen each.
const REASONS: [(EndReason, u64); 6] = [
    (EndReason::Logout, 7),
    (EndReason::IdleTimeout, 4),
    (EndReason::AbsoluteTimeout, 1),
    (EndReason::Relogin, 2),
    (EndReason::Limit, 1),
    (EndReason::Revoked, 1),
];

/// How many of each.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// Over how many people all sessions are spread.
    pub people: u32,
    pub live: u32,
    /// Over by their times, and not cleaned up.
    pub expired: u32,
    pub ended: u32,
}

impl Sessions {
    /// Makes up people in 40 organisations and several roles, and sessions of theirs. The same history has the same
    /// shape each time. Needs a database without people.
    pub async fn load_history(&self, actor: &Actor, h: History) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        let store = &self.inner.store;
        if store.within(user::any(store.read())).await? {
            let message = "This database holds people already. Use a fresh one.";
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        let people = self.load_people(h.people.max(1)).await?;
        let total = h.live + h.expired + h.ended;
        let mut n = 0;
        while n < total {
            let txn = self.begin().await?;
            let end = total.min(n + BATCH);
            // The oldest first: ids and times grow together, as in life.
            let rows = (n..end).map(|n| self.past(h, n, &people));
            session::insert_past(&txn, rows.collect::<Vec<_>>()).await.map_err(db)?;
            commit(txn).await?;
            n = end;
        }
        Ok(())
    }

    async fn load_people(&self, people: u32) -> Result<Vec<UserCard>, ApiError> {
        let Inner { store, clock, .. } = &*self.inner;
        let now = clock.now();
        let roles = store.within(directory::roles(store.read())).await?;
        let (members, others): (Vec<Role>, Vec<Role>) = roles.into_iter().partition(|r| r.level == Level::Member);
        let manager = others.into_iter().find(|r| r.level == Level::Manager);
        let mut organisations: Vec<Named> = vec![];
        let txn = self.begin().await?;
        for n in 1..=ORGANISATIONS {
            let made = directory::organisation(&txn, &format!("School {n:02}"), clock.new_id(), now).await;
            organisations.push(made.map_err(db)?);
        }
        commit(txn).await?;
        let mut cards = Vec::with_capacity(people as usize);
        while cards.len() < people as usize {
            let txn = self.begin().await?;
            for n in cards.len()..(cards.len() + BATCH as usize).min(people as usize) {
                let role = manager.as_ref().filter(|_| n % 100 == 0).or(members.get(n % members.len().max(1)));
                let role = role.ok_or_else(|| ApiError::invalid("role", "There is no role to give."))?;
                let card = UserCard {
                    id: clock.new_id(),
                    username: format!("load-{:05}", n + 1),
                    name: format!("Load {:05}", n + 1),
                    email: None,
                    role: role.name.clone(),
                    level: role.level,
                    organisation: Some(organisations[n % organisations.len()].clone()),
                    teams: vec![],
                    second_factor: false,
                };
                user::insert(&txn, &card, None, now).await.map_err(db)?;
                cards.push(card);
            }
            commit(txn).await?;
        }
        Ok(cards)
    }

    /// Makes up people alone, in 40 organisations; nothing where there are any.
    pub async fn load_some_people(&self, actor: &Actor, people: u32) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        let store = &self.inner.store;
        if !store.within(user::any(store.read())).await? {
            self.load_people(people.max(1)).await?;
        }
        Ok(())
    }

    /// The session number `n` of a history: first those that ended, then those that are over, then the live ones.
    fn past(&self, history: History, n: u32, people: &[UserCard]) -> Past {
        let Inner { clock, settings, .. } = &*self.inner;
        let (settings, now) = (settings.now(), clock.now());
        let over = history.ended + history.expired;
        let mut chance = Chance(u64::from(n));
        let card = &people[chance.below(people.len() as u64) as usize];
        let idle = settings.lifetimes.idle_of(&card.role, false);
        let absolute = settings.lifetimes.absolute(card.level);
        let created_at = if n < over {
            let back = 1.0 - f64::from(n) / f64::from(over);
            now.plus(-2 * idle - (BACK as f64 * back) as i64)
        } else {
            let back = 1.0 - f64::from(n - over) / f64::from(history.live);
            now.plus(-((idle.min(absolute) / 2) as f64 * back) as i64)
        };
        let mut span = Span::begin(created_at, &card.role, card.level, false, &settings.lifetimes);
        let used = chance.below((now.0 - created_at.0).min(idle).clamp(1, 8 * HOUR) as u64) as i64;
        span.last_activity_at = created_at.plus(used);
        let ended = (n < history.ended).then(|| {
            let mut which = chance.below(16);
            let reason = REASONS.iter().find(|(_, of)| which.checked_sub(*of).map(|rest| which = rest).is_none());
            match reason.map_or(EndReason::Logout, |(reason, _)| *reason) {
                EndReason::Revoked => (span.last_activity_at, EndReason::Revoked, Some("operator".to_owned())),
                by_time @ (EndReason::IdleTimeout | EndReason::AbsoluteTimeout) => (span.expires_at(), by_time, None),
                by_them => (span.last_activity_at.plus(MINUTE), by_them, Some(card.username.clone())),
            }
        });
        let (browser, os, kind) = DEVICES[chance.below(DEVICES.len() as u64) as usize];
        let shared = chance.below(4) > 0;
        let address = if shared { chance.below(SHARED) } else { 1_000 + chance.below(200_000) };
        let [.., second, third, fourth] = address.to_be_bytes();
        let (_, token_hash) = secret::token();
        let new = New {
            id: id_at(created_at),
            token_hash,
            user: card.id,
            span,
            fresh_until: created_at.plus(settings.sudo_for),
            remembered: false,
            ip: format!("10.{second}.{third}.{fourth}"),
            device: Device { browser: browser.to_owned(), os: os.to_owned(), kind },
        };
        Past { new, ended }
    }
}

/// The same numbers for the same seed: SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}
