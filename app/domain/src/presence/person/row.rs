//! What watchers see of a person.

use super::{Person, device::Presence};
use crate::presence::{Choice, DeviceRow, PersonRow, State};

impl Person {
    /// Nothing while offline.
    pub(super) fn build_row(&self) -> Option<PersonRow> {
        if self.state == State::Offline {
            return None;
        }
        let mut devices: Vec<DeviceRow> = self.sessions.iter().flat_map(Presence::rows).collect();
        devices.shrink_to_fit();
        devices.sort_by_key(|d| (d.online_at, d.connection));
        let newest = devices.iter().max_by_key(|d| d.last_input_at)?;
        let (page, ip, last_activity_at) = (newest.page.clone(), newest.ip.clone(), newest.last_input_at);
        let session = self.sessions.iter().find(|s| s.id == newest.session_id)?;
        let place = session.place.as_ref().map(ToString::to_string);
        let card = &self.card;
        Some(PersonRow {
            id: card.id,
            username: card.username.clone(),
            name: card.name.clone(),
            email: card.email.clone(),
            role: card.role.clone(),
            organisation: card.organisation.as_ref().map(|o| o.name.clone()),
            organisation_id: card.organisation.as_ref().map(|o| o.id),
            teams: card.teams.iter().map(|t| t.name.clone()).collect(),
            team_ids: card.teams.iter().map(|t| t.id).collect(),
            state: self.state,
            cause: self.cause,
            since: self.since,
            active: self.active,
            invisible: self.chosen.choice == Choice::Invisible,
            private: self.private,
            message: self.chosen.message.clone(),
            session_started_at: devices.iter().map(|d| d.signed_in_at).min()?,
            session_seconds: 0,
            last_activity_at,
            page,
            ip,
            place,
            devices,
            recent_uploads: self.uploads.to_vec(),
        })
    }
}
