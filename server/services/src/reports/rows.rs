//! What is in a report: its rows, a page at a time, and what they come to.

use domain::{
    Actor, ApiError, Reach, Time,
    activity::{Day, EventFilter, EventRow, Lengths, SignIn, Zone},
    files::{File, FileFilter, bytes_text},
    presence::{State, history::WasHere},
    reports::{Report, Subject},
    session::{SessionFilter, SessionSort, SessionView},
    time::{Millis, SECOND, human},
};

use super::{
    Reports,
    sums::{DAY, PERSON, Summary, Sums},
};
use crate::{
    activity::Export,
    files::{Kind, Of},
    sheets::Cell,
    store::interval::{self, After, Which},
};

/// Rows of one page.
const PAGE: u32 = 200;
const INTERVALS: i64 = 1_000;

pub(super) type Row = Vec<Cell>;

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Option<String>> for Cell {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone().unwrap_or_default())
    }
}

/// What of the rows comes next.
enum Next {
    Events(Export),
    Sessions(Option<String>),
    Uploads(Option<String>),
    Intervals(Which, Option<After>),
    Nothing,
}

/// The rows of one report as they are read, and what they have come to so far.
pub(super) struct Rows {
    reports: Reports,
    actor: Actor,
    report: Report,
    zone: Zone,
    now: Time,
    next: Next,
    sums: Vec<Sums>,
    read: u64,
    bytes: u64,
    lengths: Vec<Millis>,
}

impl Rows {
    /// Begins, with how many rows there will be, where that is quickly known. The period is that of the zone of now.
    pub(super) async fn open(
        reports: &Reports,
        actor: Actor,
        mut report: Report,
    ) -> Result<(Self, Option<u64>), ApiError> {
        let zone = reports.zone();
        if let (Some(first), Some(last)) = (Day::parse(&report.first_day), Day::parse(&report.last_day)) {
            (report.from, report.to) = (zone.begin(first), zone.span(last).1);
        }
        let reach = actor.require(report.subject.action())?;
        let (activity, now) = (&reports.activity, reports.clock().now());
        let store = reports.store();
        let (next, sums, total) = match report.subject {
            Subject::Activity => {
                let export = activity.export(&actor, &events_of(&report)).await?;
                let total = activity.export_count(&export).await.ok();
                let by = |title, of| Sums::new(title, of, &["Events"]);
                let sums = [by("By day", DAY), by("By kind", "Kind"), by("By person", PERSON), by("By page", "Page")];
                (Next::Events(export), sums.to_vec(), total)
            }
            Subject::Sessions => {
                let total = reports.sessions.count(&actor, &sessions_of(&report)).await.ok();
                let by = |title, of| Sums::new(title, of, &["Sessions"]);
                let sums = [by("By day", DAY), by("By person", PERSON), by("By device", "Device"), by("By end", "End")];
                (Next::Sessions(None), sums.to_vec(), total)
            }
            Subject::Uploads => {
                let first = reports.files.list(&actor, Of::Others, Kind::Upload, &uploads_of(&report), 1, None).await?;
                let by = |title, of| Sums::new(title, of, &["Files", "Bytes"]);
                let sums = [by("By day", DAY), by("By person", PERSON), by("By workflow", "Workflow")];
                (Next::Uploads(None), sums.to_vec(), first.total)
            }
            Subject::Presence => {
                reports.sessions.inner.presence.flush().await?;
                // What the hourly clean-up is yet to delete must not make a report depend on its last run.
                let kept = now.plus(-reports.sessions.inner.settings.now().retention_events);
                let organisation = report.organisation.as_ref().map(|o| o.id);
                let (from, to) = (report.from.max(kept), report.to.min(now));
                let which = Which { reach, organisation, from, to };
                let total = store.within(interval::count(store.read(), which)).await.ok();
                let seconds = ["Online (s)", "Busy (s)", "Active (s)", "Idle (s)", "Away (s)", "Unknown (s)"];
                let sums = vec![Sums::new("By person", PERSON, &seconds)];
                (Next::Intervals(which, None), sums, total)
            }
        };
        let reports = reports.clone();
        let (read, bytes, lengths) = (0, 0, vec![]);
        Ok((Self { reports, actor, report, zone, now, next, sums, read, bytes, lengths }, total))
    }

    /// How far the actor sees: what managers of others may not have of it.
    pub(super) fn reach(&self) -> Reach {
        self.actor.reach(self.report.subject.action())
    }

    pub(super) fn columns(&self) -> &'static [&'static str] {
        match self.report.subject {
            Subject::Activity => &[
                "seq",
                "at",
                "kind",
                "username",
                "name",
                "role",
                "organisation",
                "session_id",
                "page",
                "action",
                "ip",
                "device",
                "details",
            ],
            Subject::Sessions => &[
                "id",
                "username",
                "name",
                "role",
                "organisation",
                "began_at",
                "last_activity_at",
                "ended_at",
                "ended_reason",
                "ended_by",
                "seconds",
                "device",
                "ip",
                "place",
            ],
            Subject::Uploads => &["id", "sent_at", "username", "person", "name", "bytes", "workflow", "type", "sha256"],
            Subject::Presence => {
                &["username", "name", "state", "from", "to", "seconds", "cause", "goes_on", "invisible"]
            }
        }
    }

    /// The next rows; none when there are no more.
    pub(super) async fn next(&mut self) -> Result<Vec<Row>, ApiError> {
        let rows: Vec<Row> = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Nothing => vec![],
            Next::Events(mut export) => {
                let rows = self.reports.activity.export_next(&mut export).await?;
                if !rows.is_empty() {
                    self.next = Next::Events(export);
                }
                rows.iter().map(|r| self.event(r)).collect()
            }
            Next::Sessions(cursor) => {
                let (filter, sort) = (sessions_of(&self.report), SessionSort::Started);
                let page = self.reports.sessions.list(&self.actor, &filter, sort, PAGE, cursor.as_deref()).await?;
                self.next = page.next.map_or(Next::Nothing, |cursor| Next::Sessions(Some(cursor)));
                page.items.iter().map(|s| self.session(s)).collect()
            }
            Next::Uploads(cursor) => {
                let (files, filter) = (&self.reports.files, uploads_of(&self.report));
                let list = files.list(&self.actor, Of::Others, Kind::Upload, &filter, PAGE, cursor.as_deref());
                let page = list.await?;
                self.next = page.next.map_or(Next::Nothing, |cursor| Next::Uploads(Some(cursor)));
                page.items.iter().map(|f| self.upload(f)).collect()
            }
            Next::Intervals(which, after) => {
                let store = self.reports.store();
                let (rows, last) = store.within(interval::page(store.read(), which, after, INTERVALS)).await?;
                self.next = if last.is_some() { Next::Intervals(which, last) } else { Next::Nothing };
                rows.iter().map(|i| self.interval(i, which)).collect()
            }
        };
        self.read += rows.len() as u64;
        Ok(rows)
    }

    pub(super) fn read(&self) -> u64 {
        self.read
    }

    fn day(&self, at: Time) -> String {
        self.zone.day(at).to_string()
    }

    fn at(&self, at: Time) -> Cell {
        Cell::Text(self.zone.local(at))
    }

    fn event(&mut self, r: &EventRow) -> Row {
        let day = self.day(r.at);
        self.sums[0].add(day, &[1]);
        self.sums[1].add(r.kind.clone(), &[1]);
        if let (Some(name), Some(username)) = (&r.name, &r.username) {
            self.sums[2].add(format!("{name} ({username})"), &[1]);
        }
        if let Some(route) = &r.route {
            self.sums[3].add(route.clone(), &[1]);
        }
        vec![
            Cell::Number(r.seq.unsigned_abs()),
            self.at(r.at),
            r.kind.as_str().into(),
            (&r.username).into(),
            (&r.name).into(),
            (&r.role).into(),
            (&r.organisation).into(),
            r.session_id.map(|id| id.to_string()).unwrap_or_default().into(),
            (&r.page).into(),
            (&r.action).into(),
            (&r.ip).into(),
            (&r.device).into(),
            r.details.as_ref().map(ToString::to_string).unwrap_or_default().into(),
        ]
    }

    fn session(&mut self, s: &SessionView) -> Row {
        let ended = s.ended_at.zip(s.ended_reason);
        let length = SignIn { began: s.created_at, last_activity: s.last_activity_at, ended }.length();
        self.lengths.extend(length);
        let day = self.day(s.created_at);
        self.sums[0].add(day, &[1]);
        self.sums[1].add(format!("{} ({})", s.name, s.username), &[1]);
        self.sums[2].add(s.device_label(), &[1]);
        self.sums[3].add(s.ended_reason.map_or("open", |r| r.as_str()).to_owned(), &[1]);
        let seconds = |ms: Millis| Cell::Number((ms / SECOND).unsigned_abs());
        vec![
            s.id.to_string().into(),
            s.username.as_str().into(),
            s.name.as_str().into(),
            s.role.as_str().into(),
            (&s.organisation).into(),
            self.at(s.created_at),
            self.at(s.last_activity_at),
            s.ended_at.map_or_else(|| "".into(), |at| self.at(at)),
            s.ended_reason.map_or("", |r| r.as_str()).into(),
            (&s.ended_by).into(),
            length.map_or_else(|| "".into(), seconds),
            s.device_label().into(),
            s.ip.as_str().into(),
            (&s.place).into(),
        ]
    }

    fn upload(&mut self, f: &File) -> Row {
        let day = self.day(f.created_at);
        self.sums[0].add(day, &[1, f.size]);
        self.sums[1].add(format!("{} ({})", f.user_name, f.username), &[1, f.size]);
        self.sums[2].add(f.label.clone().unwrap_or_else(|| "no workflow".to_owned()), &[1, f.size]);
        self.bytes += f.size;
        vec![
            f.id.to_string().into(),
            self.at(f.created_at),
            f.username.as_str().into(),
            f.user_name.as_str().into(),
            f.name.as_str().into(),
            Cell::Number(f.size),
            (&f.label).into(),
            f.content_type.as_str().into(),
            f.sha256.as_str().into(),
        ]
    }

    /// Cut at the bounds of the period; what goes on is cut at now.
    fn interval(&mut self, i: &WasHere, which: Which) -> Row {
        let (from, to) = (i.since.max(which.from), i.until.unwrap_or(which.to).min(which.to));
        let ms = to.since(from).max(0).unsigned_abs();
        let states = &State::ALL[..5];
        // Summed to the millisecond: seconds cut one by one would be too few.
        let of = |is: bool| if is { ms } else { 0 };
        let numbers: Vec<u64> =
            [of(i.state.is_online())].into_iter().chain(states.iter().map(|s| of(*s == i.state))).collect();
        self.sums[0].add(format!("{} ({})", i.name, i.username), &numbers);
        let yes = |is: bool| Cell::from(if is { "yes" } else { "" });
        vec![
            i.username.as_str().into(),
            i.name.as_str().into(),
            i.state.as_str().into(),
            self.at(from),
            self.at(to),
            Cell::Number(ms / SECOND.unsigned_abs()),
            i.cause.as_str().into(),
            yes(i.until.is_none()),
            yes(i.invisible),
        ]
    }

    /// What it all comes to, once all rows are read.
    pub(super) fn summary(mut self) -> Summary {
        if self.report.subject == Subject::Presence {
            self.sums.iter_mut().for_each(|sums| sums.divide(SECOND.unsigned_abs()));
        }
        let (report, zone) = (self.report, self.zone);
        let days = if report.first_day == report.last_day {
            report.first_day.clone()
        } else {
            format!("{} to {}", report.first_day, report.last_day)
        };
        let whose = match (&report.organisation, self.actor.reach(report.subject.action()), self.actor.person()) {
            (Some(o), ..) => o.name.clone(),
            (None, Reach::Organisation(_), Ok(p)) => {
                p.card.organisation.as_ref().map(|o| o.name.clone()).unwrap_or_default()
            }
            _ => "everybody".to_owned(),
        };
        let mut facts =
            vec![("Period", format!("{days} ({})", zone.name())), ("Of", whose), ("As of", zone.local(self.now))];
        let rows = self.read.to_string();
        match report.subject {
            Subject::Activity => facts.push(("Events", rows)),
            Subject::Sessions => {
                let open = self.read - self.lengths.len() as u64;
                let lengths = Lengths::of(self.lengths);
                facts.push(("Sessions that began", rows));
                facts.push(("Still open", open.to_string()));
                if lengths.n > 0 {
                    facts.push(("Average length of the others", human(lengths.mean)));
                    facts.push(("Median length of the others", human(lengths.median)));
                }
            }
            Subject::Uploads => {
                facts.push(("Files", rows));
                facts.push(("Together", bytes_text(self.bytes)));
            }
            Subject::Presence => {
                facts.push(("People", self.sums[0].len().to_string()));
                facts.push(("Intervals", rows));
            }
        }
        Summary { title: report.subject.title(), facts, sums: self.sums }
    }
}

fn events_of(r: &Report) -> EventFilter {
    let org = r.organisation.as_ref().map(|o| o.id.to_string());
    EventFilter { org, from: Some(r.from), to: Some(r.to), ..EventFilter::default() }
}

fn sessions_of(r: &Report) -> SessionFilter {
    let org = r.organisation.as_ref().map(|o| o.id.to_string());
    SessionFilter { org, from: Some(r.from), to: Some(r.to), ..SessionFilter::default() }
}

fn uploads_of(r: &Report) -> FileFilter {
    let organisation = r.organisation.as_ref().map(|o| o.id);
    FileFilter { organisation, from: Some(r.from), to: Some(r.to), ..FileFilter::default() }
}
