//! Reading what is remembered of presence.

use domain::{
    Actor, ApiError, Time, UserId,
    access::Action,
    presence::history::{PresenceAt, PresenceDay},
};

use super::Presence;

impl Presence {
    /// Who was here at `time`, within the actor's reach: `limit` (1 to 1,000) of them from `offset`, in the order of
    /// usernames. 422 for a time in the future; nobody before the retention of events.
    pub async fn at(&self, actor: &Actor, time: Time, limit: u32, offset: u32) -> Result<PresenceAt, ApiError> {
        actor.require(Action::Watch)?;
        let _ = (time, limit, offset);
        Err(ApiError::unavailable())
    }

    /// What a person was on `day`, `2026-03-02` in UTC. 404 for whoever is not within reach, 422 for what is no day or
    /// lies in the future.
    pub async fn day(&self, actor: &Actor, id: UserId, day: &str) -> Result<PresenceDay, ApiError> {
        actor.require(Action::Watch)?;
        let _ = (id, day);
        Err(ApiError::unavailable())
    }
}
