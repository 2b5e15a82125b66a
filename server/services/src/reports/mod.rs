//! Reports: what people did over a period, made in the background, kept as outputs.
//!
//! - `due`: schedules, and what they ask for. `run`: making one at a time. `live`: who watches theirs being made.
//! - `rows`: what is in one. `sums`: what they come to. `write`: its file.
//!
//! A report is made with the rights that whoever asked has then, by the very lists that pages show. Its server renews a
//! claim on it while it works; when it stops, another one, or the next start, begins anew. The output's row and the word
//! that the report is done are one transaction, so there is one output of a report, or none.

mod due;
mod live;
mod rows;
mod run;
mod sums;
mod write;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use domain::{
    Actor, ApiError, ErrorCode, OrganisationId, Reach, Time, UserId,
    access::Action,
    activity::{Day, Zone},
    presence::ConnectionId,
    reports::{NewReport, NewSchedule, Report, Schedule, Subject},
};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use self::live::Watcher;
use crate::{
    activity::Activity,
    audit::{self, Entry},
    clock::Clock,
    files::Files,
    sessions::{Page, Sessions, commit},
    store::{Store, db, groups, reports as rows_of},
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;
/// What one person may wait for, and ask for again and again.
const OPEN_MAX: u64 = 10;
const SCHEDULES_MAX: u64 = 20;
/// Days of one report.
const DAYS_MAX: i64 = 366;

struct Inner {
    /// Where workbooks are made.
    folder: PathBuf,
    /// There is something to make.
    waiting: Notify,
    /// A std mutex, held while memory is changed and never while anything is waited for.
    watchers: Mutex<HashMap<ConnectionId, Watcher>>,
}

/// The handle on reports; a cheap clone.
#[derive(Clone)]
pub struct Reports {
    sessions: Sessions,
    activity: Activity,
    files: Files,
    inner: Arc<Inner>,
}

impl Reports {
    pub(crate) fn new(sessions: Sessions, activity: Activity, files: Files, folder: PathBuf) -> Self {
        let (waiting, watchers) = Default::default();
        Self { sessions, activity, files, inner: Arc::new(Inner { folder, waiting, watchers }) }
    }

    fn store(&self) -> &Store {
        &self.sessions.inner.store
    }

    fn clock(&self) -> &Clock {
        &self.sessions.inner.clock
    }

    fn zone(&self) -> Zone {
        self.activity.zone()
    }

    /// Asks for a report of what the actor may see, which is recorded; it takes people's data out, so it asks for sudo
    /// mode.
    pub async fn ask(&self, actor: &Actor, mut new: NewReport) -> Result<Report, ApiError> {
        let reach = actor.require(new.subject.action())?;
        let (user, now) = (actor.person()?.card.id, self.clock().now());
        actor.require_fresh(now)?;
        let period = self.period(&mut new, now)?;
        let id = self.clock().new_id();
        let txn = self.sessions.begin().await?;
        let of = check_organisation(&txn, reach, new.organisation).await?;
        if rows_of::count_open(&txn, user).await.map_err(db)? >= OPEN_MAX {
            let message = format!("{OPEN_MAX} of your reports are waiting already. Cancel one, or wait for them.");
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        let row = rows_of::New { id, user, asked: &new, period, schedule: None, now };
        rows_of::insert(&txn, row).await.map_err(db)?;
        let details = json!({"format": new.format, "from": new.from, "to": new.to});
        let entry = entry("report_asked", new.subject, of.as_deref(), details);
        audit::append(&txn, self.clock(), actor, entry).await.map_err(db)?;
        commit(txn).await?;
        self.inner.waiting.notify_one();
        let report = self.store().within(rows_of::one(self.store().read(), id)).await?;
        report.ok_or_else(ApiError::not_found)
    }

    /// What is kept of the days is how we write them, and not what was sent.
    fn period(&self, new: &mut NewReport, now: Time) -> Result<(Time, Time), ApiError> {
        let zone = self.zone();
        let day = |field: &str, text: &str| {
            let day = Day::parse(text.trim()).filter(|day| *day <= zone.day(now));
            day.ok_or_else(|| ApiError::invalid(field, "Use a day that has come, as in 2026-03-02."))
        };
        let (first, last) = (day("from", &new.from)?, day("to", &new.to)?);
        if last < first {
            return Err(ApiError::invalid("to", "The last day is before the first."));
        }
        if last.0 - first.0 >= DAYS_MAX {
            return Err(ApiError::invalid("from", format!("A report may have {DAYS_MAX} days at most.")));
        }
        (new.from, new.to) = (first.to_string(), last.to_string());
        Ok((zone.begin(first), zone.span(last).1))
    }

    /// The actor's reports, newest first; `limit` is held between 1 and 200.
    pub async fn list(&self, actor: &Actor, limit: u32, cursor: Option<&str>) -> Result<Page<Report>, ApiError> {
        let user = asker(actor)?;
        let strange = |_| ApiError::new(ErrorCode::BadRequest, crate::cursor::STRANGE);
        let before = cursor.map(str::parse::<Uuid>).transpose().map_err(strange)?;
        let (store, limit) = (self.store(), limit.clamp(1, LIMIT_MAX));
        let mut items = store.within(rows_of::page(store.read(), user, before, limit + 1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|r| r.id.to_string());
        let total = match before {
            None => Some(store.within(rows_of::count(store.read(), user)).await?),
            Some(_) => None,
        };
        Ok(Page { items, next, total })
    }

    /// Cancels one of the actor's that is not made yet. One that is made is an output, and deleted there.
    pub async fn cancel(&self, actor: &Actor, id: Uuid) -> Result<(), ApiError> {
        let (user, store) = (asker(actor)?, self.store());
        if store.within(rows_of::cancel(store.write(), user, id, self.clock().now())).await? {
            return Ok(());
        }
        let mine = self.list(actor, LIMIT_MAX, None).await?.items.iter().any(|r| r.id == id);
        let over = "This report is not waiting any more: it is made, or was cancelled.";
        Err(if mine { ApiError::new(ErrorCode::Conflict, over) } else { ApiError::not_found() })
    }

    /// The actor's schedules, oldest first.
    pub async fn schedules(&self, actor: &Actor) -> Result<Vec<Schedule>, ApiError> {
        let user = asker(actor)?;
        self.store().within(rows_of::schedules(self.store().read(), user)).await
    }

    /// Asks for a report again and again, of what the actor may see each time; asks for sudo mode, as `ask` does.
    pub async fn schedule(&self, actor: &Actor, new: NewSchedule) -> Result<Schedule, ApiError> {
        let reach = actor.require(new.subject.action())?;
        let (user, now, at) = (actor.person()?.card.id, self.clock().now(), new.time()?);
        actor.require_fresh(now)?;
        let (id, next) = (self.clock().new_id(), new.every.next(self.zone(), at.minutes(), now));
        let txn = self.sessions.begin().await?;
        let of = check_organisation(&txn, reach, new.organisation).await?;
        if rows_of::count_schedules(&txn, user).await.map_err(db)? >= SCHEDULES_MAX {
            let message = format!("You have {SCHEDULES_MAX} schedules already. End one of them first.");
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        rows_of::insert_schedule(&txn, id, user, &new, at, next, now).await.map_err(db)?;
        let details = json!({"format": new.format, "every": new.every, "at": at.to_string()});
        let entry = entry("report_scheduled", new.subject, of.as_deref(), details);
        audit::append(&txn, self.clock(), actor, entry).await.map_err(db)?;
        let all = rows_of::schedules(&txn, user).await.map_err(db)?;
        commit(txn).await?;
        all.into_iter().find(|s| s.id == id).ok_or_else(ApiError::internal)
    }

    /// Ends one of the actor's; what it made stays.
    pub async fn end_schedule(&self, actor: &Actor, id: Uuid) -> Result<(), ApiError> {
        let user = asker(actor)?;
        let txn = self.sessions.begin().await?;
        let all = rows_of::schedules(&txn, user).await.map_err(db)?;
        let one = all.iter().find(|s| s.id == id).ok_or_else(ApiError::not_found)?;
        rows_of::delete_schedule(&txn, user, id).await.map_err(db)?;
        let of = one.organisation.as_ref().map(|o| &*o.name);
        let details = json!({"format": one.format, "every": one.every, "at": one.at});
        let entry = entry("report_schedule_ended", one.subject, of, details);
        audit::append(&txn, self.clock(), actor, entry).await.map_err(db)?;
        commit(txn).await
    }
}

/// Somebody who may see anything of others: all that reports are of asks for the same.
fn asker(actor: &Actor) -> Result<UserId, ApiError> {
    actor.require(Action::Activity)?;
    Ok(actor.person()?.card.id)
}

/// The name of the organisation a report is of. One beyond reach is as if it were not there.
async fn check_organisation(
    txn: &DatabaseTransaction,
    reach: Reach,
    id: Option<OrganisationId>,
) -> Result<Option<String>, ApiError> {
    let Some(id) = id else { return Ok(None) };
    let name = groups::name_of(txn, "organisations", id).await.map_err(db)?.filter(|_| reach.covers(Some(id)));
    name.map(Some).ok_or_else(|| ApiError::invalid("organisation", "There is no such organisation."))
}

fn entry<'a>(action: &'a str, subject: Subject, of: Option<&'a str>, details: serde_json::Value) -> Entry<'a> {
    Entry { action, subject_kind: subject.as_str(), subject: of, details: Some(details) }
}
