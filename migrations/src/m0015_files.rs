//! Files: what people sent, and what was made for them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        // SQLite would otherwise keep the first half of a migration that fails.
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, label) in [("uploads", "workflow"), ("outputs", "source")] {
            run(manager, &TABLE.replace("{table}", table).replace("{label}", label)).await?;
        }
        run(manager, UNKEPT).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        run(manager, if postgres { POSTGRES } else { SQLITE }).await
    }
}

/// Both alike; `search` is the name in lower case. The bytes are in the storage under the row's id. Indexes: the newest
/// first of all and of a person, the sum that a quota is held to, and the labels there are.
const TABLE: &str = "
CREATE TABLE {table} (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    search text NOT NULL,
    {label} text,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 {bytes} NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX {table}_at ON {table} (created_at, user_id, size);
CREATE INDEX {table}_user ON {table} (user_id, created_at, size);
CREATE INDEX {table}_{label} ON {table} ({label}, created_at, size);
";

/// Files that are not, or not yet, to be kept: written before a file is put in its place, and taken out in the
/// transaction that writes its row. What is still here when a server starts is removed from the storage.
const UNKEPT: &str = "
CREATE TABLE unkept_files (
    id {uuid} NOT NULL PRIMARY KEY,
    at bigint NOT NULL
);
";

/// Whatever deletes a row, an account that goes among them, the file goes too.
const SQLITE: &str = "
CREATE TRIGGER uploads_go AFTER DELETE ON uploads BEGIN
    INSERT INTO unkept_files (id, at) VALUES (OLD.id, OLD.created_at);
END;
CREATE TRIGGER outputs_go AFTER DELETE ON outputs BEGIN
    INSERT INTO unkept_files (id, at) VALUES (OLD.id, OLD.created_at);
END;
";
const POSTGRES: &str = "
CREATE FUNCTION file_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unkept_files (id, at) VALUES (OLD.id, OLD.created_at);
    RETURN OLD;
END $$;
CREATE TRIGGER uploads_go AFTER DELETE ON uploads FOR EACH ROW EXECUTE FUNCTION file_goes();
CREATE TRIGGER outputs_go AFTER DELETE ON outputs FOR EACH ROW EXECUTE FUNCTION file_goes();
";
