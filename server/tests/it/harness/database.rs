//! A look into the server's database, past the server.

use std::{collections::BTreeMap, path::Path};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

pub(crate) struct Database(DatabaseConnection);

impl Database {
    pub(crate) async fn open(dir: &Path) -> Self {
        let url = format!("sqlite://{}", dir.join("rollcall.db").display());
        Self(sea_orm::Database::connect(url).await.unwrap())
    }

    /// The first column of every row, as text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.0.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
        rows.unwrap_or_else(|e| panic!("{sql}: {e}")).iter().map(|r| r.try_get_by_index(0).unwrap()).collect()
    }

    /// The first column of the only row, a number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let row = self.0.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.0.execute_unprepared(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Everything in it: table → rows; but for the server's proof of life, which it renews by itself, and its count of
    /// requests.
    pub(crate) async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        for table in self.texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'traffic_15m'").await {
            let columns = self.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let quoted: Vec<String> = columns.iter().map(|c| format!("quote(\"{c}\")")).collect();
            let sql = format!("SELECT {} AS line FROM \"{table}\" ORDER BY line", quoted.join(" || ',' || "));
            let mut rows = self.texts(&sql).await;
            rows.retain(|r| !r.contains("'presence_proved_at'"));
            all.insert(table, rows);
        }
        all
    }
}

/// The database as bytes, with what is still in its log.
pub(crate) fn bytes(dir: &Path) -> Vec<u8> {
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap_or_default();
    [read("rollcall.db"), read("rollcall.db-wal")].concat()
}
