//! Reading who somebody is: the card of an account, with role, organisation and teams.

use std::collections::HashMap;

use domain::{
    Level, UserId,
    account::{Named, UserCard},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::sql::{Sql, values};

/// The columns of a card, for queries that join `users u`, `roles r` and `organisations o`.
pub(crate) const COLUMNS: &str = "u.id AS user_id, u.username, u.name, u.email, u.role, r.level, u.organisation_id, \
                                  o.name AS organisation, \
                                  EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id) AS in_teams, \
                                  EXISTS (SELECT 1 FROM second_factors f WHERE f.user_id = u.id \
                                  AND f.confirmed_at IS NOT NULL) AS second_factor";
/// What such a query joins to `users u`.
pub(crate) const JOINS: &str = "JOIN roles r ON r.name = u.role LEFT JOIN organisations o ON o.id = u.organisation_id";

/// A card without its teams.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Row {
    user_id: Uuid,
    username: String,
    name: String,
    email: Option<String>,
    role: String,
    level: String,
    organisation_id: Option<Uuid>,
    organisation: Option<String>,
    in_teams: bool,
    second_factor: bool,
}

impl Row {
    fn into_card(self, teams: Vec<Named>) -> UserCard {
        UserCard {
            id: self.user_id,
            username: self.username,
            name: self.name,
            email: self.email,
            // An unknown level must never open anything.
            level: Level::parse(&self.level).unwrap_or(Level::Member),
            role: self.role,
            organisation: self.organisation_id.zip(self.organisation).map(|(id, name)| Named { id, name }),
            teams,
            second_factor: self.second_factor,
        }
    }

    /// The card, after asking for the teams; of those who are in none, which are most, the check of a session that is
    /// not in memory costs a single query.
    pub(crate) async fn complete(self, db: &impl ConnectionTrait) -> Result<UserCard, DbErr> {
        if !self.in_teams {
            return Ok(self.into_card(vec![]));
        }
        let mut teams = teams_of(db, &[self.user_id]).await?;
        let teams = teams.remove(&self.user_id).unwrap_or_default();
        Ok(self.into_card(teams))
    }
}

/// Completes many at once.
pub(crate) async fn complete_all(db: &impl ConnectionTrait, rows: Vec<Row>) -> Result<Vec<UserCard>, DbErr> {
    let ids: Vec<UserId> = rows.iter().map(|r| r.user_id).collect();
    let mut teams = teams_of(db, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let t = teams.remove(&r.user_id).unwrap_or_default();
            r.into_card(t)
        })
        .collect())
}

/// Cards by user id; those that are not there are left out.
pub(crate) async fn by_ids(db: &impl ConnectionTrait, ids: &[UserId]) -> Result<Vec<UserCard>, DbErr> {
    let mut cards = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(1_000) {
        let text = format!("SELECT {COLUMNS} FROM users u {JOINS} WHERE u.id IN ({})", marks(chunk.len()));
        let rows = Sql::new(text, chunk.iter().map(|id| Value::from(*id)).collect()).all(db).await?;
        cards.extend(complete_all(db, rows).await?);
    }
    Ok(cards)
}

pub(crate) async fn by_username(db: &impl ConnectionTrait, username: &str) -> Result<Option<UserCard>, DbErr> {
    let text = format!("SELECT {COLUMNS} FROM users u {JOINS} WHERE u.username = ?");
    match Sql::new(text, values![username]).one::<Row>(db).await? {
        Some(row) => Ok(Some(row.complete(db).await?)),
        None => Ok(None),
    }
}

#[derive(FromQueryResult)]
struct TeamRow {
    user_id: Uuid,
    id: Uuid,
    name: String,
}

async fn teams_of(db: &impl ConnectionTrait, users: &[UserId]) -> Result<HashMap<UserId, Vec<Named>>, DbErr> {
    let mut teams: HashMap<UserId, Vec<Named>> = HashMap::new();
    for chunk in users.chunks(1_000) {
        let text = format!(
            "SELECT m.user_id, t.id, t.name FROM team_members m JOIN teams t ON t.id = m.team_id \
             WHERE m.user_id IN ({}) ORDER BY t.name_lower",
            marks(chunk.len())
        );
        let rows: Vec<TeamRow> = Sql::new(text, chunk.iter().map(|id| Value::from(*id)).collect()).all(db).await?;
        for r in rows {
            teams.entry(r.user_id).or_default().push(Named { id: r.id, name: r.name });
        }
    }
    Ok(teams)
}

/// `?, ?, ?`.
pub(crate) fn marks(n: usize) -> String {
    vec!["?"; n].join(", ")
}
