//! Finding people: pages, counts, one of them.

use std::collections::HashMap;

use domain::{
    Actor, ApiError, ErrorCode, Reach, UserId,
    access::Action,
    people::{AccountRow, UserFilter, UserSort},
    presence::State,
};

use super::{Accounts, Who};
use crate::{
    audit::{self, Entry},
    cursor,
    sessions::{Page, commit},
    store::{
        Sql, db,
        list::Plan,
        people::{self, After, Here, Key},
    },
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;

impl Accounts {
    /// People within the actor's reach; `limit` is held between 1 and 200. The total is exact, and on first pages.
    pub async fn list(
        &self,
        actor: &Actor,
        filter: &UserFilter,
        sort: UserSort,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<AccountRow>, ApiError> {
        let reach = actor.require(Action::People)?;
        let after = cursor.map(|c| decode(c, sort)).transpose()?;
        let limit = limit.clamp(1, LIMIT_MAX);
        let store = self.store();
        let condition = self.condition(reach, filter).await?;
        let (total, after, plan) = match after {
            None => {
                let n = store.within(people::count(store.read(), condition.clone())).await?;
                // A search that matches nobody reads everybody once, not twice.
                if n == 0 {
                    return Ok(Page { items: vec![], next: None, total: Some(0) });
                }
                (Some(n), None, Plan::for_total(n))
            }
            Some((after, plan)) => (None, Some(after), plan),
        };
        let page = people::page(store.read(), condition, sort, after, limit + 1, plan);
        let mut rows = store.within(page).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(row, key)| encode(sort, plan, key, row.user.id));
        let mut items: Vec<AccountRow> = rows.into_iter().map(|(row, _)| row).collect();
        self.tell_states(reach, &mut items).await?;
        Ok(Page { items, next, total })
    }

    /// How many match, within the actor's reach.
    pub async fn count(&self, actor: &Actor, filter: &UserFilter) -> Result<u64, ApiError> {
        let reach = actor.require(Action::People)?;
        let condition = self.condition(reach, filter).await?;
        self.store().within(people::count(self.store().read(), condition)).await
    }

    /// One of them; 404 for whoever is not within the actor's reach.
    pub async fn one(&self, actor: &Actor, who: impl Into<Who>) -> Result<AccountRow, ApiError> {
        let reach = actor.require(Action::People)?;
        let store = self.store();
        let mut which = self.condition(reach, &UserFilter::default()).await?;
        match who.into() {
            Who::Id(id) => which.push(" AND u.id = ?", vec![id.into()]),
            Who::Username(name) => which.push(" AND u.username = ?", vec![name.into()]),
        };
        let page = people::page(store.read(), which, UserSort::Username, None, 1, Plan::Gather);
        let mut items: Vec<AccountRow> = store.within(page).await?.into_iter().map(|(row, _)| row).collect();
        self.tell_states(reach, &mut items).await?;
        items.pop().ok_or_else(ApiError::not_found)
    }

    /// An export begins: it is written down. Asks for sudo mode, and gives how many people it will have.
    pub async fn begin_export(&self, actor: &Actor, filter: &UserFilter) -> Result<u64, ApiError> {
        let people = self.count(actor, filter).await?;
        actor.require_fresh(self.clock().now())?;
        let txn = self.sessions.begin().await?;
        let entry = Entry {
            action: "people_exported",
            subject_kind: "users",
            details: Some(serde_json::json!({"filter": filter, "people": people})),
            ..Entry::default()
        };
        audit::append(&txn, self.clock(), actor, entry).await.map_err(db)?;
        commit(txn).await?;
        Ok(people)
    }

    /// The filter within a reach; presence is asked for who is in its state.
    pub(crate) async fn condition(&self, reach: Reach, filter: &UserFilter) -> Result<Sql, ApiError> {
        let here = match filter.state {
            None => None,
            Some(state) => {
                let here =
                    self.sessions.inner.presence.states(reach, None).await?.ok_or_else(|| {
                        ApiError::invalid("state", "Only the server knows who is here; ask it instead.")
                    })?;
                let of = |wanted: fn(State, State) -> bool| {
                    here.iter().filter(|(_, s)| wanted(**s, state)).map(|(id, _)| *id).collect()
                };
                Some(if state == State::Offline {
                    Here::NotAmong(of(|_, _| true))
                } else {
                    Here::Among(of(|a, b| a == b))
                })
            }
        };
        let backend = sea_orm::ConnectionTrait::get_database_backend(self.store().read());
        Ok(people::condition(backend, reach, filter, here))
    }

    /// The states of these people, as far as they are within the actor's reach: of others nothing can be learnt, since
    /// whoever is not known to be here is offline. Nothing beside the server.
    pub async fn states(&self, actor: &Actor, ids: Vec<UserId>) -> Result<HashMap<UserId, State>, ApiError> {
        let reach = actor.require(Action::People)?;
        let here = self.sessions.inner.presence.states(reach, Some(ids.clone())).await?;
        let of = |id: UserId| Some((id, here.as_ref()?.get(&id).copied().unwrap_or(State::Offline)));
        Ok(ids.into_iter().filter_map(of).collect())
    }

    async fn tell_states(&self, reach: Reach, rows: &mut [AccountRow]) -> Result<(), ApiError> {
        let ids = rows.iter().map(|r| r.user.id).collect();
        if let Some(here) = self.sessions.inner.presence.states(reach, Some(ids)).await? {
            for row in rows {
                row.state = Some(here.get(&row.user.id).copied().unwrap_or(State::Offline));
            }
        }
        Ok(())
    }
}

fn encode(sort: UserSort, plan: Plan, key: &Key, id: uuid::Uuid) -> String {
    let plan = if plan == Plan::Walk { "w" } else { "g" };
    let key = match key {
        Key::Text(text) => text.clone(),
        Key::Number(n) => n.to_string(),
    };
    cursor::encode(&[sort.as_str(), plan, &key], id)
}

/// Of another order than this one a cursor says nothing.
fn decode(text: &str, sort: UserSort) -> Result<(After, Plan), ApiError> {
    let parsed = || {
        let ([by, plan, key], id) = cursor::decode::<3>(text)?;
        let key = match sort {
            UserSort::Name | UserSort::Username => Key::Text(key),
            UserSort::Created | UserSort::SignIn | UserSort::Dormant => Key::Number(key.parse().ok()?),
        };
        let plan = if plan == "w" { Plan::Walk } else { Plan::Gather };
        (by == sort.as_str()).then_some((After { key, id }, plan))
    };
    parsed().ok_or_else(|| ApiError::new(ErrorCode::BadRequest, cursor::STRANGE))
}
