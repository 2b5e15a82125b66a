//! Which sessions: the same for the list and for what ends them.

use std::net::IpAddr;

use clap::Args;
use domain::{Actor, Time, session::SessionFilter, time::DAY, useragent::Kind};
use services::Services;
use uuid::Uuid;

use crate::cli::{failure::Failure, org, user};

#[derive(Debug, Args)]
#[group(id = "filter", multiple = true)]
pub(super) struct FilterArgs {
    /// Of one person
    #[arg(long, value_name = "USERNAME")]
    pub(super) user: Option<String>,
    /// Of people of one role
    #[arg(long)]
    role: Option<String>,
    /// Of people of one organisation, by name or id
    #[arg(long)]
    org: Option<String>,
    /// From one address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// From a desktop, phone, tablet, program or unknown
    #[arg(long, value_name = "KIND", value_parser = device)]
    device: Option<Kind>,
    /// Started on this day (UTC) or at this time, or later
    #[arg(long, value_name = "TIME", value_parser = from)]
    from: Option<Time>,
    /// Started on this day (UTC) or before it, or before this time
    #[arg(long, value_name = "TIME", value_parser = to)]
    to: Option<Time>,
    /// Part of a name, a username or an address
    #[arg(long, short, value_name = "TEXT")]
    q: Option<String>,
}

fn device(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| "use desktop, phone, tablet, program or unknown".to_owned())
}

const TIME: &str = "use a day such as 2026-03-02 or a time such as 2026-03-02T14:02:11Z";

fn from(text: &str) -> Result<Time, String> {
    Time::of_day(text).or_else(|| Time::parse(text)).ok_or_else(|| TIME.to_owned())
}

/// The whole of a day, as on the page.
fn to(text: &str) -> Result<Time, String> {
    Time::of_day(text).map(|day| day.plus(DAY)).or_else(|| Time::parse(text)).ok_or_else(|| TIME.to_owned())
}

impl FilterArgs {
    /// Whether it says anything.
    pub(super) fn is_empty(&self) -> bool {
        let Self { user, role, org, ip, device, from, to, q } = self;
        [user, role, org, q].iter().all(|text| text.is_none()) && (ip, device, from, to) == (&None, &None, &None, &None)
    }

    /// The filter. A slip in a name shall not look like success: whom it names must be there.
    pub(super) async fn read(self, services: &Services) -> Result<SessionFilter, Failure> {
        if let Some(who) = &self.user {
            let name = domain::account::username(who)?;
            let found = services.accounts.one(&Actor::Operator, name.as_str()).await;
            found.map_err(|e| user::of(who, e))?;
        }
        let role = match &self.role {
            Some(name) => Some(crate::cli::role::find(services, name).await?.name),
            None => None,
        };
        if let Some(name) = self.org.as_ref().filter(|text| Uuid::parse_str(text).is_err()) {
            org::find(services, name).await?;
        }
        Ok(SessionFilter {
            user: self.user,
            role,
            org: self.org,
            ip: self.ip.map(|ip| ip.to_string()),
            device: self.device,
            from: self.from,
            to: self.to,
            q: self.q,
            ..SessionFilter::default()
        })
    }
}
