//! One's own account.

use leptos::prelude::*;

use super::{RpcError, Text, ssr};

/// Changes the password; this session goes on with a new token, the others end if asked.
#[server(prefix = "/rpc", endpoint = "change_password", output = Text)]
pub async fn change_password(
    current: String,
    new: String,
    #[server(default)] end_others: bool,
) -> Result<(), RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in =
        ssr::services().accounts.change_password(&ssr::actor()?, &token, &current, &new, end_others).await?;
    ssr::hand_out(&signed_in);
    ssr::go("/account?done=password");
    Ok(())
}
