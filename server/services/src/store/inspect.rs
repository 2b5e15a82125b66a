//! Looking at a database without changing anything: for `rollcall doctor` and `rollcall migrate status`.

use std::{collections::BTreeMap, str::FromStr};

use domain::settings::Stored;
use migrations::Migrator;
use sea_orm::{Database, DatabaseConnection, DbErr, sqlx::sqlite::SqliteConnectOptions};
use sea_orm_migration::MigratorTrait;
use serde::Serialize;

use super::{For, Sql, Store, postgres, sqlite};

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migration {
    pub name: String,
    pub applied: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// False for a SQLite file that is not there yet.
    pub exists: bool,
    /// All migrations this program knows, in order.
    pub migrations: Vec<Migration>,
    /// What the database's own check complains about; SQLite only, PostgreSQL checks its pages by itself.
    pub problems: Vec<String>,
    /// Settings that admins chose.
    pub chosen: Stored,
}

impl Store {
    /// Opens the database for reading, and looks.
    pub async fn inspect(url: &str) -> Result<Inspection, DbErr> {
        let is_sqlite = url.starts_with("sqlite:");
        if is_sqlite && !file_exists(url)? {
            return Ok(Inspection { exists: false, migrations: known(&[]), problems: vec![], chosen: Stored::new() });
        }
        let options = if is_sqlite { sqlite(url, 1, For::Reading) } else { postgres(url) };
        let db = Database::connect(options).await?;
        let migrations = known(&applied(&db, is_sqlite).await?);
        // The settings' own columns came with a later step.
        let current = migrations.iter().all(|m| m.applied);
        let chosen = if current { super::settings::all(&db).await? } else { BTreeMap::new() };
        let inspection = Inspection {
            exists: true,
            migrations,
            chosen: chosen.into_iter().map(|(key, row)| (key, row.value)).collect(),
            problems: if is_sqlite { problems(&db).await? } else { vec![] },
        };
        db.close().await?;
        Ok(inspection)
    }
}

fn file_exists(url: &str) -> Result<bool, DbErr> {
    let options = SqliteConnectOptions::from_str(url).map_err(|e| DbErr::Custom(e.to_string()))?;
    Ok(options.get_filename().exists())
}

fn known(applied: &[String]) -> Vec<Migration> {
    let names = Migrator::migrations().into_iter().map(|m| m.name().to_owned());
    names.map(|name| Migration { applied: applied.contains(&name), name }).collect()
}

/// Names of the migrations that were run; none on a database that never saw one.
async fn applied(db: &DatabaseConnection, is_sqlite: bool) -> Result<Vec<String>, DbErr> {
    let table = if is_sqlite {
        "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'"
    } else {
        "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL"
    };
    if Sql::new(table, vec![]).row(db).await?.is_none() {
        return Ok(vec![]);
    }
    let rows = Sql::new("SELECT version FROM seaql_migrations", vec![]).rows(db).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn problems(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let rows = Sql::new("PRAGMA quick_check(5)", vec![]).rows(db).await?;
    let said: Result<Vec<String>, DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(said?.into_iter().filter(|line| line != "ok").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn looking_creates_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("a.db").display());
        let before = Store::inspect(&url).await.unwrap();
        assert!(!before.exists && before.migrations.iter().all(|m| !m.applied));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        Store::open(&url).await.unwrap();
        let after = Store::inspect(&url).await.unwrap();
        assert!(after.exists && after.migrations.iter().all(|m| m.applied));
        assert_eq!(after.problems, Vec::<String>::new());
    }
}
