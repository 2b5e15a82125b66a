//! Organisations.

use domain::{
    Actor, ApiError, OrganisationId,
    access::Action,
    account::display_name,
    people::{MoveTo, Moved, OrganisationView},
};
use serde_json::json;

use super::{Aftermath, Directory, LIMIT_MAX, after, cut, named, occupied};
use crate::{
    sessions::{Page, commit},
    store::{Sql, db, groups, people, reports, values},
};

const TABLE: &str = "organisations";
const KIND: &str = "organisation";
const TAKEN: &str = "an organisation";

impl Directory {
    /// Organisations within the actor's reach, by name; `q` is part of a name.
    pub async fn organisations(
        &self,
        actor: &Actor,
        q: Option<&str>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<OrganisationView>, ApiError> {
        let reach = actor.require(Action::People)?;
        let (limit, from, store) = (limit.clamp(1, LIMIT_MAX), after(cursor)?, self.store());
        let condition = groups::organisations(reach, q.filter(|q| !q.trim().is_empty()));
        let total = match &from {
            None => Some(store.within(groups::count(store.read(), "organisations o", condition.clone())).await?),
            Some(_) => None,
        };
        let mut items = store.within(groups::organisation_page(store.read(), condition, from, limit + 1)).await?;
        let next = cut(&mut items, limit, |o| (&o.name, o.id));
        Ok(Page { items, next, total })
    }

    /// One of them; 404 for one that is not within reach.
    pub async fn organisation(&self, actor: &Actor, id: OrganisationId) -> Result<OrganisationView, ApiError> {
        let reach = actor.require(Action::People)?;
        let mut condition = groups::organisations(reach, None);
        condition.push(" AND o.id = ?", values![id]);
        let store = self.store();
        let mut found = store.within(groups::organisation_page(store.read(), condition, None, 1)).await?;
        found.pop().ok_or_else(ApiError::not_found)
    }

    /// 409 for a name that is taken, whatever the case.
    pub async fn add_organisation(&self, actor: &Actor, name: &str) -> Result<OrganisationView, ApiError> {
        self.may(actor)?;
        let (name, id) = (display_name("name", name)?, self.clock().new_id());
        let txn = self.sessions().begin().await?;
        groups::add_organisation(&txn, id, &name, self.clock().now()).await.map_err(named(TAKEN))?;
        self.audit(&txn, actor, "organisation_added", KIND, &name, None).await?;
        commit(txn).await?;
        self.organisation(actor, id).await
    }

    /// 409 for a name that is taken. Its people's sessions go on under the new name.
    pub async fn rename_organisation(
        &self,
        actor: &Actor,
        id: OrganisationId,
        name: &str,
    ) -> Result<OrganisationView, ApiError> {
        self.may(actor)?;
        let name = display_name("name", name)?;
        let (this, by) = (self.clone(), actor.clone());
        self.sessions()
            .act(async move {
                let txn = this.sessions().begin().await?;
                let old = groups::name_of(&txn, TABLE, id).await.map_err(db)?.ok_or_else(ApiError::not_found)?;
                groups::rename(&txn, TABLE, id, &name).await.map_err(named(TAKEN))?;
                let details = Some(json!({"name": name}));
                this.audit(&txn, &by, "organisation_renamed", KIND, &old, details).await?;
                let changed = this.cards(&txn, Sql::new("u.organisation_id = ?", values![id])).await?;
                this.finish(txn, Aftermath { changed, ..Aftermath::default() }).await
            })
            .await?;
        self.organisation(actor, id).await
    }

    /// Deletes an organisation with its teams. 409 while people are in it, unless it is said where they go: their
    /// sessions end. A dry run changes nothing and gives the same numbers; it asks for no sudo mode.
    pub async fn delete_organisation(
        &self,
        actor: &Actor,
        id: OrganisationId,
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
                this.sessions().flush().await?;
                let txn = this.sessions().begin().await?;
                let name = groups::name_of(&txn, TABLE, id).await.map_err(db)?.ok_or_else(ApiError::not_found)?;
                let to = match move_to {
                    Some(MoveTo::To(to)) => {
                        let there = to != id && groups::name_of(&txn, TABLE, to).await.map_err(db)?.is_some();
                        let none = || ApiError::invalid("move_to", "There is no other organisation with this id.");
                        Some(there.then_some(to).ok_or_else(none)?)
                    }
                    Some(MoveTo::Nowhere) | None => None,
                };
                let ids = people::ids(&txn, Sql::new("u.organisation_id = ?", values![id])).await.map_err(db)?;
                if !ids.is_empty() && move_to.is_none() && !dry_run {
                    return Err(occupied(ids.len() as u64));
                }
                let (mut moved, ended) = this.accounts.moved(&txn, &by, &ids, to, dry_run).await?;
                moved.teams =
                    groups::count(&txn, "teams t", Sql::new("t.organisation_id = ?", values![id])).await.map_err(db)?;
                if dry_run {
                    return Ok(moved);
                }
                // They say of whom they are only as long as it is there.
                reports::delete_outputs_of(&txn, id).await.map_err(db)?;
                groups::delete(&txn, TABLE, id).await.map_err(db)?;
                let details = Some(json!({"moved": moved, "to": to}));
                this.audit(&txn, &by, "organisation_deleted", KIND, &name, details).await?;
                this.finish(txn, Aftermath { changed: ids, ended }).await?;
                Ok(moved)
            })
            .await
    }
}
