//! Teams: each of one organisation. Being in one opens nothing, so sessions go on when that changes.

use domain::{
    Actor, ApiError, OrganisationId, TeamId,
    access::Action,
    account::display_name,
    people::{MoveTo, Moved, TeamView},
};
use serde_json::json;

use super::{Aftermath, Directory, LIMIT_MAX, after, cut, named, occupied};
use crate::{
    sessions::{Page, commit},
    store::{Sql, db, directory, groups, people, values},
};

const TABLE: &str = "teams";
const KIND: &str = "team";
const TAKEN: &str = "a team in this organisation";

impl Directory {
    /// Teams within the actor's reach, of one organisation or of all, by name.
    pub async fn teams(
        &self,
        actor: &Actor,
        organisation: Option<OrganisationId>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<TeamView>, ApiError> {
        let reach = actor.require(Action::People)?;
        let (limit, from, store) = (limit.clamp(1, LIMIT_MAX), after(cursor)?, self.store());
        let condition = groups::teams(reach, organisation);
        let total = match &from {
            None => Some(store.within(groups::count(store.read(), "teams t", condition.clone())).await?),
            Some(_) => None,
        };
        let mut items = store.within(groups::team_page(store.read(), condition, from, limit + 1)).await?;
        let next = cut(&mut items, limit, |t| (&t.name, t.id));
        Ok(Page { items, next, total })
    }

    /// One of them; 404 for one that is not within reach.
    pub async fn team(&self, actor: &Actor, id: TeamId) -> Result<TeamView, ApiError> {
        let reach = actor.require(Action::People)?;
        let mut condition = groups::teams(reach, None);
        condition.push(" AND t.id = ?", values![id]);
        let store = self.store();
        let mut found = store.within(groups::team_page(store.read(), condition, None, 1)).await?;
        found.pop().ok_or_else(ApiError::not_found)
    }

    /// 409 for a name that is taken in the organisation, whatever the case.
    pub async fn add_team(
        &self,
        actor: &Actor,
        organisation: OrganisationId,
        name: &str,
    ) -> Result<TeamView, ApiError> {
        self.may(actor)?;
        let (name, id) = (display_name("name", name)?, self.clock().new_id());
        let txn = self.sessions().begin().await?;
        let of = groups::name_of(&txn, "organisations", organisation).await.map_err(db)?;
        let of = of.ok_or_else(|| ApiError::invalid("organisation_id", "There is no organisation with this id."))?;
        groups::add_team(&txn, id, organisation, &name, self.clock().now()).await.map_err(named(TAKEN))?;
        self.audit(&txn, actor, "team_added", KIND, &name, Some(json!({"organisation": of}))).await?;
        commit(txn).await?;
        self.team(actor, id).await
    }

    /// 409 for a name that is taken in the organisation.
    pub async fn rename_team(&self, actor: &Actor, id: TeamId, name: &str) -> Result<TeamView, ApiError> {
        self.may(actor)?;
        let name = display_name("name", name)?;
        let (this, by) = (self.clone(), actor.clone());
        self.sessions()
            .act(async move {
                let txn = this.sessions().begin().await?;
                let old = groups::name_of(&txn, TABLE, id).await.map_err(db)?.ok_or_else(ApiError::not_found)?;
                groups::rename(&txn, TABLE, id, &name).await.map_err(named(TAKEN))?;
                this.audit(&txn, &by, "team_renamed", KIND, &old, Some(json!({"name": name}))).await?;
                let changed = this.cards(&txn, members(id)).await?;
                this.finish(txn, Aftermath { changed, ..Aftermath::default() }).await
            })
            .await?;
        self.team(actor, id).await
    }

    /// Deletes a team. 409 while people are in it, unless it is said which team of the same organisation, or none, they
    /// shall be in. A dry run changes nothing and gives the same numbers; it asks for no sudo mode.
    pub async fn delete_team(
        &self,
        actor: &Actor,
        id: TeamId,
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
                let txn = this.sessions().begin().await?;
                let name = groups::name_of(&txn, TABLE, id).await.map_err(db)?.ok_or_else(ApiError::not_found)?;
                if let Some(MoveTo::To(to)) = move_to {
                    let of = directory::organisation_of(&txn, id).await.map_err(db)?;
                    if to == id || directory::organisation_of(&txn, to).await.map_err(db)? != of {
                        let message = "There is no other team with this id in the same organisation.";
                        return Err(ApiError::invalid("move_to", message));
                    }
                }
                let number = people::count(&txn, members(id)).await.map_err(db)?;
                let moved = Moved { people: number, ..Moved::default() };
                if dry_run {
                    return Ok(moved);
                }
                if number > 0 && move_to.is_none() {
                    return Err(occupied(number));
                }
                let changed = this.cards(&txn, members(id)).await?;
                let to = match move_to {
                    Some(MoveTo::To(to)) => {
                        groups::change_team(&txn, id, to).await.map_err(db)?;
                        Some(to)
                    }
                    Some(MoveTo::Nowhere) | None => None,
                };
                groups::delete(&txn, TABLE, id).await.map_err(db)?;
                let details = Some(json!({"people": number, "to": to}));
                this.audit(&txn, &by, "team_deleted", KIND, &name, details).await?;
                this.finish(txn, Aftermath { changed, ..Aftermath::default() }).await?;
                Ok(moved)
            })
            .await
    }
}

/// Who is in a team, as a condition on `users u`.
fn members(id: TeamId) -> Sql {
    Sql::new("u.id IN (SELECT user_id FROM team_members WHERE team_id = ?)", values![id])
}
