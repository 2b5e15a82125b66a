//! How well this tab is connected, said the same way everywhere: on `<html data-live>`, in the indicator, in a banner.

use std::time::Duration;

use domain::{Time, presence::State, session::EndReason};
use leptos::prelude::*;

use crate::clock::{Clock, clock};

/// What the reader is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Live {
    /// Not connected yet, and not for long.
    #[default]
    Starting,
    Connected,
    /// Two seconds without a socket.
    Reconnecting,
    /// Ten seconds without a socket.
    Stale,
    /// The browser says there is no network.
    Offline,
    /// The server said that it restarts.
    Restarting,
    /// The session is over.
    Ended,
}

impl Live {
    /// `data-live` of the contract.
    fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Starting => None,
            Self::Connected => Some("live"),
            Self::Reconnecting | Self::Restarting => Some("reconnecting"),
            Self::Stale => Some("stale"),
            Self::Offline | Self::Ended => Some("offline"),
        }
    }
}

const RECONNECTING_AFTER: Duration = Duration::from_secs(2);
const STALE_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(crate) struct Status {
    pub(crate) live: RwSignal<Live>,
    /// When the last frame came.
    pub(crate) data_at: RwSignal<Option<Time>>,
    /// When the session ends unless something happens.
    pub(crate) expires_at: RwSignal<Option<Time>>,
    /// What the server says this person is, after each report of this tab.
    pub(crate) own: RwSignal<Option<State>>,
    /// Why the session ended, as far as the server said.
    pub(crate) reason: RwSignal<Option<EndReason>>,
    /// Set while the reader signs out: the end is no news then.
    pub(crate) leaving: StoredValue<bool>,
    clock: StoredValue<Option<Clock>>,
    /// Counts losses, so that a timer of an old one changes nothing.
    loss: StoredValue<u32>,
}

impl Status {
    pub(crate) fn new(expires_at: Option<Time>) -> Self {
        let status = Self {
            live: RwSignal::new(Live::Starting),
            // Until a frame comes, what is shown is what the page came with.
            data_at: RwSignal::new(use_context::<std::sync::Arc<crate::viewer::Viewer>>().map(|v| v.now)),
            expires_at: RwSignal::new(expires_at),
            own: RwSignal::new(None),
            reason: RwSignal::new(None),
            leaving: StoredValue::new(false),
            clock: StoredValue::new(use_context()),
            loss: StoredValue::new(0),
        };
        Effect::new(move |_| {
            let attribute = status.live.get().attribute();
            if let Some(root) = document().document_element() {
                let _ = match attribute {
                    Some(value) => root.set_attribute("data-live", value),
                    None => root.remove_attribute("data-live"),
                };
            }
        });
        status
    }

    /// Takes in what the socket tells of itself, and the browser of the network.
    pub(crate) fn link(self, event: &str) {
        let live = self.live.get_untracked();
        match event {
            _ if live == Live::Ended => {}
            "open" => self.well(),
            "heard" => {
                self.data_at.set(Some(self.clock.get_value().unwrap_or_else(clock).read()));
                // A network that went and came back need not have cost the connection.
                if live != Live::Offline {
                    self.well();
                }
            }
            "over" => {
                self.loss.update_value(|n| *n += 1);
                if !self.leaving.get_value() {
                    self.live.set(Live::Ended);
                }
            }
            "restarting" => {
                self.lost();
                self.live.set(Live::Restarting);
            }
            "lost" => self.lost(),
            "offline" => self.live.set(Live::Offline),
            "online" if live == Live::Offline => {
                self.live.set(Live::Reconnecting);
                self.lost();
            }
            // An attempt that fails is no new loss: the clock runs since the connection broke.
            _ => {}
        }
    }

    fn well(self) {
        self.loss.update_value(|n| *n += 1);
        if self.live.get_untracked() != Live::Connected {
            self.live.set(Live::Connected);
        }
    }

    /// Starts to count: what is said gets worse with time, unless the socket is back by then.
    pub(crate) fn lost(self) {
        let loss = self.loss.get_value() + 1;
        self.loss.set_value(loss);
        let still = move || self.loss.try_get_value() == Some(loss);
        let _ = set_timeout_with_handle(
            move || {
                if still() && matches!(self.live.get_untracked(), Live::Connected | Live::Starting) {
                    self.live.set(Live::Reconnecting);
                }
            },
            RECONNECTING_AFTER,
        );
        let _ = set_timeout_with_handle(
            move || {
                let bad = [Live::Connected, Live::Starting, Live::Reconnecting, Live::Restarting];
                if still() && bad.contains(&self.live.get_untracked()) {
                    self.live.set(Live::Stale);
                }
            },
            STALE_AFTER,
        );
    }
}

/// The status of this tab; in context everywhere.
pub(crate) fn status() -> Status {
    expect_context()
}
