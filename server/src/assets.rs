//! The files inside the binary: the browser's code and style, in a folder named by their hash.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY},
};
use leptos::config::{Env, LeptosOptions};
use rust_embed::Embed;

use crate::router::AppState;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Site;

/// Where leptos finds its files. The root is nowhere: nothing is ever served from the disk.
pub fn leptos_options() -> LeptosOptions {
    let folder = Site::iter().find_map(|f| f.strip_suffix("/rollcall.js").map(str::to_owned));
    LeptosOptions::builder()
        .output_name("rollcall")
        .site_root("/nonexistent")
        .site_pkg_dir(folder.unwrap_or_else(|| "pkg".to_owned()))
        .env(Env::PROD)
        .hash_files(false)
        .build()
}

/// A file of `/pkg/…`; the folder's name is its hash, so it may be kept for ever.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("pkg/{path}");
    let accepts = |coding: &str| {
        let offered = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        offered.split(',').any(|c| c.split(';').next().is_some_and(|c| c.trim() == coding) && !c.contains("q=0"))
    };
    let packed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, ending)| Some((Some(coding), Site::get(&format!("{path}{ending}"))?)));
    let Some((coding, file)) = packed.or_else(|| Some((None, Site::get(&path)?))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(&path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Where a browser looks for the icon of what is not a page and names none: an answer of the REST calls, say.
pub async fn icon(State(state): State<AppState>) -> Redirect {
    Redirect::temporary(&format!("/{}/favicon.svg", state.leptos.site_pkg_dir))
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}
