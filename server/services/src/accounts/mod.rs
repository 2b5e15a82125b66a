//! Accounts: who may sign in.
//!
//! - `setup`: the first administrator, by a one-time link. `manage`: adding, disabling, deleting. `edit`: changing.
//!   `list`: finding. `timeline`: what happened to them. `import`: many at once. `invite`: letting them choose a password.
//! - `email`: changing one's own address. `password`: changing one's own, and choosing a new one by a one-time link. `forgot`: that link by e-mail.
//!
//! Not here: checking a password (`sessions::password`) and judging or hashing one (`passwords`). To add an act on
//! accounts: a method that takes the `Actor`, asks for reach and for sudo mode, and writes its audit row in the same
//! transaction.

mod edit;
mod email;
mod forgot;
mod import;
mod invite;
mod list;
mod manage;
mod password;
mod setup;
mod timeline;

use domain::{
    Actor, ApiError, UserId,
    access::Action,
    account::{self, Named, Role, UserCard},
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

pub use self::edit::{Edited, WhichPeople};
pub use self::email::EmailChange;
pub use self::invite::{Invitation, Invited};
pub(crate) use self::manage::last_admin;
use crate::{
    clock::Clock,
    sessions::Sessions,
    store::{Store, card, db, directory, groups},
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

/// Whose account.
#[derive(Clone, Debug)]
pub enum Who {
    Id(UserId),
    Username(String),
}

impl From<UserId> for Who {
    fn from(id: UserId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Who {
    fn from(username: &str) -> Self {
        Self::Username(username.trim().to_lowercase())
    }
}

/// The handle on accounts; a cheap clone.
#[derive(Clone)]
pub struct Accounts {
    pub(crate) sessions: Sessions,
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

    /// Somebody's card, when they are within the actor's reach; 404 otherwise.
    pub async fn card(&self, actor: &Actor, id: UserId) -> Result<UserCard, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let mut cards = self.store().within(card::by_ids(self.store().read(), &[id])).await?;
        let within = |c: &UserCard| reach.covers(c.organisation.as_ref().map(|o| o.id));
        cards.pop().filter(within).ok_or_else(ApiError::not_found)
    }

    /// The card a new account will have, checked; makes organisation and teams within `txn`.
    async fn prepare(&self, txn: &DatabaseTransaction, new: &NewUser) -> Result<UserCard, ApiError> {
        let card = checked(new, &directory::roles(txn).await.map_err(db)?, self.clock())?;
        let organisation = self.organisation(txn, filled(new.organisation.as_deref())).await?;
        let teams = self.teams(txn, organisation.as_ref(), &new.teams).await?;
        Ok(UserCard { organisation, teams, ..card })
    }

    /// The organisation of this id or name; one of a name that is not there is made.
    async fn organisation(&self, txn: &DatabaseTransaction, text: Option<&str>) -> Result<Option<Named>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        if let Ok(id) = UserId::parse_str(text) {
            let there = groups::name_of(txn, "organisations", id).await.map_err(db)?;
            let none = || ApiError::invalid("organisation", "There is no organisation with this id.");
            return there.map(|name| Some(Named { id, name })).ok_or_else(none);
        }
        let (clock, name) = (self.clock(), account::display_name("organisation", text)?);
        directory::organisation(txn, &name, clock.new_id(), clock.now()).await.map(Some).map_err(db)
    }

    /// The teams of these names in the organisation, each once; those that are not there are made.
    async fn teams(
        &self,
        txn: &DatabaseTransaction,
        organisation: Option<&Named>,
        names: &[String],
    ) -> Result<Vec<Named>, ApiError> {
        let (clock, mut teams) = (self.clock(), Vec::<Named>::new());
        for name in names {
            let Some(organisation) = organisation else {
                return Err(ApiError::invalid("teams", "A team belongs to an organisation: name that too."));
            };
            let name = account::display_name("teams", name)?;
            let team = directory::team(txn, organisation.id, &name, clock.new_id(), clock.now()).await.map_err(db)?;
            if !teams.contains(&team) {
                teams.push(team);
            }
        }
        Ok(teams)
    }
}

/// What can be said of a new account without writing anything: everything but organisation and teams.
fn checked(new: &NewUser, roles: &[Role], clock: &Clock) -> Result<UserCard, ApiError> {
    let username = account::username(&new.username)?;
    let name = account::display_name("name", filled(new.name.as_deref()).unwrap_or(&username))?;
    let email = filled(new.email.as_deref()).map(account::email).transpose()?;
    let wanted = filled(new.role.as_deref()).unwrap_or("member");
    let role = role_named(roles, wanted)?;
    Ok(UserCard {
        id: clock.new_id(),
        username,
        name,
        email,
        role: role.name.clone(),
        level: role.level,
        organisation: None,
        teams: vec![],
        second_factor: false,
    })
}

/// The role of this name, whatever the case.
fn role_named<'a>(roles: &'a [Role], wanted: &str) -> Result<&'a Role, ApiError> {
    let lower = wanted.trim().to_lowercase();
    roles.iter().find(|r| r.name.to_lowercase() == lower).ok_or_else(|| {
        let names: Vec<&str> = roles.iter().map(|r| r.name.as_str()).collect();
        ApiError::invalid("role", format!("There is no such role. Use one of {}.", names.join(", ")))
    })
}

/// A form sends empty text for a field nobody filled in.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|t| !t.is_empty())
}
