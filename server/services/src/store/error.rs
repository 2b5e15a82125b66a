//! How a database's error is told: logged in full, answered without anything of the inside.

use domain::ApiError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// 503 when the database is away, busy or full; 500 when it says that we are wrong.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn db(e: DbErr) -> ApiError {
    let away = is_away(&e);
    tracing::error!(error = %e, away, "the database failed");
    if away { ApiError::unavailable() } else { ApiError::internal() }
}

/// Whether it broke a UNIQUE rule.
pub(crate) fn is_taken(e: &DbErr) -> bool {
    matches!(e.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}

fn is_away(e: &DbErr) -> bool {
    match e {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => match &**e {
            sqlx::Error::Database(e) => e.code().is_some_and(|c| code_is_away(&c)),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => true,
            _ => false,
        },
        _ => false,
    }
}

/// SQLite: busy (5), locked (6), I/O (10), full (13), cannot open (14), by the low byte of an extended code.
/// PostgreSQL: connections (08), resources (53), shut down (57), locks (55P03), deadlocks and serialisation (40), I/O
/// (58).
fn code_is_away(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "53", "57", "40", "58"].iter().any(|class| code.starts_with(class)) || code == "55P03";
    }
    code.parse::<u32>().is_ok_and(|n| matches!(n & 0xff, 5 | 6 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases() {
        for away in ["5", "517", "10", "266", "13", "57P01", "08006", "55P03", "40P01"] {
            assert!(code_is_away(away), "{away}");
        }
        for ours in ["1", "19", "2067", "23505", "42P01"] {
            assert!(!code_is_away(ours), "{ours}");
        }
    }
}
