//! One's own second factor.

use leptos::prelude::*;

use super::{RpcError, Text, ssr};
use crate::written::{
    Outcome,
    second_factor::{PATH, codes},
};

/// Makes a secret for the app to read.
#[server(prefix = "/rpc", endpoint = "begin_second_factor", output = Text)]
pub async fn begin_second_factor() -> Result<Outcome, RpcError> {
    ssr::services().second_factor.begin(&ssr::actor()?).await?;
    ssr::go(PATH);
    Ok(Outcome::default())
}

/// Turns it on by a first code, and shows the back-up codes.
#[server(prefix = "/rpc", endpoint = "confirm_second_factor", output = Text)]
pub async fn confirm_second_factor(code: String) -> Result<Outcome, RpcError> {
    let made = ssr::services().second_factor.confirm(&ssr::actor()?, &code).await?;
    ssr::go(PATH);
    Ok(Outcome { show: Some(codes(&made)), ..Outcome::say("Your second factor is on.") })
}

/// Shows new back-up codes; the old ones are void.
#[server(prefix = "/rpc", endpoint = "new_backup_codes", output = Text)]
pub async fn new_backup_codes() -> Result<Outcome, RpcError> {
    let made = ssr::services().second_factor.new_backup_codes(&ssr::actor()?).await?;
    ssr::go(PATH);
    Ok(Outcome { show: Some(codes(&made)), ..Outcome::say("The old back-up codes are void.") })
}

/// Turns it off.
#[server(prefix = "/rpc", endpoint = "end_second_factor", output = Text)]
pub async fn end_second_factor() -> Result<Outcome, RpcError> {
    ssr::services().second_factor.turn_off(&ssr::actor()?).await?;
    ssr::go(PATH);
    Ok(Outcome::say("Your second factor is off."))
}
