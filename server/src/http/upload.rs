//! Takes in a file that is sent as `multipart/form-data`: read as it comes, written as it is read.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
};
use bytes::Bytes;
use domain::{ApiError, ErrorCode, files::File};
use futures_util::Stream;
use http::{StatusCode, header::CONTENT_LENGTH};
use http_body_util::BodyExt;
use services::{
    LiveSession,
    files::{Arrival, Kind},
};
use tokio::sync::Mutex;

use super::extract::Caller;
use crate::router::AppState;

/// Longer silence than this ends an upload.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A label is at most so long before it is looked at.
const LABEL_MAX: usize = 1024;
/// A client that sends on after a refusal is listened to for so long, that it hears the refusal and not a broken pipe.
const DRAIN: Duration = Duration::from_secs(10);
const DRAIN_MAX: u64 = 256 * 1024 * 1024;
const NOT_WHOLE: &str = "The file did not come whole. Send it again.";

/// The one file of a request, with the label in the field `label`.
pub async fn receive(
    state: &AppState,
    caller: &Caller,
    kind: Kind,
    label: &str,
    request: Request,
) -> Result<File, ApiError> {
    let session = Arc::clone(caller.session().map_err(|e| e.0)?);
    let length = length(&request);
    if let Err(error) = state.services.files.check_length(&caller.actor, kind, length).await {
        drain(request.into_body());
        return Err(error);
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    let read_as_form = Request::from_parts(head, Body::from_stream(stream(Arc::clone(&body))));
    let mut form = Multipart::from_request(read_as_form, state).await.map_err(|_| {
        ApiError::new(ErrorCode::UnsupportedMediaType, "Send the file as multipart/form-data, in a field named file.")
    })?;
    let received = read(state, &session, kind, label, length, &mut form).await;
    match received {
        Ok((arrival, label)) => {
            drop(form);
            rest(&body).await?;
            arrival.finish(label.as_deref(), &caller.origin.ip).await
        }
        Err(error) => {
            // What it was about is gone already.
            tokio::spawn(tokio::time::timeout(
                DRAIN,
                async move { while let Ok(Some(_)) = form.next_field().await {} },
            ));
            Err(error)
        }
    }
}

/// The body for the reader of the form, which stops at the form's end.
fn stream(body: Arc<Mutex<Body>>) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    futures_util::stream::unfold(body, async |body| {
        let frame = body.lock().await.frame().await?;
        Some((frame.map(|f| f.into_data().unwrap_or_default()), body))
    })
}

/// What is behind the form's end: little, and there, or the request has not come whole.
async fn rest(body: &Mutex<Body>) -> Result<(), ApiError> {
    let mut body = body.lock().await;
    let all = async {
        while let Some(frame) = body.frame().await {
            frame.map_err(|_| ())?;
        }
        Ok(())
    };
    match tokio::time::timeout(SILENCE_MAX, all).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(())) | Err(_) => Err(ApiError::new(ErrorCode::BadRequest, NOT_WHOLE)),
    }
}

async fn read(
    state: &AppState,
    session: &Arc<LiveSession>,
    kind: Kind,
    label: &str,
    length: Option<u64>,
    form: &mut Multipart,
) -> Result<(Arrival, Option<String>), ApiError> {
    let mut arrival: Option<Arrival> = None;
    let mut said: Option<String> = None;
    while let Some(mut field) = patiently(form.next_field()).await? {
        match field.name().unwrap_or_default() {
            "file" if arrival.is_some() => {
                return Err(ApiError::invalid("file", "Send one file with a request."));
            }
            "file" => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let label = said.as_deref().unwrap_or_default();
                let mut file = state.services.files.begin(session, kind, &name, label, length).await?;
                while let Some(bytes) = patiently(field.chunk()).await? {
                    file.write(bytes).await?;
                }
                if name.is_empty() && file.is_empty() {
                    // What a browser sends for a field nobody filled in.
                    return Err(ApiError::invalid("file", "Choose a file first."));
                }
                arrival = Some(file);
            }
            name if name == label => {
                let mut text = vec![];
                while let Some(bytes) = patiently(field.chunk()).await? {
                    text.extend_from_slice(&bytes);
                    if text.len() > LABEL_MAX {
                        return Err(ApiError::invalid(label, "This is too long."));
                    }
                }
                said = Some(String::from_utf8_lossy(&text).into_owned());
            }
            _ => while patiently(field.chunk()).await?.is_some() {},
        }
    }
    let arrival = arrival.ok_or_else(|| ApiError::invalid("file", "Send the file in a field named file."))?;
    Ok((arrival, said))
}

/// The next of it, unless it is silent for too long.
async fn patiently<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, ApiError> {
    match tokio::time::timeout(SILENCE_MAX, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(e)) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ApiError::new(ErrorCode::TooLarge, "The request's body is too large."))
        }
        Ok(Err(_)) => Err(ApiError::new(ErrorCode::BadRequest, NOT_WHOLE)),
        Err(_) => Err(ApiError::new(ErrorCode::BadRequest, "Nothing came for 30 s. Send the file again.")),
    }
}

/// How long the request says that its body is.
pub fn length(request: &Request) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok())
}

/// Reads what is still coming, and throws it away.
pub fn drain(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN, async move {
        let mut n = 0;
        while let Some(Ok(frame)) = body.frame().await {
            n += frame.data_ref().map_or(0, Bytes::len) as u64;
            if n > DRAIN_MAX {
                return;
            }
        }
    }));
}
