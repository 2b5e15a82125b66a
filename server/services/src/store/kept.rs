//! A connection to SQLite kept out of the pool, for the one read that any request may have to wait for: a session by
//! its token. The pool sends each connection it gets back a ping, which takes as long as such a read.

use domain::Time;
use sea_orm::{
    DatabaseConnection, DbErr, QueryResult, RuntimeErr,
    sqlx::{self, AssertSqlSafe, Connection, SqliteConnection},
};
use std::sync::{Arc, LazyLock};
use tokio::sync::Mutex;

use super::live;

/// The text is a constant; made once.
static BY_HASH: LazyLock<Arc<str>> = LazyLock::new(|| live::select("s.token_hash = ?").into());

#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Nothing once the store is closed. Waits while the one before is answered, a tenth of a millisecond.
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Kept {
    pub(super) async fn take(pool: &DatabaseConnection) -> Result<Self, DbErr> {
        let connection = pool.get_sqlite_connection_pool().acquire().await.map_err(failed)?.detach();
        Ok(Self { connection: Arc::new(Mutex::new(Some(connection))) })
    }

    /// The row of the live session with this token, if there is one.
    pub(super) async fn by_hash(&self, hash: &[u8; 32], now: Time) -> Result<Option<QueryResult>, DbErr> {
        let mut connection = self.connection.lock().await;
        let Some(connection) = connection.as_mut() else {
            return Err(DbErr::Conn(RuntimeErr::Internal("the database is closed".to_owned())));
        };
        let query = sqlx::query(AssertSqlSafe(Arc::clone(&BY_HASH))).bind(hash.as_slice()).bind(now.0);
        Ok(query.fetch_optional(connection).await.map_err(failed)?.map(QueryResult::from))
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(e) = connection.close().await
        {
            tracing::warn!(error = %e, "closing the connection for sessions");
        }
    }
}

fn failed(e: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(e)))
}
