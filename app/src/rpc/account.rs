//! One's own account.

use domain::preferences::SeenBy;
use leptos::prelude::*;
use services::EmailChange;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

/// Changes one's e-mail address, or takes it away; the old one is told. Where mails can be sent it counts once the link
/// that goes there is opened.
#[server(prefix = "/rpc", endpoint = "change_email", output = Text)]
pub async fn change_email(#[server(default)] email: String) -> Result<Outcome, RpcError> {
    let change = ssr::services().accounts.change_email(&ssr::actor()?, &email).await?;
    let (go, say) = match change {
        EmailChange::Done => ("/account", "Your e-mail address is changed.".to_owned()),
        EmailChange::Mailed(to) => {
            ("/account?done=mailed", format!("A link is on its way to {to}. The address counts once you open it."))
        }
    };
    ssr::go(go);
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say(say) })
}

/// Makes the address that a mailed link is for one's own.
#[server(prefix = "/rpc", endpoint = "confirm_email", output = Text)]
pub async fn confirm_email(#[server(default)] token: String) -> Result<Outcome, RpcError> {
    ssr::services().accounts.confirm_email(&ssr::actor()?, &token).await?;
    let go = "/account";
    ssr::go(go);
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say("Your e-mail address is changed.") })
}

/// Chooses which colleagues see that one is here.
#[server(prefix = "/rpc", endpoint = "change_privacy", output = Text)]
pub async fn change_privacy(presence: SeenBy) -> Result<Outcome, RpcError> {
    let patch = serde_json::json!({"privacy": {"presence": presence}});
    ssr::services().preferences.merge(&ssr::actor()?, patch).await?;
    ssr::go("/account");
    Ok(Outcome::say("Saved."))
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
