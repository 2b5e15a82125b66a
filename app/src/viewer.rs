//! Who looks at the page, and what every page needs to know: read once on the server, sent along with the page.

use domain::{Level, SessionId, Time, account::UserView, time::Millis};
use serde::{Deserialize, Serialize};

/// Everything that is the same on every page of one load. Signing in and out load a new page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Viewer {
    pub(crate) person: Option<SignedIn>,
    pub(crate) theme: Theme,
    /// The server's clock when it wrote the page; the browser takes its skew from it.
    pub(crate) now: Time,
    /// The limit of "active now" in force.
    pub(crate) active_for: Millis,
    /// How long a remembered sign-in lasts without activity; nothing when remembering is off.
    pub(crate) remember: Option<Millis>,
    /// Whether there is a server to send mails by.
    pub(crate) mails: bool,
    /// Whether the one-time link in the address still works; of no meaning on other pages.
    pub(crate) link_is_good: bool,
}

/// The signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    pub(crate) user: UserView,
    pub(crate) session: SessionId,
    pub(crate) expires_at: Time,
    pub(crate) absolute_expires_at: Time,
    /// How long the session may stay without activity.
    pub(crate) idle: Millis,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// As the system says.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    #[cfg(feature = "ssr")]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|t| t.as_str() == text)
    }

    /// The one a press of the button leads to.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

impl Viewer {
    pub(crate) fn level(&self) -> Option<Level> {
        self.person.as_ref().map(|p| p.user.level)
    }

    pub(crate) fn is_manager(&self) -> bool {
        self.level() >= Some(Level::Manager)
    }
}

#[cfg(feature = "ssr")]
impl Viewer {
    /// From the request that is being answered.
    pub(crate) fn of_request() -> Self {
        use crate::{
            request::{Current, LinkIsGood},
            rpc::ssr,
        };
        use leptos::prelude::use_context;

        let (Some(parts), Some(services)) =
            (use_context::<http::request::Parts>(), use_context::<services::Services>())
        else {
            return Self::default();
        };
        let settings = services.settings.now();
        let person = parts.extensions.get::<Current>().and_then(|c| c.0.as_ref()).map(|s| SignedIn {
            user: UserView::from(&*s.card()),
            session: s.id,
            expires_at: s.expires_at(),
            absolute_expires_at: s.absolute_expires_at(),
            idle: s.idle(),
        });
        Self {
            person,
            theme: ssr::theme(&parts),
            now: services.clock.now(),
            active_for: settings.presence.idle_after,
            remember: settings.lifetimes.remember,
            mails: services.mail.is_configured(),
            link_is_good: parts.extensions.get::<LinkIsGood>().is_some_and(|l| l.0),
        }
    }
}

/// The viewer of this page. Every component is below `App`, which provides it.
pub(crate) fn viewer() -> std::sync::Arc<Viewer> {
    leptos::prelude::expect_context()
}
