//! Organisations, teams and roles with the numbers of their people, and changing them.

use domain::{
    Level, OrganisationId, Reach, Time,
    account::BUILT_IN_ROLES,
    people::{OrganisationView, RoleView, TeamView},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::sql::{Sql, contains, values};

/// Where a page begins: after this name, in lower case, and id.
pub(crate) type After = (String, Uuid);

#[derive(FromQueryResult)]
struct OrganisationRow {
    id: Uuid,
    name: String,
    people: i64,
    teams: i64,
    created_at: i64,
}

/// What an organisation is asked for by.
pub(crate) fn organisations(reach: Reach, q: Option<&str>) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => {
            sql.push(" AND o.id = ?", values![id]);
        }
        Reach::Nothing => {
            sql.push(" AND 1 = 0", vec![]);
        }
    }
    if let Some(q) = q {
        sql.push(r" AND o.name_lower LIKE ? ESCAPE '\'", values![contains(q)]);
    }
    sql
}

pub(crate) async fn count(db: &impl ConnectionTrait, table: &str, condition: Sql) -> Result<u64, DbErr> {
    let mut sql = Sql::new(format!("SELECT count(*) FROM {table} WHERE "), vec![]);
    sql.append(condition);
    Ok(sql.number(db).await? as u64)
}

pub(crate) async fn organisation_page(
    db: &impl ConnectionTrait,
    condition: Sql,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<OrganisationView>, DbErr> {
    let mut sql = Sql::new(
        "SELECT o.id, o.name, o.created_at, \
         (SELECT count(*) FROM users u WHERE u.organisation_id = o.id) AS people, \
         (SELECT count(*) FROM teams t WHERE t.organisation_id = o.id) AS teams FROM organisations o WHERE ",
        vec![],
    );
    sql.append(condition);
    if let Some((name, id)) = after {
        sql.push(" AND (o.name_lower, o.id) > (?, ?)", values![name, id]);
    }
    sql.push(" ORDER BY o.name_lower, o.id LIMIT ?", values![i64::from(limit)]);
    let rows: Vec<OrganisationRow> = sql.all(db).await?;
    let view = |r: OrganisationRow| OrganisationView {
        id: r.id,
        name: r.name,
        people: r.people as u64,
        teams: r.teams as u64,
        created_at: Time(r.created_at),
    };
    Ok(rows.into_iter().map(view).collect())
}

#[derive(FromQueryResult)]
struct TeamRow {
    id: Uuid,
    name: String,
    organisation_id: Uuid,
    organisation: String,
    people: i64,
    created_at: i64,
}

pub(crate) fn teams(reach: Reach, organisation: Option<OrganisationId>) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => {
            sql.push(" AND t.organisation_id = ?", values![id]);
        }
        Reach::Nothing => {
            sql.push(" AND 1 = 0", vec![]);
        }
    }
    if let Some(id) = organisation {
        sql.push(" AND t.organisation_id = ?", values![id]);
    }
    sql
}

pub(crate) async fn team_page(
    db: &impl ConnectionTrait,
    condition: Sql,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<TeamView>, DbErr> {
    let mut sql = Sql::new(
        "SELECT t.id, t.name, t.organisation_id, o.name AS organisation, t.created_at, \
         (SELECT count(*) FROM team_members m WHERE m.team_id = t.id) AS people \
         FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE ",
        vec![],
    );
    sql.append(condition);
    if let Some((name, id)) = after {
        sql.push(" AND (t.name_lower, t.id) > (?, ?)", values![name, id]);
    }
    sql.push(" ORDER BY t.name_lower, t.id LIMIT ?", values![i64::from(limit)]);
    let rows: Vec<TeamRow> = sql.all(db).await?;
    let view = |r: TeamRow| TeamView {
        id: r.id,
        name: r.name,
        organisation_id: r.organisation_id,
        organisation: r.organisation,
        people: r.people as u64,
        created_at: Time(r.created_at),
    };
    Ok(rows.into_iter().map(view).collect())
}

#[derive(FromQueryResult)]
struct RoleRow {
    id: Uuid,
    name: String,
    level: String,
    people: i64,
}

/// All roles, the most powerful first, with the people of each within reach.
pub(crate) async fn roles(db: &impl ConnectionTrait, reach: Reach) -> Result<Vec<RoleView>, DbErr> {
    let mut sql = Sql::new("SELECT r.id, r.name, r.level, (SELECT count(*) FROM users u WHERE u.role = r.name", vec![]);
    if let Reach::Organisation(id) = reach {
        sql.push(" AND u.organisation_id = ?", values![id]);
    }
    sql.push(") AS people FROM roles r ORDER BY r.name", vec![]);
    let rows: Vec<RoleRow> = sql.all(db).await?;
    let view = |r: RoleRow| RoleView {
        id: r.id,
        built_in: BUILT_IN_ROLES.iter().any(|(name, _)| *name == r.name),
        name: r.name,
        // An unknown level must never open anything.
        level: Level::parse(&r.level).unwrap_or(Level::Member),
        people: r.people as u64,
    };
    let mut roles: Vec<RoleView> = rows.into_iter().map(view).collect();
    roles.sort_by_key(|r| std::cmp::Reverse(r.level));
    Ok(roles)
}

/// The name of the organisation, team or role with this id.
pub(crate) async fn name_of(db: &impl ConnectionTrait, table: &str, id: Uuid) -> Result<Option<String>, DbErr> {
    let row = Sql::new(format!("SELECT name FROM {table} WHERE id = ?"), values![id]).row(db).await?;
    row.map(|r| r.try_get_by_index(0)).transpose()
}

pub(crate) async fn add_organisation(
    db: &impl ConnectionTrait,
    id: OrganisationId,
    name: &str,
    now: Time,
) -> Result<u64, DbErr> {
    let text = "INSERT INTO organisations (id, name, name_lower, created_at) VALUES (?, ?, ?, ?)";
    Sql::new(text, values![id, name, name.to_lowercase(), now.0]).run(db).await
}

pub(crate) async fn add_team(
    db: &impl ConnectionTrait,
    id: Uuid,
    organisation: OrganisationId,
    name: &str,
    now: Time,
) -> Result<u64, DbErr> {
    let text = "INSERT INTO teams (id, organisation_id, name, name_lower, created_at) VALUES (?, ?, ?, ?, ?)";
    Sql::new(text, values![id, organisation, name, name.to_lowercase(), now.0]).run(db).await
}

pub(crate) async fn add_role(db: &impl ConnectionTrait, id: Uuid, name: &str, level: Level) -> Result<u64, DbErr> {
    let text = "INSERT INTO roles (id, name, level) VALUES (?, ?, ?)";
    Sql::new(text, values![id, name, level.as_str()]).run(db).await
}

/// Renames an organisation or a team.
pub(crate) async fn rename(db: &impl ConnectionTrait, table: &str, id: Uuid, name: &str) -> Result<u64, DbErr> {
    let text = format!("UPDATE {table} SET name = ?, name_lower = ? WHERE id = ?");
    Sql::new(text, values![name, name.to_lowercase(), id]).run(db).await
}

pub(crate) async fn delete(db: &impl ConnectionTrait, table: &str, id: Uuid) -> Result<u64, DbErr> {
    Sql::new(format!("DELETE FROM {table} WHERE id = ?"), values![id]).run(db).await
}

pub(crate) async fn set_level(db: &impl ConnectionTrait, id: Uuid, level: Level) -> Result<u64, DbErr> {
    Sql::new("UPDATE roles SET level = ? WHERE id = ?", values![level.as_str(), id]).run(db).await
}

/// Gives these people, a condition on `users u`, another organisation, and takes them out of their teams.
pub(crate) async fn move_people(
    db: &impl ConnectionTrait,
    whom: &Sql,
    to: Option<OrganisationId>,
) -> Result<u64, DbErr> {
    let mut sql = Sql::new("DELETE FROM team_members WHERE user_id IN (SELECT u.id FROM users u WHERE ", vec![]);
    sql.append(whom.clone()).push(")", vec![]).clone().run(db).await?;
    let mut sql =
        Sql::new("UPDATE users SET organisation_id = ? WHERE id IN (SELECT u.id FROM users u WHERE ", values![to]);
    sql.append(whom.clone()).push(")", vec![]).clone().run(db).await
}

/// Gives the people of one role another.
pub(crate) async fn change_role(db: &impl ConnectionTrait, from: &str, to: &str) -> Result<u64, DbErr> {
    Sql::new("UPDATE users SET role = ? WHERE role = ?", values![to, from]).run(db).await
}

/// Gives a role another name and level. Accounts refer to the name, so the new one is there before the old one goes; in
/// between it is the old one that has no id.
pub(crate) async fn rename_role(
    db: &impl ConnectionTrait,
    old: &RoleView,
    name: &str,
    level: Level,
) -> Result<u64, DbErr> {
    Sql::new("UPDATE roles SET id = NULL WHERE id = ?", values![old.id]).run(db).await?;
    add_role(db, old.id, name, level).await?;
    change_role(db, &old.name, name).await?;
    Sql::new("DELETE FROM roles WHERE name = ?", values![old.name.as_str()]).run(db).await
}

/// Puts the people of one team into another.
pub(crate) async fn change_team(db: &impl ConnectionTrait, from: Uuid, to: Uuid) -> Result<u64, DbErr> {
    let text = "INSERT INTO team_members (user_id, team_id) SELECT user_id, ? FROM team_members WHERE team_id = ? \
                AND user_id NOT IN (SELECT user_id FROM team_members WHERE team_id = ?)";
    Sql::new(text, values![to, from, to]).run(db).await
}

/// Numbers these people's cards as changed, so that every process learns of it.
pub(crate) async fn changed(db: &impl ConnectionTrait, whom: Sql, now: Time) -> Result<u64, DbErr> {
    let raise = "UPDATE counters SET value = value + 1 WHERE name = 'endings' RETURNING value";
    let seq = Sql::new(raise, vec![]).number(db).await?;
    let mut sql = Sql::new(
        "INSERT INTO card_changes (seq, user_id, at) SELECT CAST(? AS bigint), u.id, CAST(? AS bigint) FROM users u WHERE ",
        values![seq, now.0],
    );
    sql.append(whom).clone().run(db).await
}
