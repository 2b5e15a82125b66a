//! The tables as SeaORM sees them. They stay in `store`; times are milliseconds since 1970.

pub(crate) mod failure;
pub(crate) mod organisation;
pub(crate) mod role;
pub(crate) mod session;
pub(crate) mod session_data;
pub(crate) mod setting;
pub(crate) mod team;
pub(crate) mod team_member;
pub(crate) mod token;
pub(crate) mod user;
