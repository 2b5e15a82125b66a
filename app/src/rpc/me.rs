//! One's own presence and session.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

use domain::{
    Time,
    activity::{ACTION, LOGIN, PAGE_VIEW},
    presence::view,
};
use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::text;

/// What is known of the person who asks.
#[server(prefix = "/rpc", endpoint = "me", output = Text)]
pub async fn me() -> Result<view::Me, RpcError> {
    let me = ssr::services().presence.me(&ssr::actor()?).await?;
    at_home(me).await
}

/// With what the person did, in a few words.
async fn at_home(me: view::Me) -> Result<view::Me, RpcError> {
    let summary = ssr::services().activity.own_summary(&ssr::actor()?).await?;
    let of = |kind: &str, word: &str| {
        let n = summary.event_breakdown.get(kind).copied().unwrap_or_default();
        (n > 0).then(|| text::count(n, word))
    };
    let kinds = [of(PAGE_VIEW, "page view"), of(ACTION, "action"), of(LOGIN, "sign-in")];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    let activity = (!kinds.is_empty()).then(|| kinds.join(", "));
    Ok(view::Me { activity, ..me })
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
    at_home(services.presence.choose(&ssr::actor()?, chosen).await?).await
}

/// "Stay signed in": counts as activity; gives when the session now ends.
#[server(prefix = "/rpc", endpoint = "stay", output = Text)]
pub async fn stay() -> Result<Time, RpcError> {
    let (session, services) = (ssr::session()?, ssr::services());
    services.sessions.touch(&session, services.clock.now());
    Ok(session.expires_at())
}
