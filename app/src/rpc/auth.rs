//! Signing in and out, the first administrator, a forgotten password, and confirming the password.

use domain::ErrorCode;
use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::routes::escape;

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
    let sessions = ssr::services().sessions;
    match sessions.sign_in(&username, &password, remember, &ssr::origin(), replaces.as_deref()).await {
        Ok(signed_in) => ssr::hand_out(&signed_in),
        Err(e) if e.code == ErrorCode::SecondFactorRequired => {
            // Where no address, history or log shows it.
            ssr::set_cookie(&ssr::cookies().set_step(e.fields.get("token").map(String::as_str).unwrap_or_default()));
            let next = format!("/second-factor?next={}", escape(&next));
            ssr::go(&next);
            return Ok(next);
        }
        Err(e) => match e.fields.get("token").filter(|_| e.code == ErrorCode::NewPasswordRequired) {
            Some(token) => {
                let next = format!("/reset?short=1&token={token}");
                ssr::go(&next);
                return Ok(next);
            }
            None => return Err(e.into()),
        },
    }
    ssr::go(&next);
    Ok(next)
}

/// The second step of a sign-in; gives the page to go to.
#[server(prefix = "/rpc", endpoint = "second_factor", output = Text)]
pub async fn second_factor(code: String, #[server(default)] next: String) -> Result<String, RpcError> {
    let next = crate::routes::safe_next(&next);
    let (cookies, replaces) = (ssr::cookies(), ssr::token());
    let step = ssr::cookie(cookies.step_name()).unwrap_or_default();
    let sessions = ssr::services().sessions;
    let signed_in = sessions.second_factor(&step, &code, &ssr::origin(), replaces.as_deref()).await?;
    ssr::set_cookie(&cookies.clear_step());
    ssr::hand_out(&signed_in);
    ssr::go(&next);
    Ok(next)
}

/// Ends this session. What the browser keeps of us goes with it.
#[server(prefix = "/rpc", endpoint = "sign_out", output = Text)]
pub async fn sign_out() -> Result<(), RpcError> {
    if let Some(session) = ssr::current() {
        ssr::services().sessions.sign_out(&ssr::actor()?, &session).await?;
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

/// Mails a link to choose a new password to whoever is meant, if there is somebody; the answer is the same.
#[server(prefix = "/rpc", endpoint = "forgot_password", output = Text)]
pub async fn forgot_password(who: String) -> Result<(), RpcError> {
    ssr::services().accounts.forgot(&who, &ssr::origin()).await?;
    ssr::go("/forgot?done=sent");
    Ok(())
}

/// Confirms the password, with a code of those who have a second factor, so that sensitive acts are allowed for a while; the session's token changes.
#[server(prefix = "/rpc", endpoint = "confirm_password", output = Text)]
pub async fn confirm_password(password: String, #[server(default)] code: String) -> Result<(), RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in = ssr::services().sessions.reauth(&ssr::actor()?, &token, &password, Some(&code)).await?;
    ssr::hand_out(&signed_in);
    Ok(())
}
