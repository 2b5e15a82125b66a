//! Who may call which route: the list the black-box tests run from.
//!
//! The routes come from the routers themselves; a route without a row here fails the tests, so nothing new is open by
//! accident. The rule itself is enforced by the services and the page gate, not by this table.

use app::routes::{PAGES, PageAccess, WRITTEN};
use serde::Serialize;

use crate::{api, pages};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Public,
    SignedIn,
    Manager,
    Admin,
}

/// A route as the black-box tests see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    pub method: String,
    pub path: String,
    /// Nothing for a route without a row in the table below, which fails the tests.
    pub access: Option<Access>,
    /// Whether it asks for a sign-in or a password given lately.
    pub sudo: bool,
}

/// Who may join a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicAccess {
    SignedIn,
    /// Admins, and managers of any organisation.
    Manager,
    /// Admins, and managers of the organisation it is about.
    ManagerOfIt,
    /// The people of the organisation it is about, and nobody else.
    Colleague,
    /// Admins, and the people of the organisation it is about, each as they may.
    ColleagueOrAdmin,
    Admin,
}

/// The topics of the socket: the list the black-box test runs from. A topic without a row here cannot be joined.
pub const TOPICS: &[(&str, TopicAccess)] = &[
    ("presence:me", TopicAccess::SignedIn),
    ("presence:all", TopicAccess::Admin),
    ("presence:org:ID", TopicAccess::ManagerOfIt),
    ("presence:team:ID", TopicAccess::ManagerOfIt),
    ("realtime:all", TopicAccess::Admin),
    ("realtime:org:ID", TopicAccess::ColleagueOrAdmin),
    ("realtime:team:ID", TopicAccess::ManagerOfIt),
    ("people:org:ID", TopicAccess::Colleague),
    ("live:online", TopicAccess::Manager),
    ("live:activity", TopicAccess::Manager),
    ("live:uploads", TopicAccess::Manager),
    ("notices:me", TopicAccess::SignedIn),
    ("reports:me", TopicAccess::Manager),
    ("live:traffic", TopicAccess::Manager),
];

/// Who may call what is not a page.
const ACCESS: &[(&str, &str, Access)] = &[
    ("GET", "/api/v1/openapi.json", Access::Public),
    ("POST", "/api/v1/auth/login", Access::Public),
    ("POST", "/api/v1/auth/logout", Access::Public),
    ("POST", "/api/v1/auth/reauth", Access::SignedIn),
    ("POST", "/api/v1/auth/password", Access::SignedIn),
    ("POST", "/api/v1/auth/email", Access::SignedIn),
    ("POST", "/api/v1/auth/forgot", Access::Public),
    ("POST", "/api/v1/auth/second-factor", Access::Public),
    ("GET", "/api/v1/session", Access::SignedIn),
    ("GET", "/api/v1/session/data/{key}", Access::SignedIn),
    ("PUT", "/api/v1/session/data/{key}", Access::SignedIn),
    ("DELETE", "/api/v1/session/data/{key}", Access::SignedIn),
    ("GET", "/api/v1/sessions", Access::SignedIn),
    ("DELETE", "/api/v1/sessions", Access::SignedIn),
    ("DELETE", "/api/v1/sessions/{id}", Access::SignedIn),
    ("POST", "/api/v1/heartbeat", Access::SignedIn),
    ("POST", "/api/v1/track/page", Access::SignedIn),
    ("POST", "/api/v1/track/action", Access::SignedIn),
    ("GET", "/api/v1/analytics/user", Access::SignedIn),
    ("GET", "/api/v1/analytics/journey", Access::SignedIn),
    ("GET", "/api/v1/preferences", Access::SignedIn),
    ("PUT", "/api/v1/preferences", Access::SignedIn),
    ("PATCH", "/api/v1/preferences", Access::SignedIn),
    ("GET", "/api/v1/presence/me", Access::SignedIn),
    ("PUT", "/api/v1/presence/me", Access::SignedIn),
    ("GET", "/api/v1/admin/users", Access::Manager),
    ("POST", "/api/v1/admin/users", Access::Admin),
    ("GET", "/api/v1/admin/users/{id}", Access::Manager),
    ("PATCH", "/api/v1/admin/users/{id}", Access::Admin),
    ("DELETE", "/api/v1/admin/users/{id}", Access::Admin),
    ("GET", "/api/v1/admin/users/{id}/timeline", Access::Manager),
    ("POST", "/api/v1/admin/users/{id}/invite", Access::Admin),
    ("POST", "/api/v1/admin/users/{id}/disable", Access::Admin),
    ("POST", "/api/v1/admin/users/{id}/enable", Access::Admin),
    ("POST", "/api/v1/admin/users/move", Access::Admin),
    ("GET", "/api/v1/admin/users/export", Access::Manager),
    ("POST", "/api/v1/admin/users/import", Access::Admin),
    ("GET", "/api/v1/admin/organisations", Access::Manager),
    ("POST", "/api/v1/admin/organisations", Access::Admin),
    ("GET", "/api/v1/admin/organisations/{id}", Access::Manager),
    ("PATCH", "/api/v1/admin/organisations/{id}", Access::Admin),
    ("DELETE", "/api/v1/admin/organisations/{id}", Access::Admin),
    ("GET", "/api/v1/admin/teams", Access::Manager),
    ("POST", "/api/v1/admin/teams", Access::Admin),
    ("GET", "/api/v1/admin/teams/{id}", Access::Manager),
    ("PATCH", "/api/v1/admin/teams/{id}", Access::Admin),
    ("DELETE", "/api/v1/admin/teams/{id}", Access::Admin),
    ("GET", "/api/v1/admin/roles", Access::Manager),
    ("POST", "/api/v1/admin/roles", Access::Admin),
    ("GET", "/api/v1/admin/roles/{id}", Access::Manager),
    ("PATCH", "/api/v1/admin/roles/{id}", Access::Admin),
    ("DELETE", "/api/v1/admin/roles/{id}", Access::Admin),
    ("GET", "/api/v1/admin/users/online", Access::Manager),
    ("GET", "/api/v1/admin/users/{id}/why", Access::Manager),
    ("DELETE", "/api/v1/admin/users/{id}/second-factor", Access::Admin),
    ("GET", "/api/v1/admin/users/{id}/presence", Access::Manager),
    ("GET", "/api/v1/admin/presence/at", Access::Manager),
    ("GET", "/api/v1/admin/mail", Access::Admin),
    ("GET", "/api/v1/admin/sessions", Access::Manager),
    ("POST", "/api/v1/admin/sessions/revoke", Access::Manager),
    ("POST", "/api/v1/admin/sessions/cleanup", Access::Admin),
    ("GET", "/api/v1/admin/activity", Access::Manager),
    ("GET", "/api/v1/admin/activity/export", Access::Manager),
    ("GET", "/api/v1/admin/audit", Access::Admin),
    ("GET", "/api/v1/admin/audit/export", Access::Admin),
    ("GET", "/api/v1/uploads", Access::SignedIn),
    ("POST", "/api/v1/uploads", Access::SignedIn),
    ("GET", "/api/v1/uploads/{id}", Access::SignedIn),
    ("DELETE", "/api/v1/uploads/{id}", Access::SignedIn),
    ("GET", "/api/v1/uploads/{id}/content", Access::SignedIn),
    ("GET", "/api/v1/outputs", Access::SignedIn),
    ("POST", "/api/v1/outputs", Access::SignedIn),
    ("DELETE", "/api/v1/outputs/{id}", Access::SignedIn),
    ("GET", "/api/v1/outputs/{id}/content", Access::SignedIn),
    ("GET", "/api/v1/admin/uploads", Access::Manager),
    ("GET", "/api/v1/admin/uploads/summary", Access::Manager),
    ("GET", "/api/v1/admin/uploads/running", Access::Manager),
    ("GET", "/api/v1/admin/outputs", Access::Manager),
    ("GET", "/api/v1/notices", Access::SignedIn),
    ("POST", "/api/v1/notices/read", Access::SignedIn),
    ("GET", "/api/v1/notices/subscriptions", Access::SignedIn),
    ("POST", "/api/v1/notices/subscriptions", Access::Manager),
    ("DELETE", "/api/v1/notices/subscriptions/{id}", Access::SignedIn),
    ("GET", "/api/v1/admin/reports", Access::Manager),
    ("POST", "/api/v1/admin/reports", Access::Manager),
    ("DELETE", "/api/v1/admin/reports/{id}", Access::Manager),
    ("GET", "/api/v1/admin/reports/schedules", Access::Manager),
    ("POST", "/api/v1/admin/reports/schedules", Access::Manager),
    ("DELETE", "/api/v1/admin/reports/schedules/{id}", Access::Manager),
    ("GET", "/api/v1/admin/traffic/current", Access::Manager),
    ("GET", "/api/v1/admin/traffic/live", Access::Manager),
    ("GET", "/api/v1/admin/settings", Access::Admin),
    ("PATCH", "/api/v1/admin/settings", Access::Admin),
    ("POST", "/rpc/sign_in", Access::Public),
    ("POST", "/rpc/sign_out", Access::Public),
    ("POST", "/rpc/set_up", Access::Public),
    ("POST", "/rpc/reset_password", Access::Public),
    ("POST", "/rpc/forgot_password", Access::Public),
    ("POST", "/rpc/set_theme", Access::Public),
    ("POST", "/rpc/second_factor", Access::Public),
    ("POST", "/rpc/begin_second_factor", Access::SignedIn),
    ("POST", "/rpc/confirm_second_factor", Access::SignedIn),
    ("POST", "/rpc/new_backup_codes", Access::SignedIn),
    ("POST", "/rpc/end_second_factor", Access::SignedIn),
    ("POST", "/rpc/confirm_password", Access::SignedIn),
    ("POST", "/rpc/change_password", Access::SignedIn),
    ("POST", "/rpc/change_email", Access::SignedIn),
    ("POST", "/rpc/confirm_email", Access::SignedIn),
    ("POST", "/rpc/change_privacy", Access::SignedIn),
    ("POST", "/rpc/end_device", Access::SignedIn),
    ("POST", "/rpc/end_other_devices", Access::SignedIn),
    ("POST", "/rpc/me", Access::SignedIn),
    ("POST", "/rpc/page", Access::SignedIn),
    ("POST", "/rpc/choose", Access::SignedIn),
    ("POST", "/rpc/stay", Access::SignedIn),
    ("POST", "/rpc/at", Access::Manager),
    ("POST", "/rpc/colleagues", Access::SignedIn),
    ("POST", "/rpc/day", Access::Manager),
    ("POST", "/rpc/online", Access::Manager),
    ("POST", "/rpc/why", Access::Manager),
    ("POST", "/rpc/end_sessions", Access::Manager),
    ("POST", "/rpc/refresh", Access::SignedIn),
    ("POST", "/rpc/states", Access::Manager),
    ("POST", "/rpc/add_person", Access::Admin),
    ("POST", "/rpc/edit_person", Access::Admin),
    ("POST", "/rpc/invite_person", Access::Admin),
    ("POST", "/rpc/reset_link", Access::Admin),
    ("POST", "/rpc/disable_person", Access::Admin),
    ("POST", "/rpc/enable_person", Access::Admin),
    ("POST", "/rpc/reset_second_factor", Access::Admin),
    ("POST", "/rpc/delete_person", Access::Admin),
    ("POST", "/rpc/erase_person", Access::Admin),
    ("POST", "/rpc/move_people", Access::Admin),
    ("POST", "/rpc/add_organisation", Access::Admin),
    ("POST", "/rpc/rename_organisation", Access::Admin),
    ("POST", "/rpc/delete_organisation", Access::Admin),
    ("POST", "/rpc/add_team", Access::Admin),
    ("POST", "/rpc/rename_team", Access::Admin),
    ("POST", "/rpc/delete_team", Access::Admin),
    ("POST", "/rpc/add_role", Access::Admin),
    ("POST", "/rpc/edit_role", Access::Admin),
    ("POST", "/rpc/delete_role", Access::Admin),
    ("POST", "/rpc/export_people", Access::Manager),
    ("POST", "/rpc/import_people", Access::Admin),
    ("POST", "/rpc/end_session", Access::Manager),
    ("POST", "/rpc/unlock_export", Access::Admin),
    ("POST", "/rpc/unlock_activity", Access::Manager),
    ("POST", "/rpc/follow_export", Access::Manager),
    ("POST", "/rpc/end_matching", Access::Manager),
    ("POST", "/rpc/end_selected", Access::Manager),
    ("POST", "/rpc/clean_up", Access::Admin),
    ("POST", "/rpc/save_settings", Access::Admin),
    ("POST", "/rpc/delete_upload", Access::SignedIn),
    ("POST", "/rpc/read_notices", Access::SignedIn),
    ("POST", "/rpc/ask_for_notices", Access::Manager),
    ("POST", "/rpc/end_notices", Access::SignedIn),
    ("POST", "/rpc/ask_for_report", Access::Manager),
    ("POST", "/rpc/cancel_report", Access::Manager),
    ("POST", "/rpc/schedule_report", Access::Manager),
    ("POST", "/rpc/end_report_schedule", Access::Manager),
    ("POST", "/rpc/retry_mail", Access::Admin),
    ("POST", "/rpc/retry_mails", Access::Admin),
    ("POST", "/rpc/drop_mail", Access::Admin),
    ("POST", "/rpc/upload", Access::SignedIn),
    ("GET", "/socket/websocket", Access::SignedIn),
    ("GET", "/realtime/v1/websocket", Access::SignedIn),
    ("GET", "/pkg/{*path}", Access::Public),
    ("GET", "/favicon.ico", Access::Public),
    ("GET", "/health/live", Access::Public),
];

/// What asks for sudo mode: it answers 403 `reauth_required` to a session whose password was given too long ago, to
/// administrators like everybody. What only asks what would happen does not.
const SUDO: &[(&str, &str)] = &[
    ("POST", "/api/v1/auth/email"),
    ("DELETE", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions/{id}"),
    ("POST", "/api/v1/admin/users"),
    ("PATCH", "/api/v1/admin/users/{id}"),
    ("DELETE", "/api/v1/admin/users/{id}"),
    ("DELETE", "/api/v1/admin/users/{id}/second-factor"),
    ("POST", "/api/v1/admin/users/{id}/invite"),
    ("POST", "/api/v1/admin/users/{id}/disable"),
    ("POST", "/api/v1/admin/users/{id}/enable"),
    ("POST", "/api/v1/admin/users/move"),
    ("GET", "/api/v1/admin/users/export"),
    ("POST", "/api/v1/admin/users/import"),
    ("POST", "/api/v1/admin/organisations"),
    ("PATCH", "/api/v1/admin/organisations/{id}"),
    ("DELETE", "/api/v1/admin/organisations/{id}"),
    ("POST", "/api/v1/admin/teams"),
    ("PATCH", "/api/v1/admin/teams/{id}"),
    ("DELETE", "/api/v1/admin/teams/{id}"),
    ("POST", "/api/v1/admin/roles"),
    ("PATCH", "/api/v1/admin/roles/{id}"),
    ("DELETE", "/api/v1/admin/roles/{id}"),
    ("POST", "/api/v1/admin/sessions/revoke"),
    ("POST", "/api/v1/admin/sessions/cleanup"),
    ("GET", "/api/v1/admin/audit/export"),
    ("GET", "/api/v1/admin/activity/export"),
    ("POST", "/api/v1/admin/reports"),
    ("POST", "/api/v1/admin/reports/schedules"),
    ("PATCH", "/api/v1/admin/settings"),
    ("POST", "/rpc/change_email"),
    ("POST", "/rpc/end_device"),
    ("POST", "/rpc/end_other_devices"),
    ("POST", "/rpc/begin_second_factor"),
    ("POST", "/rpc/confirm_second_factor"),
    ("POST", "/rpc/new_backup_codes"),
    ("POST", "/rpc/end_second_factor"),
    ("POST", "/rpc/end_session"),
    ("POST", "/rpc/end_sessions"),
    ("POST", "/rpc/end_matching"),
    ("POST", "/rpc/end_selected"),
    ("POST", "/rpc/clean_up"),
    ("POST", "/rpc/ask_for_report"),
    ("POST", "/rpc/schedule_report"),
    ("POST", "/rpc/unlock_activity"),
    ("POST", "/rpc/add_person"),
    ("POST", "/rpc/edit_person"),
    ("POST", "/rpc/invite_person"),
    ("POST", "/rpc/reset_link"),
    ("POST", "/rpc/disable_person"),
    ("POST", "/rpc/enable_person"),
    ("POST", "/rpc/reset_second_factor"),
    ("POST", "/rpc/delete_person"),
    ("POST", "/rpc/erase_person"),
    ("POST", "/rpc/move_people"),
    ("POST", "/rpc/export_people"),
    ("POST", "/rpc/import_people"),
    ("POST", "/rpc/add_organisation"),
    ("POST", "/rpc/rename_organisation"),
    ("POST", "/rpc/delete_organisation"),
    ("POST", "/rpc/add_team"),
    ("POST", "/rpc/rename_team"),
    ("POST", "/rpc/delete_team"),
    ("POST", "/rpc/add_role"),
    ("POST", "/rpc/edit_role"),
    ("POST", "/rpc/delete_role"),
    ("POST", "/rpc/save_settings"),
    ("POST", "/rpc/unlock_export"),
    ("POST", "/rpc/retry_mail"),
    ("POST", "/rpc/retry_mails"),
    ("POST", "/rpc/drop_mail"),
];

/// Every route the server answers, from its own routers.
pub fn routes() -> Vec<Route> {
    let label =
        |method: &str, path: &str| ACCESS.iter().find(|(m, p, _)| *m == method && *p == path).map(|(_, _, a)| *a);
    let page = |path: &str| {
        PAGES.iter().chain(WRITTEN).find(|(p, _)| *p == path).map(|(_, a)| match a {
            PageAccess::Public => Access::Public,
            PageAccess::SignedIn => Access::SignedIn,
            PageAccess::Manager => Access::Manager,
            PageAccess::Admin => Access::Admin,
        })
    };
    let calls = api::calls()
        .into_iter()
        .chain(leptos::server_fn::axum::server_fn_paths().map(|(path, method)| (method.to_string(), path.to_owned())));
    let fixed = [
        ("POST", "/rpc/upload"),
        ("GET", "/socket/websocket"),
        ("GET", "/realtime/v1/websocket"),
        ("GET", "/pkg/{*path}"),
        ("GET", "/favicon.ico"),
        ("GET", "/health/live"),
    ];
    let mut routes: Vec<Route> = calls
        .chain(fixed.map(|(m, p)| (m.to_owned(), p.to_owned())))
        .map(|(method, path)| {
            let sudo = SUDO.contains(&(&*method, &*path));
            Route { access: label(&method, &path), method, path, sudo }
        })
        .collect();
    let written = WRITTEN.iter().map(|(p, _)| (*p).to_owned());
    routes.extend(pages::paths().into_iter().chain(written).map(|path| Route {
        method: "GET".into(),
        access: page(&path),
        path,
        sudo: false,
    }));
    routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    routes
}
