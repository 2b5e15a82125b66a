//! Who may watch which Phoenix topic, and as what.

use domain::{
    Actor, ApiError, OrganisationId, Reach, TeamId,
    access::Action,
    presence::topic::{Audience, Eyes, Scope, Topic},
};

use crate::store::{Store, directory};

/// What `actor` is to those the topic carries. The refusal is the same for what is not there.
///
/// Clients of the Supabase dialect can name no topic but `realtime:…`. So that members are not shut out with them, the
/// one of their own organisation gives them what `people:org:ID` does.
pub(super) async fn of(actor: &Actor, topic: Topic, store: Option<&Store>) -> Result<Audience, ApiError> {
    let own = actor.person()?.card.organisation.as_ref().map(|o| o.id);
    let reach = actor.reach(Action::Watch);
    let console = |may: bool| may.then_some(Eyes::Console(reach));
    let colleague = |organisation| (own == Some(organisation)).then_some(Eyes::Colleague);
    let eyes = match topic.scope {
        Scope::Everybody => console(reach == Reach::Everything),
        Scope::Organisation(id) => console(reach.covers(Some(id))).or(colleague(id).filter(|_| topic.realtime)),
        Scope::Team(_) if reach == Reach::Nothing || reach == Reach::Everything => console(reach == Reach::Everything),
        Scope::Team(id) => console(reach.covers(organisation_of(id, store).await?)),
        Scope::People(id) => colleague(id),
    };
    eyes.map(|eyes| Audience { topic, eyes }).ok_or_else(ApiError::forbidden)
}

async fn organisation_of(team: TeamId, store: Option<&Store>) -> Result<Option<OrganisationId>, ApiError> {
    let Some(store) = store else { return Ok(None) };
    store.within(directory::organisation_of(store.read(), team)).await
}
