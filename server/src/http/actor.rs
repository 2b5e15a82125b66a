//! Whose session it is: the cookie, and only the cookie, becomes the `Actor`.

use app::request::{Client, Current, SessionToken};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Actor, ApiError, traffic::Asker};
use http::{HeaderMap, header::COOKIE};

use super::extract::HttpError;
use crate::router::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let token = session_cookie(request.headers(), state.site.cookies.name()).map(str::to_owned);
    // Without its database the server knows nobody: neither a person nor an anonymous one (ASVS 16.5.3).
    let session = match &token {
        None => None,
        Some(_) if state.site.database.is_away() => return HttpError(ApiError::unavailable()).into_response(),
        Some(token) => {
            let sessions = &state.services.sessions;
            let session = if is_socket(request.uri().path()) {
                sessions.authenticate_socket(token).await
            } else {
                sessions.authenticate(token).await
            };
            match session {
                Ok(session) => session,
                Err(error) => return HttpError(error).into_response(),
            }
        }
    };
    if let Some(session) = session.as_ref().filter(|_| is_activity(request.uri().path())) {
        state.services.sessions.touch(session, state.services.clock.now());
    }
    let ip = request.extensions().get::<Client>().map_or("", |c| &*c.ip);
    let actor = session.as_ref().map_or(Actor::Anonymous, |s| s.actor_at(ip));
    // For the layers around this one.
    let asker = actor
        .person()
        .ok()
        .map(|p| Asker { user: p.card.id, organisation: p.card.organisation.as_ref().map(|o| o.id) });
    let extensions = request.extensions_mut();
    extensions.insert(actor);
    extensions.insert(SessionToken(token));
    extensions.insert(Current(session));
    let mut response = next.run(request).await;
    if let Some(asker) = asker {
        response.extensions_mut().insert(asker);
    }
    response
}

/// Heartbeats, sockets and what a page asks for by itself are signs of life; everything else a session asks for is something
/// a person caused.
fn is_activity(path: &str) -> bool {
    let by_itself = ["/rpc/states", "/rpc/refresh", "/rpc/me", "/rpc/why", "/rpc/day", "/rpc/follow_export"];
    path != "/api/v1/heartbeat" && !by_itself.contains(&path) && !is_socket(path)
}

fn is_socket(path: &str) -> bool {
    ["/socket/", "/realtime/"].iter().any(|p| path.starts_with(p))
}

/// The value of the session cookie. Two of them are none: one was planted (6265bis, `__Host-`).
pub fn session_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| axum_extra::extract::cookie::Cookie::split_parse(line).flatten())
        .filter(|c| c.name() == name)
        .filter_map(|c| c.value_raw());
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_of_that_very_name() {
        let of = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            session_cookie(&headers, "__Host-rollcall").map(str::to_owned)
        };
        assert_eq!(of(&["a=b; __Host-rollcall=token; c=d"]).as_deref(), Some("token"));
        assert_eq!(of(&["__host-rollcall=token"]), None);
        assert_eq!(of(&["__Host-rollcall=a; __Host-rollcall=b"]), None);
        assert_eq!(of(&["__Host-rollcall=a", "__Host-rollcall=b"]), None);
        assert_eq!(of(&["rollcall=token"]), None);
        assert_eq!(of(&[]), None);
    }
}
