//! What several pages use: a component a file, on native HTML wherever there is an element for it.

pub(crate) mod connection;
pub(crate) mod dialog;
pub(crate) mod figures;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod icon;
pub(crate) mod keys;
pub(crate) mod presence;
pub(crate) mod read;
pub(crate) mod status;
pub(crate) mod strip;
pub(crate) mod sudo;
pub(crate) mod switch;
pub(crate) mod theme;
pub(crate) mod time;
