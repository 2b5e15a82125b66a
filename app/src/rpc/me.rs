//! One's own presence and session.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

use domain::{Time, presence::view};
use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// What is known of the person who asks.
#[server(prefix = "/rpc", endpoint = "me", output = Text)]
pub async fn me() -> Result<view::Me, RpcError> {
    Ok(ssr::services().presence.me(&ssr::actor()?).await?)
}

/// Chooses a state by hand, with a message, for some minutes or, with 0, until it is changed.
#[server(prefix = "/rpc", endpoint = "choose", output = Text)]
pub async fn choose(
    choice: domain::presence::Choice,
    #[server(default)] message: String,
    #[server(default)] minutes: u32,
) -> Result<view::Me, RpcError> {
    let services = ssr::services();
    let until = (minutes > 0).then(|| services.clock.now().plus(i64::from(minutes) * domain::time::MINUTE));
    let chosen = domain::presence::Chosen { choice, message: Some(message), until };
    Ok(services.presence.choose(&ssr::actor()?, chosen).await?)
}

/// "Stay signed in": counts as activity; gives when the session now ends.
#[server(prefix = "/rpc", endpoint = "stay", output = Text)]
pub async fn stay() -> Result<Time, RpcError> {
    let (session, services) = (ssr::session()?, ssr::services());
    services.sessions.touch(&session, services.clock.now());
    Ok(session.expires_at())
}
