//! Accounts: who may sign in.
//!
//! - `setup`: the first administrator, by a one-time link. `manage`: adding, disabling, deleting, listing.
//! - `password`: changing one's own, and choosing a new one by a one-time link.
//!
//! Not here: checking a password (`sessions::password`) and judging or hashing one (`passwords`). To add an act on
//! accounts: a method that takes the `Actor`, asks for reach and for sudo mode, and writes its audit row in the same
//! transaction.

mod manage;
mod password;
mod setup;

use domain::{
    Actor, ApiError, Time, UserId,
    access::Action,
    account::{self, Named, Role, UserCard, UserView},
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    sessions::Sessions,
    store::{Store, card, db, directory},
};

/// An account to be made. `role` is "member" when nothing is said; organisation and teams are named, and made when
/// they are not there. Without a password the person gets a link to choose one.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewUser {
    pub username: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub role: Option<String>,
    pub organisation: Option<String>,
    pub teams: Vec<String>,
    pub password: Option<String>,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    #[serde(flatten)]
    pub user: UserView,
    pub created_at: Time,
    pub disabled_at: Option<Time>,
    pub last_sign_in_at: Option<Time>,
}

/// The handle on accounts; a cheap clone.
#[derive(Clone)]
pub struct Accounts {
    sessions: Sessions,
}

impl Accounts {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    fn store(&self) -> &Store {
        &self.sessions.inner.store
    }

    fn clock(&self) -> &Clock {
        &self.sessions.inner.clock
    }

    /// All roles, the most powerful first.
    pub async fn roles(&self) -> Result<Vec<Role>, ApiError> {
        self.store().within(directory::roles(self.store().read())).await
    }

    /// All organisations, by name, for those who see all of them.
    pub async fn organisations(&self, actor: &Actor) -> Result<Vec<Named>, ApiError> {
        actor.require(Action::Accounts)?;
        self.store().within(directory::organisations(self.store().read())).await
    }

    /// Somebody's card, when they are within the actor's reach; 404 otherwise.
    pub async fn card(&self, actor: &Actor, id: UserId) -> Result<UserCard, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let mut cards = self.store().within(card::by_ids(self.store().read(), &[id])).await?;
        let within = |c: &UserCard| reach.covers(c.organisation.as_ref().map(|o| o.id));
        cards.pop().filter(within).ok_or_else(ApiError::not_found)
    }

    /// The card a new account will have, checked; makes organisation and teams within `txn`.
    async fn prepare(&self, txn: &DatabaseTransaction, new: &NewUser) -> Result<UserCard, ApiError> {
        let (clock, now) = (self.clock(), self.clock().now());
        let card = checked(new, &directory::roles(txn).await.map_err(db)?, clock)?;
        let organisation = match filled(new.organisation.as_deref()) {
            Some(name) => {
                let name = account::display_name("organisation", name)?;
                Some(directory::organisation(txn, &name, clock.new_id(), now).await.map_err(db)?)
            }
            None => None,
        };
        let mut teams: Vec<Named> = vec![];
        for name in &new.teams {
            let Some(organisation) = &organisation else {
                return Err(ApiError::invalid("teams", "A team belongs to an organisation: name that too."));
            };
            let name = account::display_name("teams", name)?;
            let team = directory::team(txn, organisation.id, &name, clock.new_id(), now).await.map_err(db)?;
            if !teams.contains(&team) {
                teams.push(team);
            }
        }
        Ok(UserCard { organisation, teams, ..card })
    }
}

/// What can be said of a new account without writing anything: everything but organisation and teams.
fn checked(new: &NewUser, roles: &[Role], clock: &Clock) -> Result<UserCard, ApiError> {
    let username = account::username(&new.username)?;
    let name = account::display_name("name", filled(new.name.as_deref()).unwrap_or(&username))?;
    let email = filled(new.email.as_deref()).map(account::email).transpose()?;
    let wanted = filled(new.role.as_deref()).unwrap_or("member");
    let role = roles.iter().find(|r| r.name == wanted).ok_or_else(|| {
        let names: Vec<&str> = roles.iter().map(|r| r.name.as_str()).collect();
        ApiError::invalid("role", format!("There is no such role. Use one of {}.", names.join(", ")))
    })?;
    Ok(UserCard {
        id: clock.new_id(),
        username,
        name,
        email,
        role: role.name.clone(),
        level: role.level,
        organisation: None,
        teams: vec![],
    })
}

/// A form sends empty text for a field nobody filled in.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|t| !t.is_empty())
}
