//! A connection to SQLite kept out of the pool, for the one read that any request may have to wait for: a session by
//! its token. The pool sends each connection it gets back a ping, which takes as long as such a read.

use domain::Time;
use sea_orm::{
    DatabaseConnection, DbErr, QueryResult, RuntimeErr,
    sqlx::{self, AssertSqlSafe, Connection, SqliteConnection},
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex, oneshot};

use super::{card::marks, live};

/// How many rows one statement asks for at most.
const MOST: usize = 16;
/// Texts for so many; made once.
static BY_HASH: LazyLock<[(usize, Arc<str>); 3]> =
    LazyLock::new(|| [1, 4, MOST].map(|n| (n, live::select(&format!("s.token_hash IN ({})", marks(n))).into())));

type Hash = [u8; 32];
type Row = Option<Arc<QueryResult>>;

/// Somebody who waits for a row.
#[derive(Debug)]
struct Asked {
    hash: Hash,
    now: Time,
    answer: oneshot::Sender<Row>,
}

#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Nothing once the store is closed. Waits while those before are answered, a tenth of a millisecond.
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    /// All who ask while the connection is busy are answered together, by the next of them that gets it: each statement
    /// is handed to SQLite's thread and back, which costs more than the read.
    waiting: Arc<std::sync::Mutex<Vec<Asked>>>,
}

impl Kept {
    pub(super) async fn take(pool: &DatabaseConnection) -> Result<Self, DbErr> {
        let connection = pool.get_sqlite_connection_pool().acquire().await.map_err(failed)?.detach();
        Ok(Self { connection: Arc::new(Mutex::new(Some(connection))), waiting: Arc::default() })
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Asked>> {
        // Nothing panics while it is held but for want of memory.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of the live session with this token, if there is one.
    pub(super) async fn by_hash(&self, hash: &Hash, now: Time) -> Result<Row, DbErr> {
        loop {
            let (answer, mut heard) = oneshot::channel();
            self.waiting().push(Asked { hash: *hash, now, answer });
            let mut connection = tokio::select! {
                biased;
                row = &mut heard => match row {
                    Ok(row) => return Ok(row),
                    // Whoever asked for all of us went away or failed.
                    Err(_) => continue,
                },
                connection = self.connection.lock() => connection,
            };
            let Some(open) = connection.as_mut() else {
                return Err(DbErr::Conn(RuntimeErr::Internal("the database is closed".to_owned())));
            };
            let mut asked = std::mem::take(&mut *self.waiting());
            while !asked.is_empty() {
                let rest = asked.split_off(asked.len().min(MOST));
                answer_all(open, asked).await?;
                asked = rest;
            }
            if let Ok(row) = heard.try_recv() {
                return Ok(row);
            }
        }
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(e) = connection.close().await
        {
            tracing::warn!(error = %e, "closing the connection for sessions");
        }
    }
}

/// Answers at most `MOST` with one statement.
async fn answer_all(connection: &mut SqliteConnection, asked: Vec<Asked>) -> Result<(), DbErr> {
    let Some(last) = asked.last() else { return Ok(()) };
    let Some((size, text)) = BY_HASH.iter().find(|(n, _)| *n >= asked.len()) else { return Ok(()) };
    let hashes = asked.iter().chain(std::iter::repeat(last)).take(*size);
    let query = hashes.fold(sqlx::query(AssertSqlSafe(Arc::clone(text))), |q, a| q.bind(a.hash.to_vec()));
    let now = asked.iter().map(|a| a.now.0).max();
    let query = query.bind(now);
    // Of one, the next step would only tell that there is no second.
    let rows = if *size == 1 {
        query.fetch_optional(connection).await.map(Vec::from_iter)
    } else {
        query.fetch_all(connection).await
    };
    let rows = rows.map_err(failed)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows.into_iter().map(QueryResult::from) {
        found.insert(row.try_get::<Vec<u8>>("", "token_hash")?, Arc::new(row));
    }
    for a in asked {
        // Whoever went away meanwhile hears nothing.
        let _ = a.answer.send(found.get(a.hash.as_slice()).cloned());
    }
    Ok(())
}

fn failed(e: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(e)))
}
