//! Reports: asking for one, for one again and again, and what has come of it.

use domain::{
    ApiError, Reach,
    access::Action,
    activity::Day,
    reports::{Every, Form, NewSchedule, Progress, Report, Schedule, Subject},
};
use futures_util::future::try_join;
use leptos::prelude::*;

use super::{
    Asked, Written,
    files::link,
    page,
    part::{Called, Field, confirm, empty, field, pager, refusal, refused, summary, table, when},
};

const LIMIT: u32 = 50;
const ASK: &str = "/rpc/ask_for_report";
const SCHEDULE: &str = "/rpc/schedule_report";

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (reports, actor) = (&asked.services.reports, asked.actor);
    let list = reports.list(actor, LIMIT, asked.query.get("cursor"));
    let (list, schedules) = try_join(list, reports.schedules(actor)).await?;
    let choices = Choices::of(asked).await?;
    Ok(page("Reports", || {
        let rows = list.items.iter().map(row).collect_view().into_any();
        let marked = refusal(asked, ASK).is_some() || refusal(asked, SCHEDULE).is_some();
        view! {
            {confirm(asked)}
            {(!marked).then(|| refused(asked))}
            <div class="charts asks">
                {new_report(asked, &choices)}
                {new_schedule(asked, &choices)}
            </div>
            <section class="card" data-part="list" data-follows="reports:me" aria-labelledby="made">
                <header><h2 id="made">"Your reports"</h2></header>
                {table("Table of reports", Called::As("made".to_owned()), &["Report", "State", "Rows", "Asked for", ""], rows)}
                {list.items.is_empty().then(|| empty(asked, &[], "None yet. What you ask for will be here, and among the outputs.", "reports"))}
                {pager(asked, list.items.len(), list.total, "report", list.next.as_deref())}
            </section>
            <section class="card after" aria-labelledby="scheduled" data-part="schedules">
                <header><h2 id="scheduled">"Schedules"</h2></header>
                {if schedules.is_empty() {
                    view! { <p class="empty">"Nothing is made by itself."</p> }.into_any()
                } else {
                    view! { <ul class="words body">{schedules.iter().map(schedule).collect_view()}</ul> }.into_any()
                }}
            </section>
        }
    }))
}

fn row(r: &Report) -> impl IntoView + use<> {
    let (name, id) = (r.file_name(), r.id.to_string());
    let act = r.state.is_open().then(|| {
        view! {
            <form method="post" action="/rpc/cancel_report">
                <input type="hidden" name="id" value=id />
                <button class="button" aria-label=format!("Cancel {name}")>"Cancel"</button>
            </form>
        }
    });
    let head = match r.output {
        Some(output) => link("outputs", output, &name).into_any(),
        None => name.clone().into_any(),
    };
    let said = match (r.state, r.output) {
        (Progress::Done, Some(_)) => "Made",
        (Progress::Done, None) => "Not kept any more",
        (Progress::Waiting, _) => "Waiting",
        (Progress::Running, _) => "Being made",
        (Progress::Failed, _) => "Not made",
        (Progress::Cancelled, _) => "Cancelled",
    };
    let percent = r.rows_total.filter(|n| *n > 0).map(|n| (r.rows.min(n) * 100 / n).to_string());
    let bar = (r.state == Progress::Running).then(|| {
        view! { " "<progress max="100" value=percent aria-label=format!("Progress of {name}")></progress> }
    });
    let rows = match (r.state, r.rows_total) {
        (Progress::Running, Some(total)) => format!("{} of {total}", r.rows),
        (Progress::Running | Progress::Done, _) => r.rows.to_string(),
        _ => String::new(),
    };
    let counted = (!rows.is_empty()).then_some("Rows");
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{head}</th>
            <td role="cell">
                {said}
                {r.problem.clone().map(|why| view! { <small class="muted">{format!(": {why}")}</small> })}
                {bar}
            </td>
            <td role="cell" data-label=counted>{rows}</td>
            <td role="cell" data-label="Asked for">
                {when(r.created_at, true)}
                {r.schedule.map(|_| view! { <small class="muted">" by a schedule"</small> })}
            </td>
            <td role="cell" class="act">{act}</td>
        </tr>
    }
}

fn schedule(s: &Schedule) -> impl IntoView + use<> {
    let of = s.organisation.as_ref().map(|o| format!(" of {}", o.name)).unwrap_or_default();
    let words = format!("{}{of}, {}", s.subject.title(), s.every.words());
    let mail = if s.mail { ", and by e-mail" } else { "" };
    let how = format!("{} at {}{mail}; next ", s.format.title(), s.at);
    view! {
        <li>
            <form class="inline" method="post" action="/rpc/end_report_schedule">
                <input type="hidden" name="id" value=s.id.to_string() />
                <span>{words.clone()}", "<small class="muted">{how}{when(s.next_at, false)}</small></span>
                <button class="button" aria-label=format!("End: {words}")>"End"</button>
            </form>
        </li>
    }
}

/// What may be chosen from.
struct Choices {
    organisations: Vec<(String, String)>,
    /// Why no mail would come.
    no_mail: Option<&'static str>,
}

impl Choices {
    async fn of(asked: &Asked<'_>) -> Result<Self, ApiError> {
        let (services, actor) = (asked.services, asked.actor);
        let organisations = if actor.reach(Action::Activity) == Reach::Everything {
            let all = services.directory.organisations(actor, None, 200, None).await?.items;
            all.into_iter().map(|o| (o.id.to_string(), o.name)).collect()
        } else {
            vec![]
        };
        let no_mail = match actor.person()?.card.email {
            None => Some("You have no e-mail address, so no mail will come."),
            Some(_) if !services.mail.is_configured() => {
                Some("This server sends no mails yet: one would wait in its outbox.")
            }
            Some(_) => None,
        };
        Ok(Self { organisations, no_mail })
    }
}

fn new_report(asked: &Asked, choices: &Choices) -> impl IntoView + use<> {
    let wrong = refusal(asked, ASK);
    let today = asked.services.activity.zone().day(asked.now);
    let day = |name, label, days: i64| Field {
        kind: "date",
        prefix: "report",
        value: Day(today.0 - days).to_string(),
        ..Field::new(name, label)
    };
    view! {
        <section class="card" aria-labelledby="ask">
            <details class="folded" open=wrong.is_some()>
            <summary id="ask">"New report"</summary>
            <div class="body">
                <form method="post" action=ASK>
                    {summary(wrong.as_ref())}
                    {what("report")}
                    {field(day("from", "First day", 7), wrong.as_ref())}
                    {field(day("to", "Last day", 1), wrong.as_ref())}
                    {whose(choices, "report")}
                    {mailed(choices)}
                    <p class="hint">{zone(asked)}</p>
                    <div class="actions start"><button class="button primary">"Make it"</button></div>
                </form>
            </div>
            </details>
        </section>
    }
}

fn new_schedule(asked: &Asked, choices: &Choices) -> impl IntoView + use<> {
    let wrong = refusal(asked, SCHEDULE);
    let at = Field {
        prefix: "schedule",
        hint: "Such as 17:30.",
        value: NewSchedule::AT.to_owned(),
        ..Field::new("at", "Time of day")
    };
    let every = Every::ALL.map(|e| {
        let words = e.words();
        view! { <option value=e.as_str()>{words[..1].to_uppercase()}{&words[1..]}</option> }
    });
    view! {
        <section class="card" aria-labelledby="schedule">
            <details class="folded" open=wrong.is_some()>
            <summary id="schedule">"New schedule"</summary>
            <div class="body">
                <form method="post" action=SCHEDULE>
                    {summary(wrong.as_ref())}
                    {what("schedule")}
                    <div class="field">
                        <label for="schedule-every">"When"</label>
                        <select id="schedule-every" name="every">{every.collect_view()}</select>
                    </div>
                    {field(at, wrong.as_ref())}
                    {whose(choices, "schedule")}
                    {mailed(choices)}
                    <p class="hint">{zone(asked)}</p>
                    <div class="actions start"><button class="button primary">"Schedule it"</button></div>
                </form>
            </div>
            </details>
        </section>
    }
}

fn zone(asked: &Asked) -> String {
    format!("Days and times are those of {}.", asked.services.settings.now().zone)
}

/// The subject and the form of it.
fn what(prefix: &'static str) -> impl IntoView {
    let subjects = Subject::ALL.map(|s| view! { <option value=s.as_str()>{s.title()}</option> });
    let forms = Form::ALL.map(|f| view! { <option value=f.as_str()>{f.title()}</option> });
    let (subject, format) = (format!("{prefix}-subject"), format!("{prefix}-format"));
    view! {
        <div class="field">
            <label for=subject.clone()>"About"</label>
            <select id=subject name="subject">{subjects.collect_view()}</select>
        </div>
        <div class="field">
            <label for=format.clone()>"As"</label>
            <select id=format name="format">{forms.collect_view()}</select>
        </div>
    }
}

/// For those who see more than one organisation.
fn whose(choices: &Choices, prefix: &'static str) -> impl IntoView + use<> {
    let id = format!("{prefix}-organisation");
    let all = choices.organisations.clone();
    (!all.is_empty()).then(|| {
        let options = all.into_iter().map(|(id, name)| view! { <option value=id>{name}</option> });
        view! {
            <div class="field">
                <label for=id.clone()>"Whose"</label>
                <select id=id name="organisation">
                    <option value="">"Everybody’s"</option>
                    {options.collect_view()}
                </select>
            </div>
        }
    })
}

fn mailed(choices: &Choices) -> impl IntoView + use<> {
    let why = choices.no_mail;
    view! {
        <label class="check">
            <input type="checkbox" name="mail" value="true" />
            "Send me a mail when it is there"
        </label>
        {why.map(|why| view! { <p class="hint">{why}</p> })}
    }
}
