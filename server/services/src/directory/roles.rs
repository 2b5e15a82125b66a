//! Roles: a name with a level. Those that are built in keep both.

use domain::{
    Actor, ApiError, ErrorCode, Level,
    access::Action,
    account::display_name,
    people::{MoveTo, Moved, RoleView},
    session::EndReason,
};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use uuid::Uuid;

use super::{Aftermath, Directory, named, occupied};
use crate::{
    accounts::last_admin,
    sessions::Sessions,
    store::{Sql, db, ending, groups, list, user, values},
};

const KIND: &str = "role";
const TAKEN: &str = "a role";

impl Directory {
    /// All roles, the most powerful first, with their people within the actor's reach.
    pub async fn roles(&self, actor: &Actor) -> Result<Vec<RoleView>, ApiError> {
        let reach = actor.require(Action::People)?;
        self.store().within(groups::roles(self.store().read(), reach)).await
    }

    pub async fn role(&self, actor: &Actor, id: Uuid) -> Result<RoleView, ApiError> {
        self.roles(actor).await?.into_iter().find(|r| r.id == id).ok_or_else(ApiError::not_found)
    }

    /// 409 for a name that is taken, whatever the case.
    pub async fn add_role(&self, actor: &Actor, name: &str, level: Level) -> Result<RoleView, ApiError> {
        self.may(actor)?;
        let (name, id) = (display_name("name", name)?, self.clock().new_id());
        let (this, by) = (self.clone(), actor.clone());
        self.sessions()
            .act(async move {
                let txn = this.sessions().begin().await?;
                free(&this.all(&txn).await?, &name, None)?;
                groups::add_role(&txn, id, &name, level).await.map_err(named(TAKEN))?;
                let details = Some(json!({"level": level}));
                this.audit(&txn, &by, "role_added", KIND, &name, details).await?;
                this.finish(txn, Aftermath::default()).await?;
                this.tell_roles().await
            })
            .await?;
        self.role(actor, id).await
    }

    /// Renames a role, or gives it another level, which ends the sessions of its people: their rights are those of the
    /// sign-in. 409 for a built-in role, a name that is taken, a new name while a setting has the old one, and when no
    /// administrator would be left.
    pub async fn edit_role(
        &self,
        actor: &Actor,
        id: Uuid,
        name: Option<&str>,
        level: Option<Level>,
    ) -> Result<(RoleView, Moved), ApiError> {
        self.may(actor)?;
        let name = name.map(|n| display_name("name", n)).transpose()?;
        let (this, by) = (self.clone(), actor.clone());
        let moved = self
            .sessions()
            .act(async move {
                let sessions = this.sessions();
                sessions.flush().await?;
                let txn = sessions.begin().await?;
                let all = this.all(&txn).await?;
                let old = all.iter().find(|r| r.id == id).ok_or_else(ApiError::not_found)?;
                let name = name.unwrap_or_else(|| old.name.clone());
                let level = level.unwrap_or(old.level);
                if (&name, level) == (&old.name, old.level) {
                    return Ok(Moved::default());
                }
                if old.built_in {
                    return Err(built_in());
                }
                free(&all, &name, Some(id))?;
                if name != old.name {
                    unnamed(sessions, &old.name)?;
                }
                let had_admin = user::any_admin(&txn).await.map_err(db)?;
                let mut moved = Moved { people: old.people, ..Moved::default() };
                let mut aftermath = Aftermath::default();
                if name == old.name {
                    groups::set_level(&txn, id, level).await.map_err(db)?;
                } else {
                    groups::rename_role(&txn, old, &name, level).await.map_err(named(TAKEN))?;
                }
                if had_admin && !user::any_admin(&txn).await.map_err(db)? {
                    return Err(last_admin());
                }
                if level != old.level {
                    aftermath.ended = this.end(&txn, &by, &name).await?;
                    moved.sessions_ended = aftermath.ended.len() as u64;
                }
                aftermath.changed = this.cards(&txn, Sql::new("u.role = ?", values![name.as_str()])).await?;
                let details =
                    json!({"name": name, "level": [old.level, level], "sessions_ended": moved.sessions_ended});
                this.audit(&txn, &by, "role_edited", KIND, &old.name, Some(details)).await?;
                this.finish(txn, aftermath).await?;
                this.tell_roles().await?;
                Ok(moved)
            })
            .await?;
        Ok((self.role(actor, id).await?, moved))
    }

    /// Deletes a role. 409 for a built-in one, while a setting names it, and while people have it, unless it is said which they shall have: their
    /// sessions end. A dry run changes nothing and gives the same numbers; it asks for no sudo mode.
    pub async fn delete_role(
        &self,
        actor: &Actor,
        id: Uuid,
        move_to: Option<MoveTo>,
        dry_run: bool,
    ) -> Result<Moved, ApiError> {
        actor.require(Action::Directory)?;
        if !dry_run {
            self.may(actor)?;
        }
        let (this, by) = (self.clone(), actor.clone());
        self.sessions()
            .act(async move {
                let sessions = this.sessions();
                sessions.flush().await?;
                let txn = sessions.begin().await?;
                let all = this.all(&txn).await?;
                let old = all.iter().find(|r| r.id == id).ok_or_else(ApiError::not_found)?;
                if old.built_in {
                    return Err(built_in());
                }
                unnamed(sessions, &old.name)?;
                let to = match move_to {
                    Some(MoveTo::To(to)) => {
                        let other = all.iter().find(|r| r.id == to && r.id != id);
                        Some(
                            other
                                .ok_or_else(|| ApiError::invalid("move_to", "There is no other role with this id."))?,
                        )
                    }
                    Some(MoveTo::Nowhere) => {
                        return Err(ApiError::invalid("move_to", "Everybody has a role: say which."));
                    }
                    None => None,
                };
                let mut moved = Moved { people: old.people, ..Moved::default() };
                if dry_run {
                    let live = list::count_live(&txn, of_role(&old.name), this.clock().now()).await.map_err(db)?;
                    return Ok(Moved { sessions_ended: live, ..moved });
                }
                let mut aftermath = Aftermath::default();
                match to {
                    None if old.people > 0 => return Err(occupied(old.people)),
                    None => {}
                    Some(to) => {
                        let had_admin = user::any_admin(&txn).await.map_err(db)?;
                        aftermath.ended = this.end(&txn, &by, &old.name).await?;
                        moved.sessions_ended = aftermath.ended.len() as u64;
                        let whom = Sql::new("u.role = ?", values![old.name.as_str()]);
                        aftermath.changed = this.cards(&txn, whom).await?;
                        groups::change_role(&txn, &old.name, &to.name).await.map_err(db)?;
                        if had_admin && !user::any_admin(&txn).await.map_err(db)? {
                            return Err(last_admin());
                        }
                    }
                }
                groups::delete(&txn, "roles", id).await.map_err(db)?;
                let details = json!({"moved": moved, "to": to.map(|r| &r.name)});
                this.audit(&txn, &by, "role_deleted", KIND, &old.name, Some(details)).await?;
                this.finish(txn, aftermath).await?;
                this.tell_roles().await?;
                Ok(moved)
            })
            .await
    }

    async fn all(&self, txn: &DatabaseTransaction) -> Result<Vec<RoleView>, ApiError> {
        groups::roles(txn, domain::Reach::Everything).await.map_err(db)
    }

    async fn end(
        &self,
        txn: &DatabaseTransaction,
        by: &Actor,
        role: &str,
    ) -> Result<Vec<(domain::SessionId, EndReason)>, ApiError> {
        let reason = EndReason::RoleChange;
        let ended = ending::end(txn, of_role(role), reason, Some(by.label()), self.clock().now()).await.map_err(db)?;
        Ok(ended.into_iter().map(|id| (id, reason)).collect())
    }

    /// Watchers count by every role there is, zeros too.
    async fn tell_roles(&self) -> Result<(), ApiError> {
        let roles = self.accounts.roles().await?.into_iter().map(|r| r.name).collect();
        self.sessions().inner.presence.roles_changed(roles);
        Ok(())
    }
}

/// The sessions of a role's people, as a condition on `sessions s`.
fn of_role(name: &str) -> Sql {
    Sql::new("s.user_id IN (SELECT id FROM users WHERE role = ?)", values![name])
}

/// 409 when another role has this name, whatever the case.
fn free(all: &[RoleView], name: &str, own: Option<Uuid>) -> Result<(), ApiError> {
    let lower = name.to_lowercase();
    if !all.iter().any(|r| Some(r.id) != own && r.name.to_lowercase() == lower) {
        return Ok(());
    }
    let mut taken = ApiError::new(ErrorCode::Conflict, "There is a role of this name. Choose another.");
    taken.fields.insert("name".to_owned(), taken.message.clone());
    Err(taken)
}

/// 409 while a setting names the role: its limits would be gone without a word.
fn unnamed(sessions: &Sessions, role: &str) -> Result<(), ApiError> {
    if !sessions.inner.settings.now().names_role(role) {
        return Ok(());
    }
    let message = "A setting names this role. Take it out of the settings first.";
    Err(ApiError::new(ErrorCode::Conflict, message))
}

fn built_in() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "This role is built in: it keeps its name and level, and stays.")
}
