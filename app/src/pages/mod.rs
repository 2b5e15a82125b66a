//! The pages, one file each; the live page is a folder.

pub(crate) mod account;
pub(crate) mod devices;
pub(crate) mod forbidden;
pub(crate) mod home;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod reset;
pub(crate) mod setup;
