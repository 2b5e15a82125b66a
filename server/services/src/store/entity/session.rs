//! A sign-in on a device.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the token; the token itself is nowhere.
    pub token_hash: Vec<u8>,
    pub user_id: Uuid,
    pub created_at: i64,
    pub last_activity_at: i64,
    pub last_seen_at: i64,
    pub idle_ms: i64,
    pub absolute_expires_at: i64,
    /// The earlier of last activity + idle and the absolute end; every writer keeps it so.
    pub expires_at: i64,
    pub fresh_until: i64,
    pub remembered: bool,
    pub connected: bool,
    /// Nothing once the retention of addresses is over.
    pub ip: Option<String>,
    pub browser: String,
    pub os: String,
    pub device: String,
    pub ended_at: Option<i64>,
    pub ended_reason: Option<String>,
    pub ended_by: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
