//! The theme of this browser.

use leptos::prelude::*;

use super::RpcError;
#[cfg(feature = "ssr")]
use super::ssr;

/// Remembers `system`, `light` or `dark` in a cookie.
#[server(prefix = "/rpc", endpoint = "set_theme")]
pub async fn set_theme(theme: String) -> Result<(), RpcError> {
    let Some(theme) = crate::viewer::Theme::parse(&theme) else {
        return Err(domain::ApiError::invalid("theme", "Use system, light or dark.").into());
    };
    ssr::set_cookie(&ssr::cookies().theme(theme.as_str()));
    Ok(())
}
