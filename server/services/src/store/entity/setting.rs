//! A setting that somebody chose, or a value the program remembers, by key.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// As it was written; JSON text where the program remembers something.
    pub value: String,
    pub updated_at: i64,
    /// A username or `operator`; nothing for the program itself.
    pub updated_by: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
