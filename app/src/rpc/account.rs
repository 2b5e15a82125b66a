//! One's own account.

use leptos::prelude::*;

use super::RpcError;
#[cfg(feature = "ssr")]
use super::ssr;

/// Changes the password; this session goes on with a new token, the others end if asked.
#[server(prefix = "/rpc", endpoint = "change_password")]
pub async fn change_password(
    current: String,
    password: String,
    #[server(default)] end_others: bool,
) -> Result<(), RpcError> {
    let token = ssr::token().unwrap_or_default();
    let signed_in =
        ssr::services().accounts.change_password(&ssr::actor()?, &token, &current, &password, end_others).await?;
    ssr::hand_out(&signed_in);
    ssr::go("/account?done=password");
    Ok(())
}
