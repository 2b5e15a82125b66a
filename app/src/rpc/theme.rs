//! The theme of this browser.
#![expect(clippy::unused_async, reason = "the form leptos asks for")]

use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// Remembers `system`, `light` or `dark` in a cookie.
#[server(prefix = "/rpc", endpoint = "set_theme", output = Text)]
pub async fn set_theme(theme: String) -> Result<(), RpcError> {
    let Some(theme) = crate::viewer::Theme::parse(&theme) else {
        return Err(domain::ApiError::invalid("theme", "Use system, light or dark.").into());
    };
    ssr::set_cookie(&ssr::cookies().theme(theme.as_str()));
    Ok(())
}
