//! One's own sessions, a device each.

use domain::{SessionId, session::SessionView};
use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::{text, written::Outcome};

/// Ends one of one's own sessions.
#[server(prefix = "/rpc", endpoint = "end_device", output = Text)]
pub async fn end_device(id: SessionId) -> Result<Outcome, RpcError> {
    let (sessions, actor) = (ssr::services().sessions, ssr::actor()?);
    let label = sessions.own(&actor).await?.iter().find(|s| s.id == id).map(SessionView::device_label);
    sessions.end_own(&actor, id).await?;
    ssr::go("/account/devices");
    Ok(Outcome::say(format!("{} is signed out.", label.as_deref().unwrap_or("The device"))))
}

/// Ends all of one's own sessions but this one.
#[server(prefix = "/rpc", endpoint = "end_other_devices", output = Text)]
pub async fn end_other_devices() -> Result<Outcome, RpcError> {
    let n = ssr::services().sessions.end_own_others(&ssr::actor()?).await?;
    ssr::go("/account/devices");
    Ok(Outcome::say(format!("{} signed out.", text::count(n, "other device"))))
}
