//! Signing in and out, confirming a password, changing it.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Time, account::UserView};
use http::{HeaderName, StatusCode, header::SET_COOKIE};
use serde::{Deserialize, Serialize};
use services::{EmailChange, LiveSession, SignedIn};
use utoipa::ToSchema;

use crate::{
    http::extract::{Answer, Body, Caller},
    router::AppState,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    username: String,
    password: String,
    /// Keep the session when the browser closes.
    #[serde(default)]
    remember: bool,
}

/// The session and whose it is.
#[derive(Serialize, ToSchema)]
pub(super) struct Current {
    user: UserView,
    session: Session,
}

#[derive(Serialize, ToSchema)]
struct Session {
    id: uuid::Uuid,
    created_at: Time,
    /// When it ends without further activity.
    expires_at: Time,
    /// When it ends whatever happens.
    absolute_expires_at: Time,
}

impl From<&LiveSession> for Current {
    fn from(s: &LiveSession) -> Self {
        Self {
            user: UserView::from(&*s.card()),
            session: Session {
                id: s.id,
                created_at: s.created_at,
                expires_at: s.expires_at(),
                absolute_expires_at: s.absolute_expires_at(),
            },
        }
    }
}

fn cookie(state: &AppState, signed_in: &SignedIn) -> [(HeaderName, String); 1] {
    [(SET_COOKIE, state.site.cookies.set(signed_in.token.expose(), signed_in.remember()))]
}

/// Signs in. A session already in the cookie jar ends.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Login, responses(
    (status = 200, body = Current, description = "Signed in; the cookie is set"),
    (status = 401, body = super::Problem, description = "`invalid_credentials`: the same for every kind of failure; \
        `second_factor_required`: right so far, and `fields.token` is for `/auth/second-factor`, within five minutes"),
    (status = 403, body = super::Problem, description = "`new_password_required`: right, and too short for the role; \
        where `fields.token` is given, `/reset?token=` takes it within ten minutes"),
    (status = 429, body = super::Problem, description = "Too many failures; see Retry-After")))]
pub(super) async fn login(State(state): State<AppState>, caller: Caller, Body(b): Body<Login>) -> Answer<Response> {
    let sessions = &state.services.sessions;
    let signed_in = sessions.sign_in(&b.username, &b.password, b.remember, &caller.origin, caller.jar()).await?;
    Ok((cookie(&state, &signed_in), Json(Current::from(&*signed_in.session))).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondStep {
    /// Of the answer `second_factor_required`.
    token: String,
    /// From the app, or a back-up code.
    code: String,
}

/// The second step of a sign-in, for those who have a second factor.
#[utoipa::path(post, path = "/auth/second-factor", tag = "auth", request_body = SecondStep, responses(
    (status = 200, body = Current, description = "Signed in; the cookie is set"),
    (status = 401, body = super::Problem, description = "`invalid_credentials`: a wrong, used or late code"),
    (status = 429, body = super::Problem, description = "Too many failures; see Retry-After")))]
pub(super) async fn second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<SecondStep>,
) -> Answer<Response> {
    let sessions = &state.services.sessions;
    let signed_in = sessions.second_factor(&b.token, &b.code, &caller.origin, caller.jar()).await?;
    Ok((cookie(&state, &signed_in), Json(Current::from(&*signed_in.session))).into_response())
}

/// Signs out; without a session there is nothing to do.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204, description = "Signed out; the cookie is removed")))]
pub(super) async fn logout(State(state): State<AppState>, caller: Caller) -> Answer<Response> {
    if let Ok(session) = caller.session() {
        state.services.sessions.sign_out(&caller.actor, session).await?;
    }
    let clear = (HeaderName::from_static("clear-site-data"), "\"cache\", \"storage\"".to_owned());
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, state.site.cookies.clear()), clear]).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgot {
    /// A username or an e-mail address.
    who: String,
}

/// Mails a link to choose a new password, if there is somebody of that name or address: the answer does not tell.
#[utoipa::path(post, path = "/auth/forgot", tag = "auth", request_body = Forgot, responses(
    (status = 202, description = "Whoever it is for will get a mail"),
    (status = 429, body = super::Problem, description = "Asked too often; see Retry-After")))]
pub(super) async fn forgot(State(state): State<AppState>, caller: Caller, Body(b): Body<Forgot>) -> Answer<StatusCode> {
    state.services.accounts.forgot(&b.who, &caller.origin).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reauth {
    password: String,
    /// Of those who have a second factor: a code from the app, or a back-up code.
    code: Option<String>,
}

/// Confirms the password: sensitive acts are allowed for a while. The token changes.
#[utoipa::path(post, path = "/auth/reauth", tag = "auth", request_body = Reauth, responses(
    (status = 204, description = "Confirmed; a new cookie is set"),
    (status = 401, body = super::Problem),
    (status = 403, body = super::Problem, description = "The password is wrong"),
    (status = 429, body = super::Problem)))]
pub(super) async fn reauth(State(state): State<AppState>, caller: Caller, Body(b): Body<Reauth>) -> Answer<Response> {
    let signed_in =
        state.services.sessions.reauth(&caller.actor, caller.token(), &b.password, b.code.as_deref()).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&state, &signed_in)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    current: String,
    new: String,
    /// End all other sessions.
    #[serde(default)]
    end_others: bool,
}

/// Changes the password. The token changes.
#[utoipa::path(post, path = "/auth/password", tag = "auth", request_body = Password, responses(
    (status = 204, description = "Changed; a new cookie is set"),
    (status = 403, body = super::Problem, description = "The current password is wrong"),
    (status = 422, body = super::Problem, description = "The new password is too short or too easy to guess")))]
pub(super) async fn password(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<Password>,
) -> Answer<Response> {
    let accounts = &state.services.accounts;
    let signed_in = accounts.change_password(&caller.actor, caller.token(), &b.current, &b.new, b.end_others).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&state, &signed_in)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Email {
    /// Empty to take it away.
    email: String,
}

/// Changes one's own e-mail address; the old one is told. Where mails can be sent it counts once the link that goes to the
/// new one is opened.
#[utoipa::path(post, path = "/auth/email", tag = "auth", request_body = Email, responses(
    (status = 202, description = "A link is on its way to the new address"), (status = 204, description = "Changed"),
    (status = 401, body = super::Problem), (status = 403, body = super::Problem), (status = 422, body = super::Problem),
    (status = 429, body = super::Problem)))]
pub(super) async fn email(State(state): State<AppState>, caller: Caller, Body(b): Body<Email>) -> Answer<StatusCode> {
    Ok(match state.services.accounts.change_email(&caller.actor, &b.email).await? {
        EmailChange::Done => StatusCode::NO_CONTENT,
        EmailChange::Mailed(_) => StatusCode::ACCEPTED,
    })
}
