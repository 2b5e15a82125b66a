//! The outbox, steered by administrators.

use leptos::prelude::*;
use uuid::Uuid;

use super::{RpcError, Text, ssr};
use crate::{text, written::Outcome};

/// Tries a mail as soon as can be.
#[server(prefix = "/rpc", endpoint = "retry_mail", output = Text)]
pub async fn retry_mail(id: Uuid) -> Result<Outcome, RpcError> {
    ssr::services().mail.retry(&ssr::actor()?, Some(id)).await?;
    ssr::go("/admin/mail");
    Ok(Outcome::say("The mail is tried again now."))
}

/// Tries everything that is not sent.
#[server(prefix = "/rpc", endpoint = "retry_mails", output = Text)]
pub async fn retry_mails() -> Result<Outcome, RpcError> {
    let n = ssr::services().mail.retry(&ssr::actor()?, None).await?;
    ssr::go("/admin/mail");
    Ok(Outcome::say(format!("{} tried again now.", text::count(n, "mail"))))
}

/// Takes a mail out of the outbox.
#[server(prefix = "/rpc", endpoint = "drop_mail", output = Text)]
pub async fn drop_mail(id: Uuid) -> Result<Outcome, RpcError> {
    let to = ssr::services().mail.drop(&ssr::actor()?, id).await?;
    ssr::go("/admin/mail");
    Ok(Outcome::say(format!("The mail to {to} is dropped.")))
}
