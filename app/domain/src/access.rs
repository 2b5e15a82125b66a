//! Who asks, and how far they may reach: the one table of permissions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ApiError, OrganisationId, SessionId, Time, UserId, account::UserCard};

/// The level of a role; each includes the ones before it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Member,
    Manager,
    Admin,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Member, Self::Manager, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.as_str() == text)
    }
}

/// Who asks. Every method of the services takes one, and permission is decided from it alone.
#[derive(Clone, Debug)]
pub enum Actor {
    /// No live session with the request.
    Anonymous,
    /// A person with a live session.
    Person(Arc<Person>),
    /// Whoever has a shell on the machine: the command line. Everything, recorded as `operator`.
    Operator,
}

/// A signed-in person, as of this request.
#[derive(Clone, Debug)]
pub struct Person {
    pub card: Arc<UserCard>,
    pub session: SessionId,
    /// Until then sensitive acts need no password (sudo mode).
    pub fresh_until: Time,
    /// The address this request came from.
    pub ip: Arc<str>,
}

/// Things one may be allowed to do to people and sessions that are not one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See who is online, with pages, devices and addresses, and why.
    Watch,
    /// List and end sessions.
    Sessions,
    /// Run the clean-up.
    CleanUp,
    /// Create, change, disable, enable and delete accounts, and reset their passwords.
    Accounts,
    /// List and see accounts, organisations, teams and roles.
    People,
    /// Create, rename and delete organisations, teams and roles, and move people.
    Directory,
    /// Read, export and verify the audit log.
    Audit,
    /// Read and change settings.
    Settings,
    /// See and steer the outbox of mails.
    Mail,
    /// See what people did, and take it out.
    Activity,
    /// See and fetch what people sent and what was made for them.
    Files,
    /// See what the server is asked for and how quickly it answers, which is of the whole server and names nobody; and by
    /// whom, as far as one reaches.
    Traffic,
}

impl Action {
    pub const ALL: [Self; 12] = [
        Self::Watch,
        Self::Sessions,
        Self::CleanUp,
        Self::Accounts,
        Self::People,
        Self::Directory,
        Self::Audit,
        Self::Settings,
        Self::Mail,
        Self::Activity,
        Self::Files,
        Self::Traffic,
    ];

    /// What a person's page says of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Watch => "See who is online, on which page and device, and why",
            Self::Sessions => "List and end sessions",
            Self::CleanUp => "Run the clean-up",
            Self::Accounts => "Create, change, disable and delete accounts",
            Self::People => "List people, organisations, teams and roles",
            Self::Directory => "Change organisations, teams and roles, and move people",
            Self::Audit => "Read, export and verify the audit log",
            Self::Settings => "Read and change settings",
            Self::Mail => "See the outbox of mails, and send or drop what is stuck",
            Self::Activity => "See what people did, and take it out",
            Self::Files => "See and fetch uploads and outputs, and watch uploads as they come",
            Self::Traffic => "See what the server is asked for, and how quickly it answers",
        }
    }
}

/// How far an action reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    Nothing,
    Organisation(OrganisationId),
    Everything,
}

impl Reach {
    /// Whether somebody of `organisation` is within reach.
    pub fn covers(self, organisation: Option<OrganisationId>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Organisation(id) => organisation == Some(id),
            Self::Everything => true,
        }
    }
}

/// The table: what somebody of this level in this organisation may do, and to whom.
pub fn reach(level: Level, organisation: Option<OrganisationId>, action: Action) -> Reach {
    match (level, action) {
        (Level::Admin, _) => Reach::Everything,
        (
            Level::Manager,
            Action::Watch | Action::Sessions | Action::People | Action::Activity | Action::Files | Action::Traffic,
        ) => organisation.map_or(Reach::Nothing, Reach::Organisation),
        (
            Level::Manager,
            Action::CleanUp | Action::Accounts | Action::Directory | Action::Audit | Action::Settings | Action::Mail,
        )
        | (Level::Member, _) => Reach::Nothing,
    }
}

impl Actor {
    /// The signed-in person, or 401.
    pub fn person(&self) -> Result<&Arc<Person>, ApiError> {
        match self {
            Self::Person(p) => Ok(p),
            Self::Anonymous | Self::Operator => Err(ApiError::unauthenticated()),
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        self.person().ok().map(|p| p.card.id)
    }

    /// What the audit log calls them.
    pub fn label(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Person(p) => &p.card.username,
            Self::Operator => "operator",
        }
    }

    /// From where; nothing of the command line, and nothing where it is not known.
    pub fn ip(&self) -> Option<&str> {
        self.person().ok().map(|p| &*p.ip).filter(|ip| !ip.is_empty())
    }

    /// Who may do what, and to whom.
    pub fn reach(&self, action: Action) -> Reach {
        match self {
            Self::Anonymous => Reach::Nothing,
            Self::Person(p) => reach(p.card.level, p.card.organisation.as_ref().map(|o| o.id), action),
            Self::Operator => Reach::Everything,
        }
    }

    /// The reach of `action`; 401 for nobody, 403 for somebody who may not do it at all.
    pub fn require(&self, action: Action) -> Result<Reach, ApiError> {
        match (self, self.reach(action)) {
            (Self::Anonymous, _) => Err(ApiError::unauthenticated()),
            (_, Reach::Nothing) => Err(ApiError::forbidden()),
            (_, reach) => Ok(reach),
        }
    }

    /// Sudo mode (ASVS 7.5.1): no exemption for admins; the operator proved themselves to the machine.
    pub fn require_fresh(&self, now: Time) -> Result<(), ApiError> {
        match self {
            Self::Operator => Ok(()),
            Self::Person(p) if now < p.fresh_until => Ok(()),
            Self::Person(_) => Err(ApiError::reauth_required()),
            Self::Anonymous => Err(ApiError::unauthenticated()),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::account::Named;

    fn person(level: Level, organisation: Option<u128>) -> Actor {
        let organisation = organisation.map(|id| Named { id: Uuid::from_u128(id), name: "org".into() });
        let card = UserCard {
            id: Uuid::from_u128(9),
            username: "u".into(),
            name: "U".into(),
            email: None,
            role: level.as_str().into(),
            level,
            organisation,
            teams: vec![],
            second_factor: false,
        };
        let (session, fresh_until) = (Uuid::from_u128(8), Time(100));
        Actor::Person(Arc::new(Person { card: Arc::new(card), session, fresh_until, ip: "192.0.2.1".into() }))
    }

    #[test]
    fn the_whole_matrix() {
        let (one, two) = (Reach::Organisation(Uuid::from_u128(1)), Reach::Organisation(Uuid::from_u128(2)));
        let (all, none) = (Reach::Everything, Reach::Nothing);
        // Watch, Sessions, CleanUp, Accounts, People, Directory, Audit, Settings, Mail, Activity, Files, Traffic
        let rows = [
            (Actor::Anonymous, [none; 12]),
            (person(Level::Member, Some(1)), [none; 12]),
            (person(Level::Manager, None), [none; 12]),
            (person(Level::Manager, Some(1)), [one, one, none, none, one, none, none, none, none, one, one, one]),
            (person(Level::Manager, Some(2)), [two, two, none, none, two, none, none, none, none, two, two, two]),
            (person(Level::Admin, None), [all; 12]),
            (person(Level::Admin, Some(1)), [all; 12]),
            (Actor::Operator, [all; 12]),
        ];
        for (actor, expected) in rows {
            assert_eq!(Action::ALL.map(|a| actor.reach(a)), expected, "{actor:?}");
        }
    }

    #[test]
    fn sudo_ends_on_time_for_everybody() {
        for level in Level::ALL {
            assert!(person(level, None).require_fresh(Time(99)).is_ok());
            assert!(person(level, None).require_fresh(Time(100)).is_err());
        }
    }
}
