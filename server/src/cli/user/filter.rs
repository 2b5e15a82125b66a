//! Which people: the same for the list and for what moves them.

use clap::Args;
use domain::{people::UserFilter, time::Millis};
use services::Clock;

use crate::settings::duration;

#[derive(Debug, Args)]
#[group(id = "filter", multiple = true)]
pub(super) struct FilterArgs {
    /// Part of a name, a username or an e-mail address
    #[arg(long, short, value_name = "TEXT")]
    q: Option<String>,
    /// Of one role
    #[arg(long)]
    role: Option<String>,
    /// Of one organisation, by name or id
    #[arg(long)]
    org: Option<String>,
    /// Of one team, by name or id
    #[arg(long)]
    team: Option<String>,
    /// Only those who are disabled
    #[arg(long)]
    disabled: bool,
    /// Only those who are not
    #[arg(long, conflicts_with = "disabled")]
    enabled: bool,
    /// Only those who signed in within this time
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    signed_in_within: Option<Millis>,
    /// Only those who did not, or never
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    not_signed_in_for: Option<Millis>,
}

impl FilterArgs {
    /// Whether it says anything.
    pub(super) fn is_empty(&self) -> bool {
        let Self { q, role, org, team, disabled, enabled, signed_in_within, not_signed_in_for } = self;
        [q, role, org, team].iter().all(|text| text.is_none())
            && !(*disabled || *enabled)
            && signed_in_within.is_none()
            && not_signed_in_for.is_none()
    }

    pub(super) fn read(self, clock: &Clock) -> UserFilter {
        let ago = |d: Option<Millis>| d.map(|d| clock.now().plus(-d));
        UserFilter {
            q: self.q,
            role: self.role,
            org: self.org,
            team: self.team,
            state: None,
            disabled: (self.disabled || self.enabled).then_some(self.disabled),
            signed_in_after: ago(self.signed_in_within),
            signed_in_before: ago(self.not_signed_in_for),
        }
    }
}
