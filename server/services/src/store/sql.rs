//! One statement with its values, for both databases. `?` becomes `$1`, `$2`, … for PostgreSQL. SQLite gets it as it is:
//! it looks each numbered parameter up among all of them, so that a statement's cost would grow with their square.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryResult, Statement, Value};

/// The values of a statement, each turned into what the database takes.
macro_rules! values {
    ($($v:expr),* $(,)?) => { vec![$(sea_orm::Value::from($v)),*] };
}
pub(crate) use values;

/// SQL text with `?` for each value, in order. Text never comes from outside; values always go through here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values }
    }

    /// Adds text and its values.
    pub(crate) fn push(&mut self, text: &str, values: Vec<Value>) -> &mut Self {
        self.text.push_str(text);
        self.values.extend(values);
        self
    }

    /// Adds another piece.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.push(&other.text, other.values)
    }

    /// The same with other words; values keep their places.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        self.text = self.text.replace(from, to);
        self
    }

    fn statement(mut self, db: &impl ConnectionTrait) -> Statement {
        for value in &mut self.values {
            // PostgreSQL refuses NUL within text. No stored text has one, so this matches as little as it should.
            if let Value::String(Some(text)) = value
                && text.contains('\0')
            {
                *value = Value::from(text.replace('\0', "\u{fffd}"));
            }
        }
        let backend = db.get_database_backend();
        debug_assert_eq!(self.text.matches('?').count(), self.values.len(), "as many ? as values: {}", self.text);
        let text = if backend == DbBackend::Postgres { numbered(&self.text) } else { self.text };
        Statement::from_sql_and_values(backend, text, self.values)
    }

    /// Runs it; how many rows it changed.
    pub(crate) async fn run(self, db: &impl ConnectionTrait) -> Result<u64, DbErr> {
        Ok(db.execute_raw(self.statement(db)).await?.rows_affected())
    }

    pub(crate) async fn row(self, db: &impl ConnectionTrait) -> Result<Option<QueryResult>, DbErr> {
        db.query_one_raw(self.statement(db)).await
    }

    pub(crate) async fn rows(self, db: &impl ConnectionTrait) -> Result<Vec<QueryResult>, DbErr> {
        db.query_all_raw(self.statement(db)).await
    }

    pub(crate) async fn one<T: FromQueryResult>(self, db: &impl ConnectionTrait) -> Result<Option<T>, DbErr> {
        self.row(db).await?.map(|r| T::from_query_result(&r, "")).transpose()
    }

    pub(crate) async fn all<T: FromQueryResult>(self, db: &impl ConnectionTrait) -> Result<Vec<T>, DbErr> {
        self.rows(db).await?.iter().map(|r| T::from_query_result(r, "")).collect()
    }

    /// The number in the first column; 0 when there is no row.
    pub(crate) async fn number(self, db: &impl ConnectionTrait) -> Result<i64, DbErr> {
        let row = self.row(db).await?;
        row.map_or(Ok(0), |r| r.try_get_by_index::<Option<i64>>(0).map(Option::unwrap_or_default))
    }
}

/// Runs several in order, of which none needs an answer of another; how many rows they changed in all. SQLite gets them
/// as one text: handing a statement to its thread and back takes longer than most of them.
pub(crate) async fn run_all(
    db: &impl ConnectionTrait,
    statements: impl IntoIterator<Item = Sql>,
) -> Result<u64, DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        let mut changed = 0;
        for statement in statements {
            changed += statement.run(db).await?;
        }
        return Ok(changed);
    }
    let mut all = Sql::default();
    for statement in statements {
        all.append(statement).push("; ", vec![]);
    }
    all.run(db).await
}

fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + text.len() / 4);
    let mut n = 0;
    for c in text.chars() {
        if c == '?' {
            n += 1;
            numbered.push('$');
            numbered.push_str(&n.to_string());
        } else {
            numbered.push(c);
        }
    }
    numbered
}

/// Text made a part of a LIKE pattern, with its wildcards taken literally; to be used with `ESCAPE '\'`.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_literal() {
        assert_eq!(contains(" 50%_A\\ "), r"%50\%\_a\\%");
    }
}
