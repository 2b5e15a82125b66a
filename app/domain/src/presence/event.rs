//! What may happen to presence.

use std::sync::Arc;

use super::{Cause, Chosen, ConnectionId, Report};
use crate::{SessionId, Time, UserId, account::UserCard, session::EndReason};

/// Whose connection it is: what a session brings into presence.
#[derive(Clone, Debug)]
pub struct Joined {
    pub card: Arc<UserCard>,
    pub session: SessionId,
    /// `Firefox on Linux`.
    pub device: Arc<str>,
    pub ip: Arc<str>,
    /// `Utrecht, Netherlands`, as far as it is known.
    pub place: Option<Arc<str>>,
    pub signed_in_at: Time,
}

/// How a socket went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The client said goodbye: a tab closed, or a page was left.
    Left,
    /// It broke off.
    Lost,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    Opened {
        joined: Joined,
        connection: ConnectionId,
        report: Report,
    },
    Reported {
        connection: ConnectionId,
        report: Report,
    },
    /// A sign of life.
    Alive {
        connection: ConnectionId,
    },
    Closed {
        connection: ConnectionId,
        closing: Closing,
    },
    /// `POST /heartbeat`; `requested_at` is the session's last request that is not a heartbeat.
    Beat {
        joined: Joined,
        report: Report,
        requested_at: Time,
    },
    Ended {
        session: SessionId,
        reason: EndReason,
    },
    Chose {
        card: Arc<UserCard>,
        chosen: Chosen,
    },
    /// An account's name, role, organisation or teams are others now.
    Changed {
        card: Arc<UserCard>,
    },
    /// An account is no more.
    Deleted {
        user: UserId,
    },
    /// Keeps their presence from colleagues, or does so no more.
    Private {
        card: Arc<UserCard>,
        private: bool,
    },
    /// The names of somebody's last uploads, newest first.
    Uploads {
        user: UserId,
        names: Arc<[String]>,
    },
    /// Connected at the last proof of life before a restart; unknown until `until`.
    Restored {
        joined: Joined,
        seen_at: Time,
        until: Time,
    },
}

/// Why somebody is gone whose session ended so.
pub(super) fn cause_of(reason: EndReason) -> Cause {
    match reason {
        EndReason::Logout | EndReason::Relogin => Cause::SignedOut,
        EndReason::IdleTimeout | EndReason::AbsoluteTimeout => Cause::Expired,
        EndReason::UserDisabled | EndReason::UserDeleted => Cause::UserDisabled,
        EndReason::Revoked | EndReason::Limit | EndReason::PasswordChange | EndReason::RoleChange => Cause::Revoked,
    }
}
