//! What one asks to be told of, and what one was told of.

use domain::{
    ApiError,
    notices::{MailWhen, NewSubscription},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

const PATH: &str = "/notifications";

/// Marks one notice as read, or all.
#[server(prefix = "/rpc", endpoint = "read_notices", output = Text)]
pub async fn read_notices(#[server(default)] id: Option<Uuid>) -> Result<Outcome, RpcError> {
    ssr::services().notices.read(&ssr::actor()?, id).await?;
    ssr::go(PATH);
    Ok(Outcome::say(if id.is_some() { "Marked as read." } else { "All are marked as read." }))
}

/// Asks to be told of uploads; fields left empty are any.
#[server(prefix = "/rpc", endpoint = "ask_for_notices", output = Text)]
pub async fn ask_for_notices(
    #[server(default)] organisation: String,
    #[server(default)] workflow: String,
    #[server(default)] mail: String,
    #[server(default)] at: String,
) -> Result<Outcome, RpcError> {
    let strange = || ApiError::invalid("organisation", "There is no such organisation.");
    let organisation = match organisation.trim() {
        "" => None,
        id => Some(id.parse().map_err(|_| strange())?),
    };
    let mail = match mail.trim() {
        "" => MailWhen::default(),
        word => MailWhen::parse(word).ok_or_else(|| ApiError::invalid("mail", "Use one of the words offered."))?,
    };
    let new = NewSubscription { organisation, workflow: Some(workflow), mail, at: Some(at) };
    ssr::services().notices.subscribe(&ssr::actor()?, new).await?;
    ssr::go(PATH);
    Ok(Outcome::say("You will be told."))
}

/// Asks no more.
#[server(prefix = "/rpc", endpoint = "end_notices", output = Text)]
pub async fn end_notices(id: Uuid) -> Result<Outcome, RpcError> {
    ssr::services().notices.unsubscribe(&ssr::actor()?, id).await?;
    ssr::go(PATH);
    Ok(Outcome::say("You will not be told of these any more."))
}
