//! Settings: what is in force, and changing it while the server runs.

use domain::{
    ApiError,
    settings::{Applies, Changed, Group, SettingView},
};
use leptos::prelude::*;
use services::Changes;

use super::{
    Asked, Written, page,
    part::{confirm, refusal, summary, when},
};
use crate::text;

pub(crate) const PATH: &str = "/admin/settings";
const SAVE: &str = "/rpc/save_settings";

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let settings = &asked.services.settings;
    let list = settings.list(asked.actor).await?;
    let asks: Changes = list
        .iter()
        .filter_map(|s| Some((s.key.clone(), asked.query.get(&s.key)?)))
        .map(|(key, value)| (key, (value != "default").then(|| value.to_owned())))
        .collect();
    let review = if asked.query.get("review").is_some() && !asks.is_empty() {
        // Somebody's bookmark may ask for what is no more.
        settings.change(asked.actor, asks.clone(), true).await.ok()
    } else {
        None
    };
    let warnings: Vec<String> = settings.contradictions().into_iter().map(|c| c.sentence).collect();
    let wrong = refusal(asked, SAVE);
    Ok(page("Settings", || {
        let groups = Group::ALL.map(|g| group(g, &list, wrong.as_ref())).collect_view();
        view! {
            {confirm(asked)}
            {summary(wrong.as_ref())}
            {review.map(|changed| reviewed(&list, &asks, &changed))}
            {(!warnings.is_empty()).then(|| view! {
                <section class="card message" aria-label="What does not go together">
                    {warnings.into_iter().map(|w| view! { <p>{w}</p> }).collect_view()}
                </section>
            })}
            <p class="muted before">
                "Durations are written as 45s, 15m, 24h or 30d. What is empty goes back to its default."
            </p>
            {groups}
        }
    }))
}

/// What would happen, before it does.
fn reviewed(list: &[SettingView], asks: &Changes, changed: &Changed) -> impl IntoView + use<> {
    let title = |key: &str| list.iter().find(|s| s.key == key).map_or_else(|| key.to_owned(), |s| s.title.clone());
    let lines = changed.changes.iter().map(|(key, (from, to))| {
        let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        view! { <li>{title(key)}": "<b>{or_none(from)}</b>" becomes "<b>{or_none(to)}</b></li> }
    });
    let fields = asks.iter().map(|(key, value)| {
        view! { <input type="hidden" name=format!("values[{key}]") value=value.clone().unwrap_or_default() /> }
    });
    let s = &changed.sessions;
    let ends = if s.would_end == 0 {
        "No session ends at once.".to_owned()
    } else {
        let people = if s.people == 1 { "1 person".to_owned() } else { format!("{} people", s.people) };
        let end = if s.would_end == 1 { "ends" } else { "end" };
        format!("{} of {people} {end} at once, and cannot be brought back.", text::count(s.would_end, "session"))
    };
    let names: Vec<String> = s.who.iter().map(|w| format!("{} ({})", w.name, w.sessions)).collect();
    let more = s.people.saturating_sub(names.len() as u64);
    let names = if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") };
    let sooner = (s.sooner > 0).then(|| {
        let next = s.next.iter().take(5).map(|n| view! { <li>{n.name.clone()}"’s at "{when(n.ends_at, false)}</li> });
        view! {
            <p>{format!("{} end sooner than before, unless there is activity; the first of them:", text::count(s.sooner, "more session"))}</p>
            <ul>{next.collect_view()}</ul>
        }
    });
    let button = if s.would_end == 0 {
        "Save".to_owned()
    } else {
        format!("Save and end {}", text::count(s.would_end, "session"))
    };
    view! {
        <section class="card review" aria-labelledby="review-heading">
            <header><h2 id="review-heading">"Before this is saved"</h2></header>
            <div class="body">
                <ul>{lines.collect_view()}</ul>
                <p><strong>{ends}</strong></p>
                {(!names.is_empty()).then(|| view! { <p>{names}</p> })}
                {s.own.then(|| view! { <p>"Your own session is among them: you will sign in again."</p> })}
                {sooner}
                <form method="post" action=SAVE>
                    {fields.collect_view()}
                    <input type="hidden" name="confirmed" value="true" />
                    <div class="actions start">
                        <button class=if s.would_end == 0 { "button primary" } else { "button danger" }>{button}</button>
                        <a class="button quiet" href=PATH>"Keep everything as it is"</a>
                    </div>
                </form>
            </div>
        </section>
    }
}

fn group(group: Group, list: &[SettingView], wrong: Option<&ApiError>) -> impl IntoView + use<> {
    let id = format!("group-{}", group.word().to_lowercase());
    let heading = id.clone();
    let rows = list.iter().filter(|s| s.group == group).map(|s| row(s, wrong)).collect_view();
    view! {
        <section class="card settings" aria-labelledby=id>
            <header><h2 id=heading>{group.word()}</h2></header>
            <form class="body" method="post" action=SAVE data-keeps="">
                {rows}
                <div class="actions start">
                    <button class="button primary" aria-label=format!("Save {}", group.word())>"Save"</button>
                </div>
            </form>
        </section>
    }
}

fn row(s: &SettingView, wrong: Option<&ApiError>) -> impl IntoView + use<> {
    let (id, name) = (format!("f-{}", s.key), format!("values[{}]", s.key));
    let (hint, wrong_id) = (format!("{id}-hint"), format!("{id}-wrong"));
    let wrong = wrong.and_then(|e| e.fields.get(&name).cloned());
    let described = if wrong.is_some() { format!("{wrong_id} {hint}") } else { hint.clone() };
    let fixed = match (&s.fixed_by, s.applies) {
        (Some(by), _) => Some(format!("Fixed by {by}")),
        (None, Applies::ByFlagOnly) => Some("Only by flag, variable or file".to_owned()),
        _ => None,
    };
    let none = if s.default.is_empty() { "none" } else { &*s.default };
    let bounds = format!("Default {none} · {}", s.bounds);
    let start = (s.applies == Applies::AtNextStart).then_some(" · from the next start on");
    let changed = s.changed_at.map(|at| {
        let by = s.changed_by.clone().unwrap_or_default();
        view! { " · changed "{when(at, false)}" by "{by} }
    });
    let input = if let Some(fixed) = fixed {
        view! { <p id=id.clone()><b>{s.value.clone()}</b>" "<span class="tag">{fixed}</span></p> }.into_any()
    } else if s.words.is_empty() {
        view! {
            <input id=id.clone() name=name type="text" value=s.value.clone() autocomplete="off" spellcheck="false"
                autocapitalize="none" maxlength="200" aria-invalid=wrong.is_some().then_some("true")
                aria-describedby=described />
        }
        .into_any()
    } else {
        let options =
            s.words.iter().map(|w| view! { <option value=w.clone() selected=*w == s.value>{w.clone()}</option> });
        view! { <select id=id.clone() name=name aria-describedby=described>{options.collect_view()}</select> }
            .into_any()
    };
    let label = if s.fixed_by.is_some() || s.applies == Applies::ByFlagOnly {
        view! { <span class="label">{s.title.clone()}</span> }.into_any()
    } else {
        view! { <label for=id>{s.title.clone()}</label> }.into_any()
    };
    view! {
        <div class="field setting">
            {label}
            {input}
            <p class="hint" id=hint>{s.about.clone()}<small>{bounds}{start}{changed}</small></p>
            {wrong.map(|m| view! { <p class="wrong" id=wrong_id>{m}</p> })}
        </div>
    }
}
