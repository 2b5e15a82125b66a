//! Who asked to be told of uploads, and what they were told of.
//!
//! A notice holds no word of its upload: what it says is read from the upload's row, within the reach its reader has then.

use domain::{
    OrganisationId, Reach, Time, UserId,
    access::{Action, reach},
    account::{Named, UserCard},
    files::{File, FileFilter},
    notices::{COUNTED_MAX, MailWhen, Notice, Subscription, TimeOfDay},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{
    files::{self, Table},
    sql::{Sql, values},
};

/// Somebody who asked for an upload that came.
#[derive(FromQueryResult)]
pub(crate) struct Asked {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    mail: String,
    at_minute: i64,
}

impl Asked {
    pub(crate) fn mail(&self) -> MailWhen {
        MailWhen::parse(&self.mail).unwrap_or(MailWhen::Never)
    }

    pub(crate) fn at(&self) -> TimeOfDay {
        TimeOfDay::of_minutes(self.at_minute).unwrap_or(TimeOfDay::MORNING)
    }
}

/// Who asked for an upload of this person, of this organisation and workflow; never the person themselves. Whether they
/// may see it is not asked here.
pub(crate) async fn asked(
    txn: &DatabaseTransaction,
    by: UserId,
    organisation: Option<OrganisationId>,
    workflow: Option<&str>,
) -> Result<Vec<Asked>, DbErr> {
    let text = "SELECT s.id, s.user_id, s.mail, s.at_minute FROM upload_subscriptions s \
                JOIN users u ON u.id = s.user_id WHERE u.disabled_at IS NULL AND s.user_id <> ? \
                AND (s.org_id IS NULL OR s.org_id = ?) AND (s.workflow IS NULL OR s.workflow = ?) \
                ORDER BY s.user_id, s.id";
    Sql::new(text, values![by, organisation, workflow]).all(txn).await
}

/// A notice about to be written.
pub(crate) struct New {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) upload: Uuid,
    pub(crate) subscription: Uuid,
    pub(crate) mail: Option<Uuid>,
    pub(crate) digest_at: Option<Time>,
    pub(crate) at: Time,
}

pub(crate) async fn insert(txn: &DatabaseTransaction, new: New) -> Result<(), DbErr> {
    let text = "INSERT INTO notices (id, user_id, upload_id, subscription_id, mail_id, digest_at, created_at) \
                VALUES (?, ?, ?, ?, ?, ?, ?)";
    let digest_at = new.digest_at.map(|at| at.0);
    let values = values![new.id, new.user, new.upload, new.subscription, new.mail, digest_at, new.at.0];
    Sql::new(text, values).run(txn).await.map(|_| ())
}

/// The notices `n` that this person may be told of now.
fn readable(select: &str, card: &UserCard) -> Sql {
    readable_within(select, card.id, reach(card.level, card.organisation.as_ref().map(|o| o.id), Action::Files))
}

fn readable_within(select: &str, user: UserId, reach: Reach) -> Sql {
    let mut sql = Sql::new(
        format!(
            "SELECT {select} FROM notices n JOIN uploads f ON f.id = n.upload_id JOIN users u ON u.id = f.user_id \
             WHERE n.user_id = ? AND "
        ),
        values![user],
    );
    sql.append(files::condition(Table::Uploads, reach, None, &FileFilter::default()));
    sql
}

#[derive(FromQueryResult)]
struct Told {
    notice_id: Uuid,
    noticed_at: i64,
    read_at: Option<i64>,
}

/// The newest first, those before `before`.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    user: UserId,
    reach: Reach,
    unread: bool,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Notice>, DbErr> {
    let columns = files::columns(Table::Uploads);
    let select = format!("n.id AS notice_id, n.created_at AS noticed_at, n.read_at, {columns}");
    let mut sql = readable_within(&select, user, reach);
    if unread {
        sql.push(" AND n.read_at IS NULL", vec![]);
    }
    if let Some(id) = before {
        sql.push(" AND n.id < ?", values![id]);
    }
    sql.push(" ORDER BY n.id DESC LIMIT ?", values![i64::from(limit)]);
    let of = |row: &sea_orm::QueryResult| {
        let (told, file) = (Told::from_query_result(row, "")?, files::Row::from_query_result(row, "")?);
        Ok(Notice {
            id: told.notice_id,
            upload: File::from(file).into(),
            created_at: Time(told.noticed_at),
            read_at: told.read_at.map(Time),
        })
    };
    sql.rows(db).await?.iter().map(of).collect()
}

/// How many there are, read or not.
pub(crate) async fn count(db: &impl ConnectionTrait, user: UserId, reach: Reach, unread: bool) -> Result<u64, DbErr> {
    let mut sql = readable_within("count(*)", user, reach);
    if unread {
        sql.push(" AND n.read_at IS NULL", vec![]);
    }
    Ok(sql.number(db).await? as u64)
}

/// How many somebody has not read, counted no further than is shown.
pub(crate) async fn unread(db: &impl ConnectionTrait, card: &UserCard) -> Result<u64, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM (", vec![]);
    sql.append(readable("1", card));
    sql.push(" AND n.read_at IS NULL LIMIT ?) t", values![COUNTED_MAX as i64 + 1]);
    Ok(sql.number(db).await? as u64)
}

/// Marks one as read, or all that are there now.
pub(crate) async fn read(db: &impl ConnectionTrait, user: UserId, id: Option<Uuid>, now: Time) -> Result<u64, DbErr> {
    let mut sql =
        Sql::new("UPDATE notices SET read_at = ? WHERE user_id = ? AND read_at IS NULL", values![now.0, user]);
    if let Some(id) = id {
        sql.push(" AND id = ?", values![id]);
    }
    sql.run(db).await
}

/// Whether there is such a notice of this person.
pub(crate) async fn is_theirs(db: &impl ConnectionTrait, user: UserId, id: Uuid) -> Result<bool, DbErr> {
    let text = "SELECT count(*) FROM notices WHERE user_id = ? AND id = ?";
    Ok(Sql::new(text, values![user, id]).number(db).await? > 0)
}

/// The uploads a mail tells of, as its reader may see them now, oldest first; nothing to somebody who is disabled, nor of
/// what they do not ask for any more.
pub(crate) async fn of_mail(
    db: &impl ConnectionTrait,
    mail: Uuid,
    card: &UserCard,
    limit: u32,
) -> Result<(Vec<File>, u64), DbErr> {
    let of = |select: &str| {
        let mut sql = readable(select, card);
        sql.push(
            " AND n.mail_id = ? AND n.subscription_id IS NOT NULL \
             AND EXISTS (SELECT 1 FROM users r WHERE r.id = n.user_id AND r.disabled_at IS NULL)",
            values![mail],
        );
        sql
    };
    let mut sql = of(&files::columns(Table::Uploads));
    sql.push(" ORDER BY n.id LIMIT ?", values![i64::from(limit)]);
    let rows: Vec<files::Row> = sql.all(db).await?;
    let all = of("count(*)").number(db).await? as u64;
    Ok((rows.into_iter().map(File::from).collect(), all))
}

/// Those for whom a daily mail is to be written.
pub(crate) async fn due(db: &impl ConnectionTrait, now: Time, limit: u32) -> Result<Vec<UserId>, DbErr> {
    let text = "SELECT DISTINCT user_id FROM notices WHERE digest_at IS NOT NULL AND digest_at <= ? LIMIT ?";
    let rows = Sql::new(text, values![now.0, i64::from(limit)]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// Puts what waits for somebody's daily mail into `mail`, or into none; how many notices, 0 where somebody else has done so.
pub(crate) async fn collect(
    txn: &DatabaseTransaction,
    user: UserId,
    now: Time,
    mail: Option<Uuid>,
) -> Result<u64, DbErr> {
    let text = "UPDATE notices SET digest_at = NULL, mail_id = ? WHERE user_id = ? AND digest_at IS NOT NULL AND digest_at <= ?";
    Sql::new(text, values![mail, user, now.0]).run(txn).await
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    org_id: Option<Uuid>,
    organisation: Option<String>,
    workflow: Option<String>,
    mail: String,
    at_minute: i64,
    created_at: i64,
}

impl From<Row> for Subscription {
    fn from(r: Row) -> Self {
        let mail = MailWhen::parse(&r.mail).unwrap_or(MailWhen::Never);
        let at = TimeOfDay::of_minutes(r.at_minute).filter(|_| mail == MailWhen::Daily);
        Self {
            id: r.id,
            organisation: r.org_id.zip(r.organisation).map(|(id, name)| Named { id, name }),
            workflow: r.workflow,
            mail,
            at: at.map(|at| at.to_string()),
            created_at: Time(r.created_at),
        }
    }
}

/// What somebody asked for, oldest first.
pub(crate) async fn subscriptions(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<Subscription>, DbErr> {
    let text = "SELECT s.id, s.org_id, o.name AS organisation, s.workflow, s.mail, s.at_minute, s.created_at \
                FROM upload_subscriptions s LEFT JOIN organisations o ON o.id = s.org_id WHERE s.user_id = ? ORDER BY s.id";
    let rows: Vec<Row> = Sql::new(text, values![user]).all(db).await?;
    Ok(rows.into_iter().map(Subscription::from).collect())
}

/// A subscription about to be written.
pub(crate) struct NewRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) workflow: Option<&'a str>,
    pub(crate) mail: MailWhen,
    pub(crate) at: TimeOfDay,
    pub(crate) now: Time,
}

pub(crate) async fn add_subscription(txn: &DatabaseTransaction, new: NewRow<'_>) -> Result<(), DbErr> {
    let text = "INSERT INTO upload_subscriptions (id, user_id, org_id, workflow, mail, at_minute, created_at) \
                VALUES (?, ?, ?, ?, ?, ?, ?)";
    let (mail, at) = (new.mail.as_str(), new.at.minutes());
    let values = values![new.id, new.user, new.organisation, new.workflow, mail, at, new.now.0];
    Sql::new(text, values).run(txn).await.map(|_| ())
}

/// Other mails for what is asked for already.
pub(crate) async fn change_subscription(
    txn: &DatabaseTransaction,
    id: Uuid,
    mail: MailWhen,
    at: TimeOfDay,
) -> Result<(), DbErr> {
    let text = "UPDATE upload_subscriptions SET mail = ?, at_minute = ? WHERE id = ?";
    Sql::new(text, values![mail.as_str(), at.minutes(), id]).run(txn).await.map(|_| ())
}

/// What is asked for no more is not mailed either, whatever waits.
pub(crate) async fn delete_subscription(txn: &DatabaseTransaction, user: UserId, id: Uuid) -> Result<bool, DbErr> {
    let waiting =
        "UPDATE notices SET digest_at = NULL WHERE subscription_id = ? AND user_id = ? AND digest_at IS NOT NULL";
    Sql::new(waiting, values![id, user]).run(txn).await?;
    let text = "DELETE FROM upload_subscriptions WHERE id = ? AND user_id = ?";
    Ok(Sql::new(text, values![id, user]).run(txn).await? == 1)
}
