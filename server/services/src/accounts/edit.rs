//! Changing an account, and moving people between organisations.

use domain::{
    Actor, ApiError, Level, OrganisationId, UserId,
    access::Action,
    account::{self, UserCard},
    people::{AccountRow, Moved, UserEdit, UserFilter},
    session::EndReason,
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Accounts, Who, filled, manage::last_admin, role_named};
use crate::{
    audit::{self, Entry},
    mail::letter,
    sessions::commit,
    store::{
        Sql, db, directory, ending, groups, is_taken, list, people,
        token::{self, Kind},
        user, values,
    },
};

/// At most this many ids in one bulk act; for more there are filters.
const IDS_MAX: usize = 1_000;

/// An account as it is now, and how many sessions ended by the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    pub user: AccountRow,
    pub sessions_ended: u64,
}

/// Which people a bulk act is about.
#[derive(Clone, Debug)]
pub enum WhichPeople {
    Filter(UserFilter),
    Ids(Vec<UserId>),
}

impl Accounts {
    /// Changes an account. Another role or organisation ends the person's sessions in the same transaction; anything
    /// else reaches them, and whoever watches, at once; of another e-mail address the old one is told. 409 for a username that is taken and for the last administrator.
    pub async fn edit(&self, actor: &Actor, who: impl Into<Who>, edit: UserEdit) -> Result<Edited, ApiError> {
        self.may(actor)?;
        let (id, sessions_ended) = self.apply(actor, who.into(), edit, None).await?;
        Ok(Edited { user: self.one(actor, id).await?, sessions_ended })
    }

    /// Makes a change in one transaction with what follows from it; whose it was, and how many sessions ended. 404 when
    /// it is by a link that is not this person's, used or too old.
    pub(super) async fn apply(
        &self,
        actor: &Actor,
        who: Who,
        edit: UserEdit,
        link: Option<[u8; 32]>,
    ) -> Result<(UserId, u64), ApiError> {
        let (this, by) = (self.clone(), actor.clone());
        self.sessions
            .act(async move {
                let sessions = &this.sessions;
                sessions.flush().await?;
                let txn = sessions.begin().await?;
                let old = this.find(&txn, &who).await?;
                if let Some(link) = link {
                    let owner = token::find(&txn, Kind::Email, &link, this.clock().now()).await.map_err(db)?;
                    if owner != Some(Some(old.id)) || !token::take(&txn, Kind::Email, &link).await.map_err(db)? {
                        return Err(ApiError::not_found());
                    }
                }
                let new = this.changed(&txn, &old, &edit).await?;
                if new == old {
                    return Ok((old.id, 0));
                }
                let loses = old.level == Level::Admin && new.level != Level::Admin;
                if loses && !user::other_admin(&txn, old.id).await.map_err(db)? {
                    return Err(last_admin());
                }
                user::update(&txn, &new).await.map_err(|e| if is_taken(&e) { taken() } else { db(e) })?;
                let now = this.clock().now();
                if new.email != old.email {
                    // A link that went to the old address, or waits for another, opens nothing any more.
                    for kind in [Kind::Reset, Kind::Email] {
                        token::void(&txn, kind, Some(old.id)).await.map_err(db)?;
                    }
                    let mail = &sessions.inner.mail;
                    let letter = letter::email_changed(&old, by.person().is_ok_and(|p| p.card.id == old.id), now);
                    mail.put(&txn, &old, letter).await?;
                }
                let mut ended = vec![];
                if (&new.role, &new.organisation) != (&old.role, &old.organisation) {
                    let which = Sql::new("s.user_id = ?", values![old.id]);
                    let (reason, label) = (EndReason::RoleChange, Some(by.label()));
                    ended = ending::end(&txn, which, reason, label, now).await.map_err(db)?;
                }
                let mut details = differences(&old, &new);
                details["sessions_ended"] = json!(ended.len());
                this.audit(&txn, &by, "user_edited", &old.username, Some(details)).await?;
                let whom = Sql::new("u.id = ?", values![old.id]);
                groups::changed(&txn, whom, now).await.map_err(db)?;
                commit(txn).await?;
                sessions.inner.mail.wake();
                let ended: Vec<_> = ended.into_iter().map(|id| (id, EndReason::RoleChange)).collect();
                sessions.ended(&ended).await;
                sessions.cards_changed(&[old.id]).await?;
                Ok((old.id, ended.len() as u64))
            })
            .await
    }

    /// The card an edit makes of another; makes organisation and teams within `txn`.
    async fn changed(&self, txn: &DatabaseTransaction, old: &UserCard, edit: &UserEdit) -> Result<UserCard, ApiError> {
        let mut new = old.clone();
        if let Some(username) = &edit.username {
            new.username = account::username(username)?;
        }
        if let Some(name) = &edit.name {
            new.name = account::display_name("name", name)?;
        }
        if let Some(email) = &edit.email {
            new.email = filled(email.as_deref()).map(account::email).transpose()?;
        }
        if let Some(role) = &edit.role {
            let roles = directory::roles(txn).await.map_err(db)?;
            let role = role_named(&roles, role)?;
            (new.role, new.level) = (role.name.clone(), role.level);
        }
        if let Some(organisation) = &edit.organisation {
            new.organisation = self.organisation(txn, filled(organisation.as_deref())).await?;
        }
        if let Some(teams) = &edit.teams {
            new.teams = self.teams(txn, new.organisation.as_ref(), teams).await?;
            new.teams.sort_by_key(|t| t.name.to_lowercase());
        } else if new.organisation != old.organisation {
            new.teams.clear();
        }
        Ok(new)
    }

    /// Moves people within the actor's reach to another organisation, or out of any: they leave the teams of the old
    /// one, and their sessions end. Those who are there already stay as they are. A dry run changes nothing and gives the
    /// same numbers. Acting asks for sudo mode, looking does not.
    pub async fn move_people(
        &self,
        actor: &Actor,
        which: WhichPeople,
        to: Option<OrganisationId>,
        dry_run: bool,
    ) -> Result<Moved, ApiError> {
        let reach = actor.require(Action::Directory)?;
        if !dry_run {
            actor.require_fresh(self.clock().now())?;
        }
        let mut whom = match &which {
            WhichPeople::Filter(filter) => self.condition(reach, filter).await?,
            WhichPeople::Ids(ids) if ids.len() > IDS_MAX => {
                return Err(ApiError::invalid("ids", format!("Use at most {IDS_MAX} ids, or a filter.")));
            }
            WhichPeople::Ids(ids) => {
                let backend = sea_orm::ConnectionTrait::get_database_backend(self.store().read());
                let mut whom = self.condition(reach, &UserFilter::default()).await?;
                whom.push(" AND ", vec![]).append(people::among(backend, ids)).clone()
            }
        };
        match to {
            Some(id) => whom.push(" AND (u.organisation_id IS NULL OR u.organisation_id <> ?)", values![id]),
            None => whom.push(" AND u.organisation_id IS NOT NULL", vec![]),
        };
        let details = match which {
            WhichPeople::Filter(filter) => json!({"filter": filter}),
            WhichPeople::Ids(ids) => json!({"ids": ids}),
        };
        let (this, by) = (self.clone(), actor.clone());
        self.sessions
            .act(async move {
                let sessions = &this.sessions;
                sessions.flush().await?;
                let txn = sessions.begin().await?;
                let name = match to {
                    Some(id) => Some(
                        groups::name_of(&txn, "organisations", id)
                            .await
                            .map_err(db)?
                            .ok_or_else(|| ApiError::invalid("to", "There is no organisation with this id."))?,
                    ),
                    None => None,
                };
                let ids = people::ids(&txn, whom).await.map_err(db)?;
                let (moved, ended) = this.moved(&txn, &by, &ids, to, dry_run).await?;
                if dry_run || ids.is_empty() {
                    return Ok(moved);
                }
                let mut details = details;
                details["number"] = json!(moved.people);
                details["sessions_ended"] = json!(moved.sessions_ended);
                let entry = Entry {
                    action: "people_moved",
                    subject_kind: "organisation",
                    subject: name.as_deref(),
                    details: Some(details),
                };
                audit::append(&txn, this.clock(), &by, entry).await.map_err(db)?;
                commit(txn).await?;
                sessions.ended(&ended).await;
                sessions.cards_changed(&ids).await?;
                Ok(moved)
            })
            .await
    }

    /// Moves these people within `txn`, unless it is a dry run; what becomes of them, and the sessions that ended.
    pub(crate) async fn moved(
        &self,
        txn: &DatabaseTransaction,
        by: &Actor,
        ids: &[UserId],
        to: Option<OrganisationId>,
        dry_run: bool,
    ) -> Result<(Moved, Vec<(domain::SessionId, EndReason)>), ApiError> {
        let backend = sea_orm::ConnectionTrait::get_database_backend(txn);
        let whom = people::among(backend, ids);
        let mut which = Sql::new("s.user_id IN (SELECT u.id FROM users u WHERE ", vec![]);
        which.append(whom.clone()).push(")", vec![]);
        let (now, people) = (self.clock().now(), ids.len() as u64);
        if dry_run {
            let sessions_ended = list::count_live(txn, which, now).await.map_err(db)?;
            return Ok((Moved { people, sessions_ended, teams: 0 }, vec![]));
        }
        let ended = ending::end(txn, which, EndReason::RoleChange, Some(by.label()), now).await.map_err(db)?;
        groups::move_people(txn, &whom, to).await.map_err(db)?;
        groups::changed(txn, whom, now).await.map_err(db)?;
        let ended: Vec<_> = ended.into_iter().map(|id| (id, EndReason::RoleChange)).collect();
        Ok((Moved { people, sessions_ended: ended.len() as u64, teams: 0 }, ended))
    }
}

/// 409 beside the field.
pub(super) fn taken() -> ApiError {
    let mut taken = ApiError::new(domain::ErrorCode::Conflict, "Somebody has this username. Choose another.");
    taken.fields.insert("username".to_owned(), taken.message.clone());
    taken
}

/// What the audit log says of an edit: of names and addresses only that they changed.
fn differences(old: &UserCard, new: &UserCard) -> Value {
    let mut changed = vec![];
    let mut details = json!({});
    if old.username != new.username {
        changed.push("username");
        details["username"] = json!(new.username);
    }
    if old.name != new.name {
        changed.push("name");
    }
    if old.email != new.email {
        changed.push("email");
    }
    if old.role != new.role {
        changed.push("role");
        details["role"] = json!([old.role, new.role]);
    }
    if old.organisation != new.organisation {
        changed.push("organisation");
        let name = |c: &UserCard| c.organisation.as_ref().map(|o| o.name.clone());
        details["organisation"] = json!([name(old), name(new)]);
    }
    if old.teams != new.teams {
        changed.push("teams");
    }
    details["changed"] = json!(changed);
    details
}
