//! One's own files, as their page deletes them. Sending is not a server function: it is read as it comes
//! (`server/src/http/upload.rs`).

use leptos::prelude::*;
use services::files::Kind;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

/// Deletes an upload for good.
#[server(prefix = "/rpc", endpoint = "delete_upload", output = Text)]
pub async fn delete_upload(id: uuid::Uuid) -> Result<Outcome, RpcError> {
    ssr::services().files.delete(&ssr::actor()?, Kind::Upload, id, &ssr::origin().ip).await?;
    ssr::go("/files");
    Ok(Outcome::say("Deleted."))
}
