//! The database: SQLite by default, PostgreSQL by URL.
//!
//! Lives here: opening, migrating, the one queue of writers, named queries by noun, and how a database's error is told.
//! Entities and rows never leave this folder; services get domain types. Does not live here: permissions, and what an
//! act consists of. To add a noun: a migration, an entity, a file of named queries.
//!
//! Statements that must be quick or exact are written out as SQL both databases read alike; plain reads and writes by
//! key go through the entities.

pub(crate) mod audit;
pub(crate) mod card;
pub(crate) mod checkpoint;
pub(crate) mod checkup;
pub(crate) mod data;
pub(crate) mod days;
pub(crate) mod directory;
pub(crate) mod ending;
#[expect(unreachable_pub, reason = "SeaORM's derives make items that must be as visible as their own")]
pub(crate) mod entity;
mod error;
pub(crate) mod events;
pub(crate) mod feed;
pub(crate) mod files;
pub(crate) mod groups;
mod inspect;
pub(crate) mod interval;
mod kept;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod mail;
pub(crate) mod notices;
pub(crate) mod people;
pub(crate) mod reports;
pub(crate) mod rules;
pub(crate) mod sealed;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sql;
pub(crate) mod stats;
pub(crate) mod sweep;
pub(crate) mod throttle;
pub(crate) mod timeline;
pub(crate) mod today;
pub(crate) mod token;
pub(crate) mod traffic;
pub(crate) mod user;
pub(crate) mod visits;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::ApiError;
use migrations::Migrator;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;

pub use self::inspect::{Inspection, Migration};
use self::kept::Kept;
pub(crate) use self::{
    error::{db, is_taken},
    sql::{Sql, values},
};

/// A request may wait this long for a connection, a lock or an answer before it is told 503.
const PATIENCE: Duration = Duration::from_secs(5);
/// Readers of SQLite: two for each core of a small machine, so that one long list does not hold up the others.
const READERS: u32 = 4;
/// Connections to PostgreSQL: well under its default of 100, with room for several nodes.
const POSTGRES_CONNECTIONS: u32 = 12;
/// The writers' lock on PostgreSQL; any number will do, as long as it is ours.
const WRITER_LOCK: i64 = 0x726f_6c6c;

/// The database; a cheap clone.
#[derive(Clone, Debug)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    /// Of SQLite only.
    kept: Option<Kept>,
    /// Of SQLite only: moves what was committed into the file.
    checkpointer: Option<DatabaseConnection>,
    /// Transactions begun so far.
    begun: Arc<AtomicU64>,
}

/// What a connection to SQLite is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// The first of all, and closed before any other is opened.
    Migrating,
    Writing,
    Reading,
    /// Waits for nobody: what it is in the way of goes first.
    Checkpoints,
}

fn sqlite(url: &str, connections: u32, purpose: For) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        // A file does not hang up: asking first would double the time of a read by its key.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |o| {
            // WAL with NORMAL: a commit is in the operating system's hands when it is answered, so a killed process
            // loses nothing. Only a power cut may take the last commits back; FULL would cost an fsync for each.
            let o = o
                .busy_timeout(if purpose == For::Checkpoints { Duration::ZERO } else { PATIENCE })
                .foreign_keys(true)
                .synchronous(SqliteSynchronous::Normal)
                // The system caches the file already; more of it here is memory five times over. Whoever writes holds what
                // a batch of events changes, or it is written more than once.
                .pragma("cache_size", if purpose == For::Writing { "-16000" } else { "-2000" })
                .pragma("wal_autocheckpoint", checkpoint::WRITERS_OWN)
                // A migration may sort all there is.
                .pragma("temp_store", if purpose == For::Migrating { "file" } else { "memory" });
            match purpose {
                For::Writing | For::Migrating => o.create_if_missing(true).journal_mode(SqliteJournalMode::Wal),
                For::Reading => o.read_only(true),
                For::Checkpoints => o,
            }
        });
    options
}

fn postgres(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .sqlx_logging(false)
        // A node that freezes within a transaction must not keep the writers' lock for ever.
        .map_sqlx_postgres_opts(|o| {
            o.options([("lock_timeout", "5000"), ("idle_in_transaction_session_timeout", "10000")])
        });
    options
}

impl Store {
    /// Opens `sqlite:` or `postgres:`, and runs the migrations that are missing.
    pub async fn open(url: &str) -> Result<Self, DbErr> {
        let store = if url.starts_with("sqlite:") {
            let migrating = Database::connect(sqlite(url, 1, For::Migrating)).await?;
            Self::migrate(&migrating).await?;
            migrating.close().await?;
            let write = Database::connect(sqlite(url, 1, For::Writing)).await?;
            let read = Database::connect(sqlite(url, READERS, For::Reading)).await?;
            let checkpointer = Some(Database::connect(sqlite(url, 1, For::Checkpoints)).await?);
            Self { write, kept: Some(Kept::take(&read).await?), read, checkpointer, begun: Arc::default() }
        } else {
            let pool = Database::connect(postgres(url)).await?;
            Self::migrate(&pool).await?;
            Self { write: pool.clone(), read: pool, kept: None, checkpointer: None, begun: Arc::default() }
        };
        Ok(store)
    }

    /// Opens what is there for reading alone: nothing is made, and nothing migrated.
    pub(crate) async fn open_to_look(url: &str) -> Result<Self, DbErr> {
        let options = if url.starts_with("sqlite:") { sqlite(url, 1, For::Reading) } else { postgres(url) };
        let read = Database::connect(options).await?;
        Ok(Self { write: read.clone(), read, kept: None, checkpointer: None, begun: Arc::default() })
    }

    /// Two processes may start on a fresh database at once: whoever comes second finds the work done.
    async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
        for _ in 0..5 {
            match Migrator::up(db, None).await {
                Ok(()) => return Ok(()),
                Err(e) => tracing::debug!(error = %e, "migrating again"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Migrator::up(db, None).await
    }

    /// For reads that may be a moment old: never waits for a writer.
    pub(crate) fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single statements that change something.
    pub(crate) fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// A transaction that writes. Writers queue, as SQLite wants it; on PostgreSQL behind one lock, so that limits hold
    /// under parallel sign-ins, endings are numbered in the order of their commits, and no two acts can deadlock. A
    /// sign-in holds it for a few milliseconds beside tens of hashing.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        self.begun.fetch_add(1, Relaxed);
        let txn = self.write.begin_with_options(options).await?;
        if self.is_postgres() {
            Sql::new("SELECT pg_advisory_xact_lock(?)", values![WRITER_LOCK]).rows(&txn).await?;
        }
        Ok(txn)
    }

    /// How many of those there were: whether anybody else writes.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Postgres
    }

    /// Connections in use and connections there are: of readers, and of the writer where it has its own.
    pub(crate) fn pool(&self) -> (u32, u32) {
        let used = |size: u32, idle: usize| (size.saturating_sub(idle as u32), size);
        if self.is_postgres() {
            let pool = self.read.get_postgres_connection_pool();
            return used(pool.size(), pool.num_idle());
        }
        let all = [&self.read, &self.write].map(|c| {
            let pool = c.get_sqlite_connection_pool();
            used(pool.size(), pool.num_idle())
        });
        (all[0].0 + all[1].0, all[0].1 + all[1].1)
    }

    /// Whether the database answers, within the patience of a request. For readiness probes.
    pub async fn is_ready(&self) -> bool {
        self.within(async {
            Sql::new("SELECT value FROM counters WHERE name = 'endings'", vec![]).number(&self.read).await
        })
        .await
        .is_ok()
    }

    /// A transaction that reads: what it sees does not change while it lasts.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        let isolation_level = self.is_postgres().then_some(IsolationLevel::RepeatableRead);
        self.read.begin_with_options(TransactionOptions { isolation_level, ..Default::default() }).await
    }

    /// Awaits a query, and gives up with 503 when the database does not answer at all.
    pub(crate) async fn within<T>(&self, query: impl Future<Output = Result<T, DbErr>>) -> Result<T, ApiError> {
        let Ok(result) = tokio::time::timeout(2 * PATIENCE, query).await else {
            tracing::error!("the database did not answer in time");
            return Err(ApiError::unavailable());
        };
        result.map_err(db)
    }

    /// Closes every connection; whoever asks afterwards is told 503.
    pub async fn close(&self) {
        if let Some(kept) = &self.kept {
            kept.close().await;
        }
        let (write, read) = (self.write.clone(), self.read.clone());
        let checkpointer = self.checkpointer.clone().map(|c| ("checkpointer", c));
        for (name, connection) in checkpointer.into_iter().chain([("readers", read), ("writer", write)]) {
            if let Err(e) = connection.close().await {
                tracing::warn!(error = %e, "closing the {name}");
            }
        }
    }
}
