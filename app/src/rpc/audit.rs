//! The audit log.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

/// Asks for the password where it was not given lately, so that the page can offer its downloads.
#[server(prefix = "/rpc", endpoint = "unlock_export", output = Text)]
pub async fn unlock_export() -> Result<Outcome, RpcError> {
    let (services, actor) = (ssr::services(), ssr::actor()?);
    services.audit.may_export(&actor)?;
    ssr::go("/admin/audit");
    Ok(Outcome::default())
}
