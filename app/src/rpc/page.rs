//! Pages that the server alone writes, for those who go from one to the next.

use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::written::{self, Written};

/// The page at `url` once more, asked for by itself because something on it changed: nobody's activity.
#[server(prefix = "/rpc", endpoint = "refresh", output = Text)]
pub async fn refresh(url: String) -> Result<Written, RpcError> {
    ssr::session()?;
    Ok(written::again(&ssr::services(), &ssr::actor()?, &url).await?)
}

/// The page at `url`, a path of ours with its query.
#[server(prefix = "/rpc", endpoint = "page", output = Text)]
pub async fn page(url: String) -> Result<Written, RpcError> {
    ssr::session()?;
    Ok(written::write(&ssr::services(), &ssr::actor()?, &url).await?)
}
