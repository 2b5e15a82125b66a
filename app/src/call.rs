//! How pages reach the server's doors (`rpc`): what they read, and one way of sending for all they do.
//!
//! The doors are typed on the server. Here they are a path, fields and the text of an answer, since a typed client for
//! each would make the browser's code a third larger.

use domain::{ApiError, UserId, presence::live::Window};
#[cfg(feature = "ssr")]
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::live::list::Moment;

/// Everything a page may read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Me,
    Online(Window),
    Why(UserId),
    /// Who was here at a moment gone by.
    At(Moment),
    /// A person's day so far.
    Day(UserId),
    Colleagues,
}

/// Asks the doors themselves while a page is written.
#[cfg(feature = "ssr")]
pub(crate) async fn answer(ask: Ask) -> Result<String, ApiError> {
    use crate::rpc::{me, people};

    fn text<T: Serialize>(answer: Result<T, crate::rpc::RpcError>) -> Result<String, ApiError> {
        serde_json::to_string(&answer.map_err(|e| e.0)?).map_err(|_| ApiError::internal())
    }
    match ask {
        Ask::Me => text(me::me().await),
        Ask::Online(window) => text(people::of_window(window).await),
        Ask::Why(id) => text(people::why(id).await),
        Ask::At(moment) => text(people::at(moment.to, moment.back).await),
        Ask::Day(id) => text(people::day(id).await),
        Ask::Colleagues => text(people::colleagues().await),
    }
}

/// What an answer says. Both sides are of one build, so it can always be read.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|_| ApiError::internal())
}

#[cfg(not(feature = "ssr"))]
pub(crate) use browser::answer;
pub(crate) use browser::{post_form, send};

mod browser {
    use domain::{ApiError, ErrorCode};
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{FormData, Headers, HtmlFormElement, RequestInit, Response, UrlSearchParams};

    use crate::text;

    /// Asks the server.
    #[cfg(not(feature = "ssr"))]
    pub(crate) fn answer(ask: super::Ask) -> impl Future<Output = Result<String, ApiError>> + Send {
        // The browser has one thread, which leptos does not rely on.
        send_wrapper::SendWrapper::new(async move {
            match ask {
                super::Ask::Me => send("/rpc/me", &[]).await,
                super::Ask::Online(window) => {
                    let window = serde_json::to_string(&window).unwrap_or_default();
                    send("/rpc/online", &[("window", &window)]).await
                }
                super::Ask::Why(id) => send("/rpc/why", &[("id", &id.to_string())]).await,
                super::Ask::At(moment) => {
                    let (to, back) = (moment.to.map(|t| t.to_string()), moment.back.to_string());
                    let to = to.as_deref().map(|t| ("to", t));
                    send("/rpc/at", &to.into_iter().chain([("back", &*back)]).collect::<Vec<_>>()).await
                }
                super::Ask::Day(id) => send("/rpc/day", &[("id", &id.to_string())]).await,
                super::Ask::Colleagues => send("/rpc/colleagues", &[]).await,
            }
        })
    }

    /// Posts fields as a plain form would, and gives the JSON of the answer.
    pub(crate) async fn send(to: &str, fields: &[(&str, &str)]) -> Result<String, ApiError> {
        let Ok(body) = UrlSearchParams::new() else { return Err(ApiError::internal()) };
        for (name, value) in fields {
            body.append(name, value);
        }
        post(to, &body).await
    }

    /// Posts a form as the browser would, but takes the answer itself.
    pub(crate) async fn post_form(to: &str, form: &HtmlFormElement) -> Result<String, ApiError> {
        let fields = FormData::new_with_form(form);
        let body = fields.and_then(|f| UrlSearchParams::new_with_str_sequence_sequence(&f.into()));
        match body {
            Ok(body) => post(to, &body).await,
            Err(_) => Err(ApiError::internal()),
        }
    }

    async fn post(to: &str, body: &UrlSearchParams) -> Result<String, ApiError> {
        let (ok, body) = fetch(to, body).await.map_err(|_| ApiError::new(ErrorCode::Network, text::NETWORK))?;
        if ok { Ok(body) } else { Err(serde_json::from_str(&body).unwrap_or_else(|_| ApiError::internal())) }
    }

    async fn fetch(to: &str, body: &UrlSearchParams) -> Result<(bool, String), JsValue> {
        let headers = Headers::new()?;
        headers.set("accept", "application/json")?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_body(body);
        let response: Response = JsFuture::from(window().fetch_with_str_and_init(to, &init)).await?.unchecked_into();
        let text = JsFuture::from(response.text()?).await?;
        Ok((response.ok(), text.as_string().unwrap_or_default()))
    }
}
