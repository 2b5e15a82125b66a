//! Files: what people send (uploads) and what the program or others make for them (outputs).
//!
//! - `name`: what a file is called, for people and never for paths. `kind`: what it may say that it is.
//! - `size`: how much may come, and how it is written. Not here: bytes (`services::files`).

mod kind;
mod name;
mod size;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::size::exact_text;
pub use self::{
    kind::{HEAD, Sniffed, content_type, served_as},
    name::{attachment, label, name},
    size::{Room, bytes_of, bytes_text},
};
use crate::{OrganisationId, Time, UserId, time::Millis};

/// A file, with the person it is of. `label` is the workflow of an upload, the source of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub id: Uuid,
    pub user_id: UserId,
    pub username: String,
    pub user_name: String,
    pub organisation: Option<OrganisationId>,
    pub name: String,
    pub label: Option<String>,
    pub content_type: String,
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
    pub created_at: Time,
}

/// A file a person sent.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadView {
    pub id: Uuid,
    pub name: String,
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
    pub workflow: Option<String>,
    /// As its first bytes say, whatever its name says.
    pub content_type: String,
    pub created_at: Time,
    pub user_id: Uuid,
    pub username: String,
    pub user_name: String,
}

/// A file that was made for somebody: a report, an export, a job's result.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputView {
    pub id: Uuid,
    pub name: String,
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// What made it.
    pub source: Option<String>,
    pub content_type: String,
    pub created_at: Time,
    /// It is deleted then, within the hour.
    pub expires_at: Time,
    /// Who asked for it.
    pub user_id: Uuid,
    pub username: String,
    pub user_name: String,
}

impl From<File> for UploadView {
    fn from(f: File) -> Self {
        Self {
            id: f.id,
            name: f.name,
            size: f.size,
            sha256: f.sha256,
            workflow: f.label,
            content_type: f.content_type,
            created_at: f.created_at,
            user_id: f.user_id,
            username: f.username,
            user_name: f.user_name,
        }
    }
}

impl OutputView {
    /// `kept` is how long outputs are kept.
    pub fn new(f: File, kept: Millis) -> Self {
        Self {
            id: f.id,
            name: f.name,
            size: f.size,
            sha256: f.sha256,
            source: f.label,
            content_type: f.content_type,
            created_at: f.created_at,
            expires_at: f.created_at.plus(kept),
            user_id: f.user_id,
            username: f.username,
            user_name: f.user_name,
        }
    }
}

/// Which files of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileFilter {
    /// A username.
    pub user: Option<String>,
    /// The workflow of uploads, the source of outputs.
    pub label: Option<String>,
    /// A content type, or the part before its slash.
    pub kind: Option<String>,
    pub min_size: Option<u64>,
    pub max_size: Option<u64>,
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
    /// Part of the name.
    pub q: Option<String>,
    /// Of its people.
    pub organisation: Option<OrganisationId>,
}

/// A person's files in a sum.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfUser {
    pub username: String,
    pub count: u64,
    pub bytes: u64,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfWorkflow {
    /// Nothing for files without one.
    pub workflow: Option<String>,
    pub count: u64,
    pub bytes: u64,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDay {
    /// `2026-03-02`, in UTC.
    pub day: String,
    pub count: u64,
    pub bytes: u64,
}

/// Exact sums over what a filter matches.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub total: u64,
    pub bytes: u64,
    /// The most files first; 50 at most.
    pub by_user: Vec<OfUser>,
    pub by_workflow: Vec<OfWorkflow>,
    /// Days on which any came, in order; the last 366 at most.
    pub by_day: Vec<OfDay>,
}

/// An upload on its way.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arriving {
    pub id: Uuid,
    pub user_id: Uuid,
    pub username: String,
    pub user_name: String,
    /// Whether a manager sees it.
    #[serde(skip)]
    pub organisation: Option<Uuid>,
    pub name: String,
    pub workflow: Option<String>,
    /// Of the whole request, as far as its sender said; a little more than the file.
    pub size: Option<u64>,
    pub received: u64,
    pub started_at: Time,
}
