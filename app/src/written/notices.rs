//! Notifications: uploads one asked to be told of, and what one asks for. And the bell of the frame.

use domain::{
    ApiError, Reach,
    access::Action,
    notices::{COUNTED_MAX, MailWhen, Notice, Subscription, TimeOfDay},
};
use leptos::prelude::*;
use services::files::{Kind, Of};

use super::{
    Asked, Written,
    files::{link, size},
    html, page,
    part::{Called, Field, apply, chip, confirm, empty, field, pager, refusal, refused, summary, table, when},
};
use crate::{
    components::icon::{Glyph, Icon},
    request::Unread,
};

const PATH: &str = "/notifications";
const FILTERS: [&str; 1] = ["show"];
const LIMIT: u32 = 50;
const ASK: &str = "/rpc/ask_for_notices";

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, notices, actor) = (&asked.query, &asked.services.notices, asked.actor);
    let unread = q.get("show") == Some("unread");
    let list = notices.list(actor, unread, LIMIT, q.get("cursor")).await?;
    let left = notices.unread(actor).await?;
    let asks = notices.subscriptions(actor).await?;
    let may = actor.reach(Action::Files) != Reach::Nothing;
    let choices = if may { Some(Choices::of(asked).await?) } else { None };
    Ok(page("Notifications", || {
        let rows = list.items.iter().map(row).collect_view();
        view! {
            {confirm(asked)}
            {(refusal(asked, ASK).is_none()).then(|| refused(asked))}
            <form class="bar" method="get" action=PATH role="search" aria-label="Notifications" data-notices="">
                {chip(q, "show", "Show", vec![("unread".to_owned(), "unread".to_owned())])}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list" aria-labelledby="told">
                <header>
                    <h2 id="told">{match left.unwrap_or_default() {
                        0 => "Nothing unread".to_owned(),
                        n if n > COUNTED_MAX => format!("More than {COUNTED_MAX} unread"),
                        n => format!("{n} unread"),
                    }}</h2>
                    {(left > Some(0)).then(|| view! {
                        <form method="post" action="/rpc/read_notices"><button class="button">"Mark all as read"</button></form>
                    })}
                </header>
                {table("Table of notifications", Called::Caption("Notifications"), &["Upload", "State", "Person", "Workflow", "Size", "Sent", ""], rows.into_any())}
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nothing yet: what you ask for below will be here.", "notifications"))}
                {pager(asked, list.items.len(), list.total, "notification", list.next.as_deref())}
            </section>
            <section class="card after" aria-labelledby="asked" data-part="asked">
                <header><h2 id="asked">"What you are told of"</h2></header>
                {if asks.is_empty() {
                    view! { <p class="empty">"You asked for nothing yet."</p> }.into_any()
                } else {
                    view! { <ul class="words body">{asks.iter().map(|s| subscription(s, asked)).collect_view()}</ul> }.into_any()
                }}
            </section>
            {match choices {
                Some(choices) => form(asked, choices).into_any(),
                None => view! { <p class="muted after">"Only who may see the uploads of others can ask to be told of them, and your role may not."</p> }.into_any(),
            }}
        }
    }))
}

fn row(n: &Notice) -> impl IntoView + use<> {
    let u = &n.upload;
    let unread = n.read_at.is_none();
    let act = unread.then(|| {
        view! {
            <form method="post" action="/rpc/read_notices">
                <input type="hidden" name="id" value=n.id.to_string() />
                <button class="button" aria-label=format!("Mark {} as read", u.name)>"Mark as read"</button>
            </form>
        }
    });
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{link("uploads", u.id, &u.name)}</th>
            <td role="cell">{if unread { "Unread" } else { "Read" }}</td>
            <td role="cell">{u.user_name.clone()}</td>
            <td role="cell" data-label=u.workflow.is_some().then_some("Workflow")>{u.workflow.clone()}</td>
            <td role="cell" data-label="Size">{size(u.size)}</td>
            <td role="cell" data-label="Sent">{when(u.created_at, true)}</td>
            <td role="cell" class="act">{act}</td>
        </tr>
    }
}

/// What somebody asked for, in words.
fn of_words(s: &Subscription, whole: &str) -> String {
    let organisation = s.organisation.as_ref().map(|o| format!("Uploads of {}", o.name));
    let of = organisation.unwrap_or_else(|| whole.to_owned());
    s.workflow.as_ref().map_or(of.clone(), |w| format!("{of} for {w}"))
}

/// All that somebody may see.
fn whole(asked: &Asked) -> String {
    match (asked.actor.reach(Action::Files), asked.actor.person()) {
        (Reach::Organisation(_), Ok(p)) => {
            p.card.organisation.as_ref().map_or_else(|| "Uploads".to_owned(), |o| format!("Uploads of {}", o.name))
        }
        _ => "Everybody’s uploads".to_owned(),
    }
}

fn subscription(s: &Subscription, asked: &Asked) -> impl IntoView + use<> {
    let words = of_words(s, &whole(asked));
    let how = match (s.mail, &s.at) {
        (MailWhen::AtOnce, _) => "here, and by e-mail at once".to_owned(),
        (MailWhen::Daily, Some(at)) => format!("here, and by e-mail every day at {at}"),
        (MailWhen::Daily, None) => "here, and by e-mail every day".to_owned(),
        (MailWhen::Never, _) => "here".to_owned(),
    };
    view! {
        <li>
            <form class="inline" method="post" action="/rpc/end_notices">
                <input type="hidden" name="id" value=s.id.to_string() />
                <span>{words.clone()}", "<small class="muted">{how}</small></span>
                <button class="button" aria-label=format!("Stop: {words}")>"Stop"</button>
            </form>
        </li>
    }
}

/// What may be chosen from.
struct Choices {
    /// Beyond the whole of one's reach.
    organisations: Vec<(String, String)>,
    workflows: Vec<String>,
    /// Why no mail would come.
    no_mail: Option<&'static str>,
}

impl Choices {
    async fn of(asked: &Asked<'_>) -> Result<Self, ApiError> {
        let (services, actor) = (asked.services, asked.actor);
        let organisations = if actor.reach(Action::Files) == Reach::Everything {
            let all = services.directory.organisations(actor, None, 200, None).await?.items;
            all.into_iter().map(|o| (o.id.to_string(), o.name)).collect()
        } else {
            vec![]
        };
        let no_mail = match actor.person()?.card.email {
            None => Some("You have no e-mail address, so you are told here only."),
            Some(_) if !services.mail.is_configured() => Some("This server sends no mails, so you are told here only."),
            Some(_) => None,
        };
        Ok(Self { organisations, workflows: services.files.labels(actor, Of::Others, Kind::Upload).await?, no_mail })
    }
}

fn form(asked: &Asked, choices: Choices) -> impl IntoView + use<> {
    let wrong = refusal(asked, ASK);
    let marked = |name: &str| wrong.as_ref().and_then(|e| e.fields.get(name).cloned());
    let whole = whole(asked);
    let organisations = choices
        .organisations
        .into_iter()
        .map(|(id, name)| view! { <option value=id>{format!("Uploads of {name}")}</option> });
    let mails = [(MailWhen::AtOnce, "At once"), (MailWhen::Daily, "Every day"), (MailWhen::Never, "Never")];
    let mails = mails.map(|(when, word)| view! { <option value=when.as_str()>{word}</option> });
    // A hint is one of a few words, and the zone any of hundreds: said beside it.
    let hint = "Of the mail of every day, such as 17:30.";
    let zone = format!("It is counted in {}.", asked.services.settings.now().zone);
    let time = Field { value: TimeOfDay::MORNING.to_string(), optional: true, hint, ..Field::new("at", "Time of day") };
    view! {
        <section class="card after" aria-labelledby="ask">
            <header><h2 id="ask">"Be told of uploads"</h2></header>
            <div class="body">
                {choices.no_mail.map(|why| view! { <p class="notice">{why}</p> })}
                <form method="post" action=ASK>
                    {summary(wrong.as_ref())}
                    <div class="field">
                        <label for="f-organisation">"Whose"</label>
                        <select id="f-organisation" name="organisation">
                            <option value="">{whole}</option>
                            {organisations.collect_view()}
                        </select>
                        {marked("organisation").map(|m| view! { <p class="wrong">{m}</p> })}
                    </div>
                    <div class="field">
                        <label for="f-workflow">"Workflow "<span class="optional">"optional"</span></label>
                        <input id="f-workflow" name="workflow" list="workflows" maxlength="60" autocomplete="off" aria-describedby="f-workflow-hint" />
                        <p class="hint" id="f-workflow-hint">"Only uploads for this one; without it, for any."</p>
                        {marked("workflow").map(|m| view! { <p class="wrong">{m}</p> })}
                    </div>
                    <datalist id="workflows">{choices.workflows.into_iter().map(|l| view! { <option value=l></option> }).collect_view()}</datalist>
                    <div class="field">
                        <label for="f-mail">"By e-mail"</label>
                        <select id="f-mail" name="mail">{mails.collect_view()}</select>
                    </div>
                    {field(time, wrong.as_ref())}
                    <p class="hint">{zone}</p>
                    <div class="actions start">
                        <button class="button primary">"Tell me"</button>
                    </div>
                </form>
            </div>
        </section>
    }
}

/// The bell, for those who may be told of anything; its number is pushed to `bell.mjs`, which writes it in the same words.
pub(crate) fn bell() -> String {
    let unread = use_context::<http::request::Parts>().and_then(|p| p.extensions.get::<Unread>().and_then(|u| u.0));
    let Some(unread) = unread else { return String::new() };
    let number = match unread {
        0 => String::new(),
        n if n > COUNTED_MAX => format!("{COUNTED_MAX}+"),
        n => n.to_string(),
    };
    let name = if unread == 0 { "Notifications".to_owned() } else { format!("Notifications, {number} unread") };
    html(|| {
        view! {
            <a href=PATH aria-label=name title="Notifications" data-unread=unread.to_string()>
                <Glyph icon=Icon::Bell />
                <span class="count" aria-hidden="true">{number}</span>
            </a>
            <span class="hidden" aria-live="polite"></span>
        }
    })
}
