//! Signing in and out, the first administrator, a forgotten password, and confirming the password.

use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// Signs in; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "sign_in", output = Text)]
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
#[server(prefix = "/rpc", endpoint = "sign_out", output = Text)]
pub async fn sign_out() -> Result<(), RpcError> {
    if let Some(session) = ssr::current() {
        ssr::services().sessions.sign_out(&session).await?;
    }
    ssr::set_cookie(&ssr::cookies().clear());
    ssr::header("clear-site-data", "\"cache\", \"storage\"");
    ssr::go("/login?done=out");
    Ok(())
}

/// Makes the first administrator and signs them in; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "set_up", output = Text)]
pub async fn set_up(token: String, username: String, name: String, password: String) -> Result<String, RpcError> {
    let name = Some(name.trim().to_owned()).filter(|n| !n.is_empty());
    let new = services::NewUser { username, name, password: Some(password), ..services::NewUser::default() };
    let signed_in = ssr::services().accounts.set_up(&token, new, &ssr::origin()).await?;
    ssr::hand_out(&signed_in);
    ssr::go("/admin");
    Ok("/admin".to_owned())
}

/// Sets a new password by a link, which ends every session of the account; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "reset_password", output = Text)]
pub async fn reset_password(token: String, password: String) -> Result<String, RpcError> {
    ssr::services().accounts.reset(&token, &password, &ssr::origin()).await?;
    ssr::go("/login?done=reset");
    Ok("/login?done=reset".to_owned())
}

/// Confirms the password, so that sensitive acts are allowed for a while; the session's token changes.
#[server(prefix = "/rpc", endpoint = "confirm_password", output = Text)]
pub async fn confirm_password(password: String) -> Result<(), RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in = ssr::services().sessions.reauth(&ssr::actor()?, &token, &password).await?;
    ssr::hand_out(&signed_in);
    Ok(())
}
