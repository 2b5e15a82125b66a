//! Reports and their schedules.

use domain::{
    OrganisationId, Time, UserId,
    account::Named,
    notices::TimeOfDay,
    reports::{Every, Form, NewReport, NewSchedule, Progress, Report, Schedule, Subject},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::sql::{Sql, values};

/// A report about to be written.
pub(crate) struct New<'a> {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) asked: &'a NewReport,
    pub(crate) period: (Time, Time),
    /// The schedule it is made for, and when it was due.
    pub(crate) schedule: Option<(Uuid, Time)>,
    pub(crate) now: Time,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, new: New<'_>) -> Result<(), DbErr> {
    let text = "INSERT INTO reports (id, user_id, org_id, schedule_id, due_at, subject, format, from_at, to_at, \
                first_day, last_day, state, rows_done, tries, taken_until, mail, created_at, changed_at) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, 0, 0, ?, ?, ?)";
    let (a, (schedule, due)) = (new.asked, new.schedule.unzip());
    let values = values![
        new.id,
        new.user,
        a.organisation,
        schedule,
        due.map(|at| at.0),
        a.subject.as_str(),
        a.format.as_str(),
        new.period.0.0,
        new.period.1.0,
        a.from.as_str(),
        a.to.as_str(),
        a.mail,
        new.now.0,
        new.now.0,
    ];
    Sql::new(text, values).run(db).await.map(|_| ())
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    org_id: Option<Uuid>,
    organisation: Option<String>,
    subject: String,
    format: String,
    from_at: i64,
    to_at: i64,
    first_day: String,
    last_day: String,
    state: String,
    rows_done: i64,
    rows_total: Option<i64>,
    problem: Option<String>,
    output_id: Option<Uuid>,
    schedule_id: Option<Uuid>,
    mail: bool,
    created_at: i64,
    ended_at: Option<i64>,
}

impl Row {
    fn view(self) -> Result<Report, DbErr> {
        let (subject, format) = subject(&self.subject, &self.format)?;
        Ok(Report {
            id: self.id,
            subject,
            format,
            organisation: self.org_id.zip(self.organisation).map(|(id, name)| Named { id, name }),
            from: Time(self.from_at),
            to: Time(self.to_at),
            first_day: self.first_day,
            last_day: self.last_day,
            state: Progress::parse(&self.state).ok_or_else(|| strange(&self.state))?,
            rows: self.rows_done as u64,
            rows_total: self.rows_total.map(|n| n as u64),
            problem: self.problem,
            output: self.output_id,
            schedule: self.schedule_id,
            mail: self.mail,
            created_at: Time(self.created_at),
            ended_at: self.ended_at.map(Time),
        })
    }
}

fn strange(word: &str) -> DbErr {
    DbErr::Type(format!("a report of an unknown word: {word}"))
}

fn subject(subject: &str, format: &str) -> Result<(Subject, Form), DbErr> {
    Subject::parse(subject).zip(Form::parse(format)).ok_or_else(|| strange(&format!("{subject}, {format}")))
}

const SELECT: &str = "SELECT r.id, r.org_id, o.name AS organisation, r.subject, r.format, r.from_at, r.to_at, \
                      r.first_day, r.last_day, r.state, r.rows_done, r.rows_total, r.problem, r.output_id, \
                      r.schedule_id, r.mail, r.created_at, r.ended_at FROM reports r \
                      LEFT JOIN organisations o ON o.id = r.org_id WHERE ";

/// Somebody's reports, the newest first, those before `before`.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    user: UserId,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Report>, DbErr> {
    let mut sql = Sql::new(format!("{SELECT}r.user_id = ?"), values![user]);
    if let Some(id) = before {
        sql.push(" AND r.id < ?", values![id]);
    }
    sql.push(" ORDER BY r.id DESC LIMIT ?", values![i64::from(limit)]);
    sql.all::<Row>(db).await?.into_iter().map(Row::view).collect()
}

pub(crate) async fn one(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Report>, DbErr> {
    Sql::new(format!("{SELECT}r.id = ?"), values![id]).one::<Row>(db).await?.map(Row::view).transpose()
}

/// How many reports somebody has, and how many of them are still to be made.
pub(crate) async fn count(db: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    Ok(Sql::new("SELECT count(*) FROM reports WHERE user_id = ?", values![user]).number(db).await? as u64)
}

pub(crate) async fn count_open(db: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    let text = "SELECT count(*) FROM reports WHERE user_id = ? AND state IN ('waiting', 'running')";
    Ok(Sql::new(text, values![user]).number(db).await? as u64)
}

/// Cancels one of somebody's that is not made yet; whether it was.
pub(crate) async fn cancel(db: &impl ConnectionTrait, user: UserId, id: Uuid, now: Time) -> Result<bool, DbErr> {
    let text = "UPDATE reports SET state = 'cancelled', taken_by = NULL, changed_at = ?, ended_at = ? \
                WHERE id = ? AND user_id = ? AND state IN ('waiting', 'running')";
    Ok(Sql::new(text, values![now.0, now.0, id, user]).run(db).await? == 1)
}

/// The newest change of each of these people's reports.
pub(crate) async fn changed(db: &impl ConnectionTrait, users: &[UserId]) -> Result<Vec<(UserId, i64)>, DbErr> {
    let text = format!(
        "SELECT user_id, max(changed_at) FROM reports WHERE user_id IN ({}) GROUP BY user_id",
        super::card::marks(users.len())
    );
    let rows = Sql::new(text, users.iter().map(|id| (*id).into()).collect()).rows(db).await?;
    rows.iter().map(|r| Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?))).collect()
}

/// A report that this server makes.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Taken {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) tries: i64,
}

/// Takes the oldest report that waits, or that another server began and is silent about since; `by` is this taking.
/// Within a transaction of `Store::begin`, so nobody else takes it too.
pub(crate) async fn take(txn: &impl ConnectionTrait, by: Uuid, now: Time, until: Time) -> Result<Option<Taken>, DbErr> {
    let text = "UPDATE reports SET state = 'running', taken_by = ?, taken_until = ?, tries = tries + 1, \
                rows_done = 0, rows_total = NULL, changed_at = ? WHERE id = (SELECT id FROM reports \
                WHERE state IN ('waiting', 'running') AND taken_until <= ? ORDER BY taken_until, id LIMIT 1) \
                RETURNING id, user_id, tries";
    Sql::new(text, values![by, until.0, now.0, now.0]).one(txn).await
}

/// Says how far it has come, and keeps it until `until`; whether it is still ours.
pub(crate) async fn keep(
    db: &impl ConnectionTrait,
    by: Uuid,
    rows: u64,
    total: Option<u64>,
    now: Time,
    until: Time,
) -> Result<bool, DbErr> {
    let total = total.map(|n| n as i64);
    // What did not move is no news for those who watch.
    let text = "UPDATE reports SET changed_at = CASE WHEN rows_done = ? THEN changed_at ELSE ? END, rows_done = ?, \
                rows_total = ?, taken_until = ? WHERE taken_by = ? AND state = 'running'";
    let values = values![rows as i64, now.0, rows as i64, total, until.0, by];
    Ok(Sql::new(text, values).run(db).await? == 1)
}

/// It is made, and this is its file.
pub(crate) async fn done(
    txn: &impl ConnectionTrait,
    by: Uuid,
    rows: u64,
    output: Uuid,
    reach: Option<OrganisationId>,
    now: Time,
) -> Result<bool, DbErr> {
    let text = "UPDATE reports SET state = 'done', rows_done = ?, rows_total = ?, output_id = ?, reach_id = ?, \
                taken_by = NULL, changed_at = ?, ended_at = ? WHERE taken_by = ? AND state = 'running'";
    let values = values![rows as i64, rows as i64, output, reach, now.0, now.0, by];
    Ok(Sql::new(text, values).run(txn).await? == 1)
}

/// It cannot be made.
pub(crate) async fn fail(db: &impl ConnectionTrait, by: Uuid, problem: &str, now: Time) -> Result<bool, DbErr> {
    let text = "UPDATE reports SET state = 'failed', problem = ?, taken_by = NULL, changed_at = ?, ended_at = ? \
                WHERE taken_by = ? AND state = 'running'";
    Ok(Sql::new(text, values![problem, now.0, now.0, by]).run(db).await? == 1)
}

/// It is to be made again from `due` on, by whomever; a try that was not one is not counted.
pub(crate) async fn release(
    db: &impl ConnectionTrait,
    by: Uuid,
    due: Time,
    was_try: bool,
    now: Time,
) -> Result<(), DbErr> {
    let text = "UPDATE reports SET state = 'waiting', taken_by = NULL, taken_until = ?, tries = tries - ?, \
                changed_at = ? WHERE taken_by = ? AND state = 'running'";
    Sql::new(text, values![due.0, i64::from(!was_try), now.0, by]).run(db).await.map(|_| ())
}

/// Whether they may still sign in.
pub(crate) async fn is_enabled(db: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let text = "SELECT count(*) FROM users WHERE id = ? AND disabled_at IS NULL";
    Ok(Sql::new(text, values![user]).number(db).await? == 1)
}

/// Deletes the files of reports of an organisation that goes, and their rows with it.
pub(crate) async fn delete_outputs_of(db: &impl ConnectionTrait, organisation: OrganisationId) -> Result<u64, DbErr> {
    let text = "DELETE FROM outputs WHERE id IN (SELECT output_id FROM reports WHERE org_id = ?)";
    Sql::new(text, values![organisation]).run(db).await
}

/// Forgets reports that ended before and whose file is gone; how many.
pub(crate) async fn delete_old(db: &impl ConnectionTrait, before: Time, limit: u32) -> Result<u64, DbErr> {
    let text =
        "DELETE FROM reports WHERE id IN (SELECT id FROM reports WHERE ended_at <= ? AND output_id IS NULL LIMIT ?)";
    Sql::new(text, values![before.0, i64::from(limit)]).run(db).await
}

pub(crate) async fn insert_schedule(
    db: &impl ConnectionTrait,
    id: Uuid,
    user: UserId,
    new: &NewSchedule,
    at: TimeOfDay,
    next: Time,
    now: Time,
) -> Result<(), DbErr> {
    let text = "INSERT INTO report_schedules (id, user_id, org_id, subject, format, every, at_minute, mail, next_at, \
                created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (subject, format, every) = (new.subject.as_str(), new.format.as_str(), new.every.as_str());
    let values = values![id, user, new.organisation, subject, format, every, at.minutes(), new.mail, next.0, now.0];
    Sql::new(text, values).run(db).await.map(|_| ())
}

#[derive(FromQueryResult)]
struct ScheduleRow {
    id: Uuid,
    user_id: Uuid,
    org_id: Option<Uuid>,
    organisation: Option<String>,
    subject: String,
    format: String,
    every: String,
    at_minute: i64,
    mail: bool,
    next_at: i64,
    created_at: i64,
}

impl ScheduleRow {
    fn view(self) -> Result<(UserId, Schedule), DbErr> {
        let (subject, format) = subject(&self.subject, &self.format)?;
        let schedule = Schedule {
            id: self.id,
            subject,
            format,
            organisation: self.org_id.zip(self.organisation).map(|(id, name)| Named { id, name }),
            every: Every::parse(&self.every).ok_or_else(|| strange(&self.every))?,
            at: TimeOfDay::of_minutes(self.at_minute).unwrap_or(TimeOfDay::MORNING).to_string(),
            mail: self.mail,
            next_at: Time(self.next_at),
            created_at: Time(self.created_at),
        };
        Ok((self.user_id, schedule))
    }
}

const SCHEDULES: &str = "SELECT s.id, s.user_id, s.org_id, o.name AS organisation, s.subject, s.format, s.every, \
                         s.at_minute, s.mail, s.next_at, s.created_at FROM report_schedules s \
                         LEFT JOIN organisations o ON o.id = s.org_id WHERE ";

/// Somebody's, oldest first.
pub(crate) async fn schedules(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<Schedule>, DbErr> {
    let rows = Sql::new(format!("{SCHEDULES}s.user_id = ? ORDER BY s.id"), values![user]).all::<ScheduleRow>(db);
    rows.await?.into_iter().map(|r| r.view().map(|(_, s)| s)).collect()
}

/// Those that are due of people who may still sign in, with their people.
pub(crate) async fn due(db: &impl ConnectionTrait, now: Time, limit: u32) -> Result<Vec<(UserId, Schedule)>, DbErr> {
    let text = format!(
        "{SCHEDULES}s.next_at <= ? AND s.user_id IN (SELECT id FROM users WHERE disabled_at IS NULL) \
         ORDER BY s.next_at, s.id LIMIT ?"
    );
    let rows = Sql::new(text, values![now.0, i64::from(limit)]).all::<ScheduleRow>(db);
    rows.await?.into_iter().map(ScheduleRow::view).collect()
}

/// Moves a schedule on; whether nobody else did.
pub(crate) async fn move_on(db: &impl ConnectionTrait, id: Uuid, from: Time, to: Time) -> Result<bool, DbErr> {
    let text = "UPDATE report_schedules SET next_at = ? WHERE id = ? AND next_at = ?";
    Ok(Sql::new(text, values![to.0, id, from.0]).run(db).await? == 1)
}

pub(crate) async fn delete_schedule(db: &impl ConnectionTrait, user: UserId, id: Uuid) -> Result<bool, DbErr> {
    let text = "DELETE FROM report_schedules WHERE id = ? AND user_id = ?";
    Ok(Sql::new(text, values![id, user]).run(db).await? == 1)
}

/// How many schedules somebody has.
pub(crate) async fn count_schedules(db: &impl ConnectionTrait, user: UserId) -> Result<u64, DbErr> {
    Ok(Sql::new("SELECT count(*) FROM report_schedules WHERE user_id = ?", values![user]).number(db).await? as u64)
}

/// Whether an output is a report of more than this organisation's people: nothing for their manager. Without one, whether
/// it is a report at all.
pub(crate) async fn is_beyond(
    db: &impl ConnectionTrait,
    output: Uuid,
    organisation: Option<OrganisationId>,
) -> Result<bool, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM reports WHERE output_id = ?", values![output]);
    if let Some(id) = organisation {
        sql.push(" AND reach_id IS DISTINCT FROM ?", values![id]);
    }
    Ok(sql.number(db).await? > 0)
}
