//! What people did.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

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
