//! Server functions: the doors the pages use. Each takes plain arguments, finds who asks, calls one service and gives
//! back what `domain` knows. No rules here; they also work as the target of a plain HTML form. They are the server's
//! alone: the browser reaches them by `call`.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod accounts;
#[cfg(feature = "ssr")]
pub mod activity;
#[cfg(feature = "ssr")]
pub mod audit;
#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod devices;
#[cfg(feature = "ssr")]
pub mod directory;
#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod me;
#[cfg(feature = "ssr")]
pub mod notices;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod people;
#[cfg(feature = "ssr")]
pub mod reports;
#[cfg(feature = "ssr")]
pub mod second_factor;
#[cfg(feature = "ssr")]
pub mod sessions;
#[cfg(feature = "ssr")]
pub mod settings;
#[cfg(feature = "ssr")]
pub mod theme;

use bytes::Bytes;
use domain::{ApiError, ErrorCode};
use leptos::server_fn::{
    ContentType, Decodes, Encodes, Format, FormatType,
    codec::Post,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// JSON that is read as text. server_fn's own reads bytes, and the readers of every type would be in the browser's code
/// twice: once for answers, once for what comes with the page.
pub struct JsonText;

/// How answers travel.
pub type Text = Post<JsonText>;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(value).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_str(&String::from_utf8_lossy(&bytes))
    }
}

/// The one error of all doors, as server functions carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RpcError(pub ApiError);

impl FromServerFnError for RpcError {
    type Encoder = JsonText;

    fn from_server_fn_error(e: ServerFnErrorErr) -> Self {
        use ServerFnErrorErr::{Args, Deserialization, MissingArg, Request};
        let error = match &e {
            Args(_) | MissingArg(_) => ApiError::new(ErrorCode::Invalid, "Something is missing from this form."),
            Request(_) => ApiError::new(ErrorCode::Network, crate::text::NETWORK),
            // On the server, what came; in the browser the same word is about the answer.
            Deserialization(_) if cfg!(feature = "ssr") => {
                ApiError::new(ErrorCode::BadRequest, "The request could not be read.")
            }
            _ => ApiError::internal(),
        };
        #[cfg(feature = "ssr")]
        ssr::status(&error);
        Self(error)
    }
}

/// What server functions and pages ask of the request; on the server only.
#[cfg(feature = "ssr")]
pub(crate) mod ssr {
    use std::sync::Arc;

    use domain::{Actor, ApiError, ErrorCode};
    use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
    use leptos::prelude::{expect_context, use_context};
    use leptos_axum::ResponseOptions;
    use services::{LiveSession, Origin, Services};

    use super::RpcError;
    use crate::{
        request::{Client, CookieMaker, Current, Refused, SessionToken},
        viewer::Theme,
    };

    impl From<ApiError> for RpcError {
        fn from(e: ApiError) -> Self {
            status(&e);
            Self(e)
        }
    }

    /// Only for a call by our own script: never the status of a page that calls the function while it renders, nor of
    /// a plain form, whose redirect it would replace.
    pub(crate) fn status(e: &ApiError) {
        let (Some(parts), Some(options)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else { return };
        if e.code == ErrorCode::Forbidden
            && e.fields.is_empty()
            && let Some(refused) = parts.extensions.get::<Refused>()
        {
            refused.set();
        }
        if !parts.uri.path().starts_with("/rpc/") || is_form(&parts) {
            return;
        }
        if let Ok(status) = StatusCode::from_u16(e.code.status()) {
            options.set_status(status);
        }
        if let Some(seconds) = e.retry_after {
            options.insert_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }

    fn is_form(parts: &Parts) -> bool {
        parts.headers.get(header::ACCEPT).is_some_and(|a| a.as_bytes().windows(9).any(|w| w == b"text/html"))
    }

    /// Sends a plain form on to `path`, which is one of ours; our own script goes there by itself.
    pub(crate) fn go(path: &str) {
        let (Some(parts), Some(options)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else { return };
        if let (true, Ok(path)) = (is_form(&parts), HeaderValue::from_str(path)) {
            options.insert_header(header::LOCATION, path);
            options.set_status(StatusCode::FOUND);
        }
    }

    fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
        use_context::<Parts>().and_then(|p| p.extensions.get::<T>().cloned())
    }

    pub(crate) fn actor() -> Result<Actor, RpcError> {
        extension::<Actor>().ok_or_else(|| ApiError::internal().into())
    }

    pub(crate) fn services() -> Services {
        expect_context()
    }

    /// The live session, if there is one; asking sets no status.
    pub(crate) fn current() -> Option<Arc<LiveSession>> {
        extension::<Current>().and_then(|c| c.0)
    }

    pub(crate) fn session() -> Result<Arc<LiveSession>, RpcError> {
        current().ok_or_else(|| ApiError::unauthenticated().into())
    }

    pub(crate) fn token() -> Option<String> {
        extension::<SessionToken>().and_then(|t| t.0)
    }

    pub(crate) fn origin() -> Origin {
        let client = extension::<Client>().unwrap_or_default();
        Origin { ip: client.ip, user_agent: client.user_agent }
    }

    pub(crate) fn cookies() -> CookieMaker {
        expect_context()
    }

    /// The value of a cookie of ours; none when there are two.
    pub(crate) fn cookie(name: &str) -> Option<String> {
        let parts = use_context::<Parts>()?;
        let lines = parts.headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(n, _)| *n == name).map(|(_, value)| value.to_owned());
        found.next().filter(|_| found.next().is_none())
    }

    pub(crate) fn set_cookie(value: &str) {
        if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(value)) {
            options.append_header(header::SET_COOKIE, value);
        }
    }

    pub(crate) fn header(name: &'static str, value: &'static str) {
        if let Some(options) = use_context::<ResponseOptions>() {
            options.insert_header(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }

    /// Hands the new token of a sign-in to the browser.
    pub(crate) fn hand_out(signed_in: &services::SignedIn) {
        set_cookie(&cookies().set(signed_in.token.expose(), signed_in.remember()));
    }

    /// The status of the page that is being rendered.
    pub(crate) fn page_status(status: u16) {
        if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(status)) {
            options.set_status(status);
        }
    }

    /// The theme this browser remembers.
    pub(crate) fn theme(parts: &Parts) -> Theme {
        parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(';'))
            .find_map(|pair| pair.trim().strip_prefix("theme=").and_then(Theme::parse))
            .unwrap_or_default()
    }
}
