//! Test people by the thousand, with live sessions, straight into the database: `rollcall load prepare`.

use std::collections::HashMap;

use domain::{
    Actor, ApiError, ErrorCode, UserId,
    access::Action,
    account::{Role, UserCard},
    session::Span,
    useragent::Device,
};
use sea_orm::Value;
use uuid::Uuid;

use super::{Inner, Sessions, commit};
use crate::{
    secret::{self, Token},
    store::{
        Sql,
        card::marks,
        db, directory,
        session::{self, New},
        user,
    },
};

/// People of one transaction: 1,000 sessions are 19,000 values.
const BATCH: usize = 1_000;
/// What their user agent would say.
const USER_AGENT: &str = "rollcall-load/1";

impl Sessions {
    /// Makes `people` named `load-00001`, …, of `role`, each with a new live session; their usernames and tokens. Those
    /// who are there already keep the role they have. Refuses a database that holds other people, unless
    /// `among_others`.
    pub async fn bulk_load(
        &self,
        actor: &Actor,
        people: u32,
        role: &str,
        among_others: bool,
    ) -> Result<Vec<(String, Token)>, ApiError> {
        actor.require(Action::Accounts)?;
        let Inner { store, .. } = &*self.inner;
        let roles = store.within(directory::roles(store.read())).await?;
        let role = roles.into_iter().find(|r| r.name == role);
        let role = role.ok_or_else(|| ApiError::invalid("role", "There is no such role."))?;
        let others = Sql::new(r"SELECT count(*) FROM users WHERE username NOT LIKE 'load-%'", vec![]);
        if !among_others && store.within(others.number(store.read())).await? > 0 {
            let message = "This database holds other people. Use a fresh one, or add --yes.";
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        let names: Vec<String> = (1..=people).map(|n| format!("load-{n:05}")).collect();
        let mut made = Vec::with_capacity(names.len());
        for batch in names.chunks(BATCH) {
            made.extend(self.load_batch(batch, &role).await?);
        }
        Ok(made)
    }

    async fn load_batch(&self, names: &[String], role: &Role) -> Result<Vec<(String, Token)>, ApiError> {
        let Inner { clock, settings, .. } = &*self.inner;
        let settings = settings.now();
        let now = clock.now();
        let txn = self.begin().await?;
        let there = Sql::new(
            format!("SELECT username, id FROM users WHERE username IN ({})", marks(names.len())),
            names.iter().map(|n| Value::from(n.as_str())).collect(),
        );
        let mut ids: HashMap<String, UserId> = HashMap::new();
        for row in there.rows(&txn).await.map_err(db)? {
            let id: Uuid = row.try_get_by_index(1).map_err(db)?;
            ids.insert(row.try_get_by_index(0).map_err(db)?, id);
        }
        for name in names {
            if !ids.contains_key(name) {
                let card = test_person(clock.new_id(), name, role);
                user::insert(&txn, &card, None, now).await.map_err(db)?;
                ids.insert(name.clone(), card.id);
            }
        }
        let mut made = Vec::with_capacity(names.len());
        let mut rows = Vec::with_capacity(names.len());
        for name in names {
            let (token, token_hash) = secret::token();
            made.push((name.clone(), token));
            rows.push(New {
                id: clock.new_id(),
                token_hash,
                user: ids[name],
                span: Span::begin(now, &role.name, role.level, false, &settings.lifetimes),
                fresh_until: now.plus(settings.sudo_for),
                remembered: false,
                ip: "127.0.0.1".to_owned(),
                device: Device::parse(USER_AGENT),
            });
        }
        session::insert(&txn, rows).await.map_err(db)?;
        commit(txn).await?;
        Ok(made)
    }
}

fn test_person(id: UserId, username: &str, role: &Role) -> UserCard {
    UserCard {
        id,
        username: username.to_owned(),
        name: username.replace("load-", "Load "),
        email: None,
        role: role.name.clone(),
        level: role.level,
        organisation: None,
        teams: vec![],
        second_factor: false,
    }
}
