//! The pages, one file each; the live page is a folder. `written` shows those that the server writes alone.

pub(crate) mod forbidden;
pub(crate) mod home;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod not_found;
pub(crate) mod outside;
pub(crate) mod overview;
pub(crate) mod reset;
pub(crate) mod setup;
pub(crate) mod written;
