//! One's own sessions, a device each.

use domain::{SessionId, session::SessionView};
use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// One's own live sessions, this one first.
#[server(prefix = "/rpc", endpoint = "devices", output = Text)]
pub async fn devices() -> Result<Vec<SessionView>, RpcError> {
    Ok(ssr::services().sessions.own(&ssr::actor()?).await?)
}

/// Ends one of one's own sessions.
#[server(prefix = "/rpc", endpoint = "end_device", output = Text)]
pub async fn end_device(id: SessionId) -> Result<(), RpcError> {
    ssr::services().sessions.end_own(&ssr::actor()?, id).await?;
    Ok(())
}

/// Ends all of one's own sessions but this one; gives how many.
#[server(prefix = "/rpc", endpoint = "end_other_devices", output = Text)]
pub async fn end_other_devices() -> Result<u64, RpcError> {
    Ok(ssr::services().sessions.end_own_others(&ssr::actor()?).await?)
}
