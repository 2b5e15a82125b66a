//! The schema, one migration a file.
//!
//! Times are `bigint` milliseconds since 1970 and never a database default; ids are UUIDs (16 bytes on SQLite); JSON is
//! text nobody queries; everything searched is stored in lower case. A migration that has shipped is never edited: to
//! change the schema, add a file with the next number and list it below. Two in one file would share a name.

mod m0001_people;
mod m0002_sessions;
mod m0003_records;
mod m0004_sign_in;
mod m0005_choices;
mod m0006_intervals;
mod m0007_preferences;
mod m0008_audit_chain;
mod m0009_sealed_data;
mod m0010_people;
mod m0011_mails_and_codes;
mod m0012_settings;
mod m0013_a_million;
mod m0014_activity;
mod m0015_files;
mod m0016_traffic;
mod m0017_notices;
mod m0018_reports;
mod m0019_visits;
mod m0020_lengths;
mod m0021_quarter_hours;

use sea_orm_migration::prelude::*;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_people::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_records::Migration),
            Box::new(m0004_sign_in::Migration),
            Box::new(m0005_choices::Migration),
            Box::new(m0006_intervals::Migration),
            Box::new(m0007_preferences::Migration),
            Box::new(m0008_audit_chain::Migration),
            Box::new(m0009_sealed_data::Migration),
            Box::new(m0010_people::Migration),
            Box::new(m0011_mails_and_codes::Migration),
            Box::new(m0012_settings::Migration),
            Box::new(m0013_a_million::Migration),
            Box::new(m0014_activity::Migration),
            Box::new(m0015_files::Migration),
            Box::new(m0016_traffic::Migration),
            Box::new(m0017_notices::Migration),
            Box::new(m0018_reports::Migration),
            Box::new(m0019_visits::Migration),
            Box::new(m0020_lengths::Migration),
            Box::new(m0021_quarter_hours::Migration),
        ]
    }
}

/// Runs DDL that both databases read alike but for the names of two types.
async fn run(manager: &SchemaManager<'_>, ddl: &str) -> Result<(), DbErr> {
    let (uuid, bytes) = match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Postgres => ("uuid", "bytea"),
        _ => ("blob", "blob"),
    };
    let ddl = ddl.replace("{uuid}", uuid).replace("{bytes}", bytes);
    manager.get_connection().execute_unprepared(&ddl).await.map(|_| ())
}
