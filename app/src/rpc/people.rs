//! The people a manager or an administrator watches.

use domain::{
    Time, UserId,
    presence::{
        Colleague,
        history::{PresenceAt, PresenceDay},
        live::Window,
        query::LIMIT_MAX,
        view,
    },
    time::MINUTE,
};
use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// The people of a window, given as JSON, with the counts over everybody in reach.
#[server(prefix = "/rpc", endpoint = "online", output = Text)]
pub async fn online(window: String) -> Result<view::OnlinePage, RpcError> {
    let window = serde_json::from_str(&window)
        .map_err(|_| domain::ApiError::invalid("window", "This is no window of people."))?;
    of_window(window).await
}

pub(crate) async fn of_window(window: Window) -> Result<view::OnlinePage, RpcError> {
    let mut query = window.filter;
    query.sort = window.sort.unwrap_or(query.sort);
    Ok(ssr::services().presence.online(&ssr::actor()?, &query, window.limit, window.offset).await?)
}

/// Why a person is shown as they are.
#[server(prefix = "/rpc", endpoint = "why", output = Text)]
pub async fn why(id: UserId) -> Result<view::Why, RpcError> {
    Ok(ssr::services().why(&ssr::actor()?, id).await?)
}

/// Who was here `back` minutes before `to`, or before now.
#[server(prefix = "/rpc", endpoint = "at", output = Text)]
pub async fn at(#[server(default)] to: Option<Time>, #[server(default)] back: u32) -> Result<PresenceAt, RpcError> {
    let services = ssr::services();
    // Nothing was before 1970, so that the date that goes out can be read again.
    let time = to.unwrap_or_else(|| services.clock.now()).plus(-i64::from(back) * MINUTE).max(Time(0));
    Ok(services.presence.at(&ssr::actor()?, time, LIMIT_MAX, 0).await?)
}

/// A person's day so far, in UTC.
#[server(prefix = "/rpc", endpoint = "day", output = Text)]
pub async fn day(id: UserId) -> Result<PresenceDay, RpcError> {
    let services = ssr::services();
    let today = services.clock.now().exact();
    Ok(services.day(&ssr::actor()?, id, &today[..10]).await?)
}

/// The people of one's own organisation who are here, as members see each other.
#[server(prefix = "/rpc", endpoint = "colleagues", output = Text)]
pub async fn colleagues() -> Result<Vec<Colleague>, RpcError> {
    Ok(ssr::services().presence.people(&ssr::actor()?).await?)
}

/// Ends the sessions with these ids, separated by commas; gives how many were live.
#[server(prefix = "/rpc", endpoint = "end_sessions", output = Text)]
pub async fn end_sessions(ids: String) -> Result<u64, RpcError> {
    let ids: Result<Vec<uuid::Uuid>, _> = ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| domain::ApiError::invalid("ids", "Use ids of sessions, separated by commas."))?;
    let which = services::Which::Ids(ids);
    Ok(ssr::services().sessions.revoke(&ssr::actor()?, which, true, false).await?)
}
