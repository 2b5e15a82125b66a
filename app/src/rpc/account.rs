//! One's own account.

use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

/// Changes one's e-mail address, or takes it away; the old one is told.
#[server(prefix = "/rpc", endpoint = "change_email", output = Text)]
pub async fn change_email(#[server(default)] email: String) -> Result<Outcome, RpcError> {
    ssr::services().accounts.change_email(&ssr::actor()?, &email).await?;
    ssr::go("/account");
    Ok(Outcome::say("Your e-mail address is changed."))
}

/// Changes the password; this session goes on with a new token, the others end if asked.
#[server(prefix = "/rpc", endpoint = "change_password", output = Text)]
pub async fn change_password(
    current: String,
    new: String,
    #[server(default)] end_others: bool,
) -> Result<Outcome, RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in =
        ssr::services().accounts.change_password(&ssr::actor()?, &token, &current, &new, end_others).await?;
    ssr::hand_out(&signed_in);
    let go = "/account?done=password";
    ssr::go(go);
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say("Your password is changed.") })
}
