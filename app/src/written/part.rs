//! What several of these pages are made of.

use domain::{ApiError, ErrorCode, Time};
use leptos::{prelude::*, server_fn::error::ServerFnUrlError};

use super::{Asked, query::Query};
use crate::{
    components::icon::{Glyph, Icon},
    rpc::RpcError,
    text,
};

/// An instant. `relative`: "3 min ago" within a week; sensitive facts are always exact.
pub(crate) fn when(at: Time, relative: bool) -> impl IntoView {
    let exact = format!("{} UTC", at.exact());
    view! { <time datetime=at.to_string() title=exact.clone() data-relative=relative.then_some("")>{exact.clone()}</time> }
}

/// An instant to the second, as nothing may be rounded away from what is on record.
pub(crate) fn exact(at: Time) -> impl IntoView {
    let text = format!("{} UTC", at.exact());
    view! { <time datetime=at.to_string() title=text.clone() data-exact="">{text.clone()}</time> }
}

/// A link to another view of the same page: its word in the address, and for people. That which is shown without a word
/// needs none.
pub(crate) fn view_link(
    asked: &Asked,
    name: &'static str,
    (key, word): (&'static str, &'static str),
    is_chosen: bool,
    is_first: bool,
) -> impl IntoView + use<> {
    let href = asked.query.with(asked.path, name, (!is_first).then_some(key));
    let current = is_chosen.then_some("true");
    view! { <a class="button" id=format!("{name}-{key}") href=href aria-current=current data-noscroll="">{word}</a> }
}

/// The search field of a filter form, which is sent when typing pauses.
pub(crate) fn search(query: &Query, label: &'static str) -> impl IntoView {
    view! {
        <span class="filter">
            <input id="q" data-filter data-typing type="search" name="q" placeholder=label aria-label=label
                autocomplete="off" maxlength="100" value=query.owned("q") />
            <kbd aria-hidden="true">"/"</kbd>
        </span>
    }
}

/// A choice of a filter form: the first is "any". Each is a value and its word.
pub(crate) fn chip(
    query: &Query,
    name: &'static str,
    label: &'static str,
    choices: Vec<(String, String)>,
) -> impl IntoView {
    let chosen = query.owned(name);
    // Somebody's bookmark may hold one that is no more.
    let lost = chosen.clone().filter(|c| choices.iter().all(|(v, _)| v != c)).map(|c| (c.clone(), c));
    let options = choices.into_iter().chain(lost).map(|(value, word)| {
        let selected = chosen.as_ref() == Some(&value);
        view! { <option value=value selected=selected>{word}</option> }
    });
    view! {
        <label class="chip" class:on=query.get(name).is_some()>
            <span>{label}</span>
            <select name=name id=format!("by-{name}")>
                <option value="">"any"</option>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// A day of a filter form, in UTC.
pub(crate) fn day(asked: &Asked, name: &'static str, label: &'static str) -> impl IntoView + use<> {
    view! {
        <label class="chip">
            <span>{label}</span>
            <input type="date" name=name id=format!("by-{name}") value=asked.query.owned(name) />
        </label>
    }
}

/// A whole word of a filter form, such as a username: sent by Enter, or when one leaves the field.
pub(crate) fn word(asked: &Asked, name: &'static str, label: &'static str) -> impl IntoView + use<> {
    view! {
        <label class="chip">
            <span>{label}</span>
            <input name=name id=format!("by-{name}") placeholder="any" autocomplete="off" autocapitalize="none"
                spellcheck="false" maxlength="100" value=asked.query.owned(name) />
        </label>
    }
}

/// What a link filters by stays when a field is changed.
pub(crate) fn kept(asked: &Asked, name: &'static str) -> impl IntoView + use<> {
    asked.query.owned(name).map(|value| view! { <input type="hidden" name=name value=value /> })
}

/// The end of a filter form: what clears it, and what sends it without scripts.
pub(crate) fn apply(asked: &Asked, names: &[&str]) -> impl IntoView + use<> {
    let path = asked.path.to_owned();
    view! {
        <span data-part="clear">
            {(asked.query.count(names) > 0).then(|| view! { <a class="button quiet" href=path data-noscroll="">"Clear"</a> })}
        </span>
        <button class="button without-script">"Apply"</button>
    }
}

/// A header that sorts by `by`; again for the other direction where there is one.
pub(crate) fn sorted(
    asked: &Asked,
    word: &'static str,
    by: &'static [(&'static str, &'static str)],
    default: &str,
) -> impl IntoView + use<> {
    let current = asked.query.get("sort").unwrap_or(default);
    let at = by.iter().position(|(value, _)| *value == current);
    let next = by[at.map_or(0, |i| (i + 1) % by.len())].0;
    let href = asked.query.with(asked.path, "sort", Some(next));
    view! {
        <th scope="col" role="columnheader" aria-sort=at.map(|i| by[i].1)>
            <a class="sort" id=format!("sort-{}", by[0].0) href=href data-noscroll="">{word}</a>
        </th>
    }
}

/// What a table is called.
pub(crate) enum Called {
    Caption(&'static str),
    /// As the heading with this id.
    As(String),
}

/// The table of a list, in a region that scrolls by keyboard. A column without a word is one of buttons.
pub(crate) fn table(region: &str, called: Called, columns: &[&'static str], rows: AnyView) -> impl IntoView + use<> {
    let heads = columns.iter().map(|word| match *word {
        "" => view! { <th scope="col" role="columnheader"><span class="hidden">"Action"</span></th> }.into_any(),
        word => view! { <th scope="col" role="columnheader">{word}</th> }.into_any(),
    });
    let (caption, heading) = match called {
        Called::Caption(text) => (Some(view! { <caption class="hidden">{text}</caption> }), None),
        Called::As(id) => (None, Some(id)),
    };
    view! {
        <div class="tablewrap" tabindex="0" role="region" aria-label=region.to_owned()>
            <table class="listed" role="table" aria-labelledby=heading>
                {caption}
                <thead role="rowgroup"><tr role="row">{heads.collect_view()}</tr></thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
}

/// Below a list: how many there are, and the way to the next page.
pub(crate) fn pager(
    asked: &Asked,
    shown: usize,
    total: Option<u64>,
    noun: &str,
    next: Option<&str>,
) -> impl IntoView + use<> {
    let beyond = asked.query.get("cursor").is_some();
    let said = match total {
        Some(total) if total == shown as u64 => text::count(total, noun),
        Some(total) => format!("1–{shown} of {}", text::count(total, noun)),
        None => format!("{shown} more"),
    };
    let first = asked.query.with(asked.path, "cursor", None);
    let next = next.map(|cursor| asked.query.with(asked.path, "cursor", Some(cursor)));
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{said}</span>
            {beyond.then(|| view! { <a class="button" href=first><Glyph icon=Icon::Newer />"First"</a> })}
            {next.map(|href| view! { <a class="button" href=href>"Next"<Glyph icon=Icon::Older /></a> })}
        </nav>
    }
}

/// What is shown in place of an empty list.
pub(crate) fn empty(asked: &Asked, names: &[&str], never: &'static str, noun: &str) -> impl IntoView + use<> {
    let n = asked.query.count(names);
    let path = asked.path.to_owned();
    if n == 0 {
        return view! { <p class="empty">{never}</p> }.into_any();
    }
    let filters = if n == 1 { "this filter".to_owned() } else { format!("these {n} filters") };
    view! { <p class="empty">{format!("No {noun} match {filters}. ")}<a href=path>"Clear filters"</a></p> }.into_any()
}

/// What a plain form to the door `to` was refused with: it came back in the page's address, and is put into our words.
pub(crate) fn refusal(asked: &Asked, to: &str) -> Option<ApiError> {
    asked.query.get("__path").filter(|path| *path == to)?;
    let error = asked.query.get("__err")?;
    Some(text::error_by_code(&ServerFnUrlError::<RpcError>::decode_err(error).0))
}

/// What any plain form was refused with, above a page whose forms have no fields to mark.
pub(crate) fn refused(asked: &Asked) -> impl IntoView + use<> {
    let error = asked.query.get("__path").and_then(|to| refusal(asked, to));
    summary(error.filter(|e| e.code != ErrorCode::ReauthRequired).as_ref())
}

/// What went wrong, above a form.
pub(crate) fn summary(error: Option<&ApiError>) -> impl IntoView + use<> {
    let text = error.map(|e| if e.fields.is_empty() { e.message.clone() } else { text::MARKED.to_owned() });
    text.map(|text| view! { <div class="summary" role="alert" tabindex="-1" autofocus><p>{text}</p></div> })
}

/// A headline number with its definition one key press away.
pub(crate) fn figure(
    label: &'static str,
    value: impl IntoView,
    sub: impl IntoView,
    definition: &'static str,
) -> impl IntoView {
    view! {
        <section class="figure" aria-label=label>
            <h2>{label}</h2>
            <p class="value live-number">{value}</p>
            <p class="sub">{sub}</p>
            <details class="definition">
                <summary>"Definition"</summary>
                <p>{definition}</p>
            </details>
        </section>
    }
}

/// A labelled field.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: &'static str,
    /// What the browser may fill in.
    pub(crate) autocomplete: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) value: String,
    pub(crate) optional: bool,
    /// Told apart from a field of the same name in another form.
    pub(crate) prefix: &'static str,
}

impl Field {
    pub(crate) fn new(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            autocomplete: "off",
            hint: "",
            value: String::new(),
            optional: false,
            prefix: "f",
        }
    }
}

/// The field with its hint, and what is wrong with it when a plain form came back. The script finds the same places.
pub(crate) fn field(f: Field, error: Option<&ApiError>) -> impl IntoView + use<> {
    let id = format!("{}-{}", f.prefix, f.name);
    let (hint_id, wrong_id) = (format!("{id}-hint"), format!("{id}-wrong"));
    let wrong = error.and_then(|e| e.fields.get(f.name).cloned());
    let hinted = (!f.hint.is_empty()).then(|| hint_id.clone());
    let described: Vec<String> = wrong.is_some().then(|| wrong_id.clone()).into_iter().chain(hinted).collect();
    let plain = f.kind == "password" || f.name == "username";
    view! {
        <div class="field">
            <label for=id.clone()>{f.label} {f.optional.then(|| view! { <span class="optional">" optional"</span> })}</label>
            <input
                id=id
                name=f.name
                type=f.kind
                autocomplete=f.autocomplete
                required=!f.optional
                value=f.value
                spellcheck="false"
                autocapitalize=plain.then_some("none")
                aria-invalid=wrong.is_some().then_some("true")
                aria-describedby=(!described.is_empty()).then(|| described.join(" "))
            />
            {(!f.hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{f.hint}</p> })}
            {wrong.map(|m| view! { <p class="wrong" id=wrong_id>{m}</p> })}
        </div>
    }
}

/// Without scripts an act that asks for the password again comes back; the password is asked for here, and the act is
/// repeated by hand. With scripts a dialog asks.
pub(crate) fn confirm(asked: &Asked) -> impl IntoView + use<> {
    let wrong = refusal(asked, "/rpc/confirm_password");
    let sent = asked.query.get("__path").and_then(|to| refusal(asked, to));
    let code = Field { autocomplete: "one-time-code", prefix: "confirm", ..Field::new("code", "Code") };
    let wants_code = wrong.as_ref().is_some_and(|e| e.fields.contains_key("code"));
    let asks = wrong.is_some() || sent.is_some_and(|e| e.code == ErrorCode::ReauthRequired);
    let password = Field {
        kind: "password",
        autocomplete: "current-password",
        prefix: "confirm",
        ..Field::new("password", "Password")
    };
    asks.then(|| {
        view! {
            <section class="card inline-sudo" aria-label="Confirm it is you">
                <form method="post" action="/rpc/confirm_password">
                    <p>"This needs your password again. Confirm it, then repeat what you wanted to do."</p>
                    {summary(wrong.as_ref())}
                    {field(password, wrong.as_ref())}
                    {wants_code.then(|| field(code, wrong.as_ref()))}
                    <button class="button primary">"Confirm"</button>
                </form>
            </section>
        }
    })
}
