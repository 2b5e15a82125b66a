//! REST, version 1: one file per noun, each a thin door onto `services`.
//!
//! To add a call: a handler with its `utoipa::path` in the noun's file, a line in `router`, a row in `ACCESS`, and the
//! black-box tests find it by themselves.

mod activity;
mod admin_activity;
mod admin_audit;
mod admin_directory;
mod admin_mail;
mod admin_people;
mod admin_presence;
mod admin_sessions;
mod admin_settings;
mod admin_traffic;
mod admin_users;
mod auth;
mod files;
mod notices;
mod preferences;
mod presence;
mod reports;
mod session;
mod sessions;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::get,
};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::router::AppState;

#[derive(OpenApi)]
#[openapi(info(
    title = "Rollcall",
    description = "Who is here, since when, doing what, how sure we are, and why. Times are RFC 3339 in UTC with \
                   milliseconds; ids are UUIDs. Sign in with `POST /api/v1/auth/login`; the session is the cookie it sets."
))]
struct Doc;

/// Every error.
#[derive(Serialize, ToSchema)]
struct Problem {
    error: ProblemDetail,
    request_id: String,
}

#[derive(Serialize, ToSchema)]
struct ProblemDetail {
    /// Why, as a program reads it.
    code: String,
    /// A sentence for a person, with what to do.
    message: String,
    /// Field → what is wrong with it.
    fields: Option<std::collections::BTreeMap<String, String>>,
}

/// A list: `next` is the cursor of the following page.
#[derive(Serialize, ToSchema)]
pub struct Items<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
    pub total: Option<u64>,
}

fn documented() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(auth::login))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::reauth))
        .routes(routes!(auth::password))
        .routes(routes!(auth::email))
        .routes(routes!(auth::forgot))
        .routes(routes!(auth::second_factor))
        .routes(routes!(admin_mail::list))
        .routes(routes!(notices::list))
        .routes(routes!(notices::read))
        .routes(routes!(notices::subscriptions, notices::subscribe))
        .routes(routes!(notices::unsubscribe))
        .routes(routes!(session::current))
        .routes(routes!(session::get_data, session::put_data, session::delete_data))
        .routes(routes!(sessions::own, sessions::end_others))
        .routes(routes!(sessions::end_one))
        .routes(routes!(preferences::get, preferences::put, preferences::patch))
        .routes(routes!(presence::heartbeat))
        .routes(routes!(presence::me, presence::choose))
        .routes(routes!(admin_people::list, admin_people::add))
        .routes(routes!(admin_people::one, admin_people::edit, admin_people::delete))
        .routes(routes!(admin_people::timeline))
        .routes(routes!(admin_people::invite))
        .routes(routes!(admin_people::disable))
        .routes(routes!(admin_people::enable))
        .routes(routes!(admin_people::move_people))
        .routes(routes!(admin_people::export))
        .routes(routes!(admin_people::import))
        .routes(routes!(admin_directory::organisations, admin_directory::add_organisation))
        .routes(routes!(
            admin_directory::organisation,
            admin_directory::rename_organisation,
            admin_directory::delete_organisation
        ))
        .routes(routes!(admin_directory::teams, admin_directory::add_team))
        .routes(routes!(admin_directory::team, admin_directory::rename_team, admin_directory::delete_team))
        .routes(routes!(admin_directory::roles, admin_directory::add_role))
        .routes(routes!(admin_directory::role, admin_directory::edit_role, admin_directory::delete_role))
        .routes(routes!(admin_users::online))
        .routes(routes!(admin_users::why))
        .routes(routes!(admin_users::reset_second_factor))
        .routes(routes!(admin_presence::at))
        .routes(routes!(admin_presence::day))
        .routes(routes!(admin_sessions::list))
        .routes(routes!(admin_sessions::revoke))
        .routes(routes!(admin_sessions::clean_up))
        .routes(routes!(activity::page))
        .routes(routes!(activity::action))
        .routes(routes!(activity::summary))
        .routes(routes!(activity::journey))
        .routes(routes!(admin_activity::list))
        .routes(routes!(admin_activity::export))
        .routes(routes!(admin_audit::list))
        .routes(routes!(admin_audit::export))
        .routes(routes!(reports::list, reports::ask))
        .routes(routes!(reports::cancel))
        .routes(routes!(reports::schedules, reports::schedule))
        .routes(routes!(reports::end_schedule))
        .routes(routes!(admin_traffic::current))
        .routes(routes!(admin_traffic::live))
        .routes(routes!(admin_settings::list, admin_settings::change));
    OpenApiRouter::with_openapi(Doc::openapi()).nest("/api/v1", v1).split_for_parts()
}

/// What takes as long as it takes: files.
fn streams() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(files::upload, files::uploads))
        .routes(routes!(files::one_upload, files::delete_upload))
        .routes(routes!(files::upload_content))
        .routes(routes!(files::add_output, files::outputs))
        .routes(routes!(files::delete_output))
        .routes(routes!(files::output_content))
        .routes(routes!(files::all_uploads))
        .routes(routes!(files::summary))
        .routes(routes!(files::running))
        .routes(routes!(files::all_outputs));
    OpenApiRouter::new().nest("/api/v1", v1).split_for_parts()
}

/// The routes of files, which the layers for quick answers are not for.
pub fn stream_router() -> Router<AppState> {
    streams().0.layer(DefaultBodyLimit::disable())
}

fn document() -> utoipa::openapi::OpenApi {
    let (mut all, (_, streams)) = (documented().1, streams());
    all.merge(streams);
    all
}

/// The routes of REST with their description.
pub fn router() -> Router<AppState> {
    let (router, _) = documented();
    let document = document();
    router
        .route(
            "/api/v1/openapi.json",
            get(|State(d): State<std::sync::Arc<utoipa::openapi::OpenApi>>| async move { Json((*d).clone()) })
                .with_state(std::sync::Arc::new(document)),
        )
        .route("/api/{*rest}", axum::routing::any(|| async { http::StatusCode::NOT_FOUND }))
}

/// Method and path of every call.
pub fn calls() -> Vec<(String, String)> {
    let document = document();
    let mut calls = vec![("GET".to_owned(), "/api/v1/openapi.json".to_owned())];
    for (path, item) in document.paths.paths {
        let methods =
            [("GET", item.get), ("PUT", item.put), ("POST", item.post), ("DELETE", item.delete), ("PATCH", item.patch)];
        calls.extend(methods.into_iter().filter(|(_, op)| op.is_some()).map(|(m, _)| (m.to_owned(), path.clone())));
    }
    calls
}
