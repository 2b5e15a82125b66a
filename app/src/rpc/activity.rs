//! What people did.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

use domain::activity::Exporting;
use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

/// Asks for the password where it was not given lately, so that the page can offer its downloads.
#[server(prefix = "/rpc", endpoint = "unlock_activity", output = Text)]
pub async fn unlock_activity(#[server(default)] query: String) -> Result<Outcome, RpcError> {
    ssr::services().activity.may_export(&ssr::actor()?)?;
    let path = crate::routes::safe_next(&format!("/admin/activity?{query}"));
    ssr::go(&path);
    Ok(Outcome::default())
}

/// How far the export of this key is, once it has begun; with `cancel`, no more of it comes. Asked by a page by itself: nobody's activity.
#[server(prefix = "/rpc", endpoint = "follow_export", output = Text)]
pub async fn follow_export(key: String, #[server(default)] cancel: bool) -> Result<Option<Exporting>, RpcError> {
    Ok(ssr::services().activity.exporting(&ssr::actor()?, &key, cancel)?)
}
