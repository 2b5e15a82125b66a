//! Signing in and out, the first administrator, a forgotten password, and confirming the password.

use leptos::prelude::*;

use super::RpcError;
#[cfg(feature = "ssr")]
use super::ssr;

/// Signs in; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "sign_in")]
pub async fn sign_in(
    username: String,
    password: String,
    #[server(default)] remember: bool,
    #[server(default)] next: String,
) -> Result<String, RpcError> {
    let next = crate::routes::safe_next(&next);
    let replaces = ssr::token();
    let signed_in =
        ssr::services().sessions.sign_in(&username, &password, remember, &ssr::origin(), replaces.as_deref()).await?;
    ssr::hand_out(&signed_in);
    ssr::go(&next);
    Ok(next)
}

/// Ends this session. What the browser keeps of us goes with it.
#[server(prefix = "/rpc", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), RpcError> {
    if let Ok(session) = ssr::session() {
        ssr::services().sessions.sign_out(&session).await?;
    }
    ssr::set_cookie(&ssr::cookies().clear());
    ssr::header("clear-site-data", "\"cache\", \"storage\"");
    ssr::go("/login?done=out");
    Ok(())
}

/// Whether the one-time link to make the first administrator still works.
#[server(prefix = "/rpc", endpoint = "setup_is_open")]
pub async fn setup_is_open(token: String) -> Result<bool, RpcError> {
    Ok(ssr::services().accounts.setup_token_is_good(&token).await?)
}

/// Makes the first administrator and signs them in; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "set_up")]
pub async fn set_up(token: String, username: String, name: String, password: String) -> Result<String, RpcError> {
    let name = Some(name.trim().to_owned()).filter(|n| !n.is_empty());
    let new = services::NewUser { username, name, password: Some(password), ..services::NewUser::default() };
    let signed_in = ssr::services().accounts.set_up(&token, new, &ssr::origin()).await?;
    ssr::hand_out(&signed_in);
    ssr::go("/admin");
    Ok("/admin".to_owned())
}

/// Whether a link to set a new password still works.
#[server(prefix = "/rpc", endpoint = "reset_is_open")]
pub async fn reset_is_open(token: String) -> Result<bool, RpcError> {
    Ok(ssr::services().accounts.reset_token_is_good(&token).await?)
}

/// Sets a new password by a link, which ends every session of the account; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<String, RpcError> {
    ssr::services().accounts.reset(&token, &password, &ssr::origin()).await?;
    ssr::go("/login?done=reset");
    Ok("/login?done=reset".to_owned())
}

/// Confirms the password, so that sensitive acts are allowed for a while; the session's token changes.
#[server(prefix = "/rpc", endpoint = "confirm_password")]
pub async fn confirm_password(password: String) -> Result<(), RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in = ssr::services().sessions.reauth(&ssr::actor()?, &token, &password).await?;
    ssr::hand_out(&signed_in);
    Ok(())
}
