//! Pages that the server alone writes: lists, forms and reports, which need no code of their own in the browser.
//!
//! A page is a function from what is asked to HTML. It is called by the gate before the document around it is rendered,
//! and by `/rpc/page` when one goes from page to page. Permission is the services', as everywhere; `routes::WRITTEN`
//! says who may open which.
//!
//! What a page may use without code of its own (`frontend/agent/written.mjs`; all of it works without scripts too):
//! - a link, and a form with `method="get"`: the page is asked for again. Parts marked `data-part="NAME"` are then put in
//!   place alone when the path is the same, so that what is typed stays;
//! - `data-typing` on a field of such a form: it is sent when typing pauses; a field within a `.chip`, when it changed;
//! - a form with `method="post"` to a door of `rpc`, which answers with an `Outcome`: what to say, and where to go on.
//!   What is wrong is shown in the form; a password that is asked for again is asked for, and the form sent again;
//! - `command="show-modal" commandfor="ID"` on a button: opens the `<dialog id=ID>`;
//! - `data-all` on a checkbox: ticks those named `ids` in its table; `data-count` shows how many are ticked, and
//!   `data-some` on a button needs one;
//! - `data-into="ID"` on a file field: the text of the chosen file is put into the field `ID`;
//! - `data-reads="ID"` on a slider: says the row of the table `ID` that it stands at, and marks the place in its chart;
//! - `data-figure="NAME"`: the figure of this name of the newest sample of traffic, as long as the page is seen;
//! - `data-person` around the state of the person of this id: it stays true while the page is seen, and `data-as-of` around
//!   the instant as of which. Within a part named `person` the page is asked for again when it changes;
//! - `data-follows="TOPIC"`: the page is asked for again when the topic tells of something, once a second at most;
//!   `data-pause` on a button with `aria-pressed` stops that, and so does a `<details>` that is open in the part `list`;
//! - `data-upload` on a form with a file field: `files.mjs` sends its files one by one, with progress, into `data-queue`,
//!   also those dropped on `data-drop`. `data-arriving`: the table of uploads on their way stays true;
//! - `data-export` on a link to a file that is made as it is read: `exports.mjs` shows in `data-exports` how far it is;
//! - `data-notices`: the page is asked for again when the number of unread notices is another one (`bell.mjs`);
//! - `when`, `exact`: an instant, to the second and in UTC until the script makes it local.

mod account;
mod activity;
mod audit;
mod chart;
mod code;
mod devices;
mod directory;
mod email;
mod files;
mod forgot;
mod mail;
mod notices;
mod overview;
pub(crate) mod part;
pub(crate) mod people;
pub(crate) mod query;
mod reports;
pub(crate) mod second_factor;
pub(crate) mod sessions;
pub(crate) mod settings;
mod traffic;

use domain::{Actor, ApiError, Time};
use leptos::{prelude::*, reactive::owner::Owner};
use serde::{Deserialize, Serialize};
use services::Services;

pub(crate) use self::notices::bell;
use self::query::Query;
use crate::{
    routes::{is_listed, page_access},
    rpc::RpcError,
};

/// A page, written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Written {
    pub title: String,
    pub html: String,
}

/// What a door answers to a form of such a page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Said once, in the corner and to screen readers.
    pub say: String,
    /// Where to go on; nothing to stay on the page, which is asked for again.
    pub go: Option<String>,
    /// HTML to show in place of the form: what is shown once only.
    pub show: Option<String>,
}

impl Outcome {
    pub(crate) fn say(text: impl Into<String>) -> Self {
        Self { say: text.into(), ..Self::default() }
    }
}

/// What is asked: the page's address and who asks.
pub(crate) struct Asked<'a> {
    pub(crate) services: &'a Services,
    pub(crate) actor: &'a Actor,
    pub(crate) path: &'a str,
    pub(crate) query: Query,
    pub(crate) now: Time,
    /// Whether the page asks again by itself: nobody opened anything.
    pub(crate) again: bool,
}

/// Writes the page at `url`, a path with its query.
pub async fn write(services: &Services, actor: &Actor, url: &str) -> Result<Written, ApiError> {
    look(services, actor, url, false).await
}

/// Writes a page once more that is open already.
pub(crate) async fn again(services: &Services, actor: &Actor, url: &str) -> Result<Written, ApiError> {
    look(services, actor, url, true).await
}

async fn look(services: &Services, actor: &Actor, url: &str, again: bool) -> Result<Written, ApiError> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = path.strip_suffix('/').unwrap_or(path);
    let level = actor.person().ok().map(|p| p.card.level);
    if !page_access(path).allows(level) {
        return Err(if level.is_none() { ApiError::unauthenticated() } else { ApiError::forbidden() });
    }
    if services.sessions.lacks_second_factor(actor) && path != second_factor::PATH {
        return Err(ApiError::second_factor_missing());
    }
    if !is_listed(path) {
        return Err(ApiError::not_found());
    }
    let asked = Asked { services, actor, path, query: Query::parse(query), now: services.clock.now(), again };
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        ["activity"] => activity::own(&asked).await,
        ["admin", "activity"] => activity::all(&asked).await,
        ["account"] => account::write(&asked).await,
        ["account", "second-factor"] => second_factor::write(&asked).await,
        ["account", "email"] => email::write(&asked).await,
        ["account", "devices"] => devices::write(&asked).await,
        ["files"] => files::own(&asked).await,
        ["notifications"] => notices::write(&asked).await,
        ["admin"] => overview::write(&asked).await,
        ["admin", "files"] => files::admin(&asked).await,
        ["admin", "outputs"] => files::outputs(&asked).await,
        ["admin", "reports"] => reports::write(&asked).await,
        ["admin", "mail"] => mail::write(&asked).await,
        ["admin", "sessions"] => sessions::write(&asked).await,
        ["admin", "people"] => people::write(&asked).await,
        ["admin", "people", "import"] => people::import(&asked),
        ["admin", "people", id] => people::person(&asked, id).await,
        ["admin", "organisations"] => directory::organisations(&asked).await,
        ["admin", "roles"] => directory::roles(&asked).await,
        ["admin", "audit"] => audit::write(&asked).await,
        ["admin", "traffic"] => traffic::write(&asked).await,
        ["admin", "settings"] => settings::write(&asked).await,
        _ => Err(ApiError::not_found()),
    }
}

/// What the page that is being rendered shows to people who are not signed in; its door is a component in
/// `pages::outside`.
pub(crate) fn outside() -> String {
    let (Some(parts), Some(services)) = (use_context::<http::request::Parts>(), use_context::<Services>()) else {
        return String::new();
    };
    let now = services.clock.now();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let path = parts.uri.path();
    let asked = Asked { services: &services, actor: &Actor::Anonymous, path, query, now, again: false };
    if path.starts_with("/second-factor") { code::write(&asked) } else { forgot::write(&asked) }
}

/// The page at `path`, to which a plain form to the door `to` comes back with what it was refused with.
pub fn refused_at(path: &str, to: &str, error: ApiError) -> String {
    use leptos::server_fn::error::ServerFnUrlError;
    // Its words are ours again when it comes back (`text::error_by_code`), and values of an address are short.
    let fields = error.fields.into_keys().map(|field| (field, String::new())).collect();
    let refused = ServerFnUrlError::new(to, RpcError(ApiError { message: String::new(), fields, ..error }));
    let url = refused.to_url("http://localhost").map(|url| url.query().unwrap_or_default().to_owned());
    format!("{path}?{}", url.unwrap_or_default())
}

/// What is shown in place of a page that could not be written.
pub fn wrong(error: &ApiError) -> Written {
    let title = match error.code.status() {
        403 => "Not for your role",
        404 => "There is nothing here",
        _ => "This did not work",
    };
    let text = match error.code.status() {
        404 => "This address does not exist, is no longer good, or is not yours to see.".to_owned(),
        _ => error.message.clone(),
    };
    page(title, || {
        view! {
            <div class="card message">
                <p>{text}</p>
                <p><a class="button" href="/">"Go home"</a></p>
            </div>
        }
    })
}

/// A page of this title with what `content` shows.
pub(crate) fn page<V: IntoView>(title: impl Into<String>, content: impl FnOnce() -> V) -> Written {
    Written { title: title.into(), html: html(content) }
}

/// As HTML. Every text in it is escaped by the renderer.
pub(crate) fn html<V: IntoView>(content: impl FnOnce() -> V) -> String {
    Owner::new().with(|| content().into_view().to_html())
}
