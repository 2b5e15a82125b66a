//! Roles, organisations, teams and users.

use sea_orm_migration::prelude::*;

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
        run(manager, DDL).await?;
        // As they were when this shipped; `domain::account::BUILT_IN_ROLES` is tested against them.
        for (name, level) in [
            ("admin", "admin"),
            ("manager", "manager"),
            ("teacher", "member"),
            ("student", "member"),
            ("member", "member"),
        ] {
            run(manager, &format!("INSERT INTO roles (name, level) VALUES ('{name}', '{level}')")).await?;
        }
        Ok(())
    }
}

/// `name_lower` and `search` are lowered by the program, which knows all of Unicode; SQLite's `lower()` knows ASCII.
const DDL: &str = "
CREATE TABLE roles (
    name text NOT NULL PRIMARY KEY,
    level text NOT NULL
);
CREATE TABLE organisations (
    id {uuid} NOT NULL PRIMARY KEY,
    name text NOT NULL,
    name_lower text NOT NULL UNIQUE,
    created_at bigint NOT NULL
);
CREATE TABLE teams (
    id {uuid} NOT NULL PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name text NOT NULL,
    name_lower text NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (organisation_id, name_lower)
);
CREATE TABLE users (
    id {uuid} NOT NULL PRIMARY KEY,
    username text NOT NULL UNIQUE,
    name text NOT NULL,
    email text,
    search text NOT NULL,
    password_hash text,
    role text NOT NULL REFERENCES roles (name),
    organisation_id {uuid} REFERENCES organisations (id) ON DELETE SET NULL,
    created_at bigint NOT NULL,
    disabled_at bigint,
    last_sign_in_at bigint
);
CREATE INDEX users_organisation ON users (organisation_id);
CREATE INDEX users_role ON users (role);
-- The few who are disabled, asked for by every question about live sessions.
CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE TABLE team_members (
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    team_id {uuid} NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, team_id)
);
CREATE INDEX team_members_team ON team_members (team_id);
";
