//! The pages and server functions of `app`, with the context they are given.

use app::request::{CookieMaker, Links};
use axum::{
    Router,
    extract::{Request, State},
    middleware,
    response::{IntoResponse, Redirect, Response},
};
use domain::{ErrorCode, files::UploadView};
use http::{StatusCode, header::ACCEPT, request::Parts};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{LeptosRoutes, generate_route_list, render_app_async_with_context};

use services::files::Kind;

use crate::{
    http::{
        extract::{Caller, HttpError},
        gate,
        upload::receive,
    },
    router::AppState,
};

/// Every page and server function; what is neither is answered by the app's not-found page.
pub fn router(state: &AppState) -> Router<AppState> {
    let context = context(state);
    let options = state.leptos.clone();
    let shell = move || app::shell(options.clone());
    let not_found = render_app_async_with_context(context.clone(), shell.clone());
    let fallback =
        move |request: Request| -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> { not_found(request) };
    Router::new()
        .leptos_routes_with_context(state, generate_route_list(app::App), context, shell)
        .route("/rpc/{*rest}", axum::routing::any(|| async { http::StatusCode::NOT_FOUND }))
        .fallback(fallback)
        .layer(middleware::from_fn_with_state(state.clone(), gate::layer))
}

/// The plain form of the page of one's files. It goes back to the page, with what went wrong where something did.
pub async fn upload(State(state): State<AppState>, caller: Caller, request: Request) -> Response {
    let wants_page = request.headers().get(ACCEPT).is_some_and(|a| a.as_bytes().windows(9).any(|w| w == b"text/html"));
    match receive(&state, &caller, Kind::Upload, "workflow", request).await {
        Ok(file) if wants_page => Redirect::to(&format!("/files?done={}", file.id)).into_response(),
        Ok(file) => (StatusCode::CREATED, axum::Json(UploadView::from(file))).into_response(),
        Err(error) if wants_page && error.code != ErrorCode::Unauthenticated => {
            Redirect::to(&app::written::refused_at("/files", "/rpc/upload", error)).into_response()
        }
        Err(error) => HttpError(error).into_response(),
    }
}

/// Paths of the pages as the app's router knows them; behind the last of them, which takes any, are the written ones.
pub fn paths() -> Vec<String> {
    generate_route_list(app::App).iter().map(|r| r.path().to_owned()).filter(|p| !p.contains('*')).collect()
}

fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let services = state.services.clone();
    let cookies: CookieMaker = state.site.cookies.clone();
    let links: Links = state.site.links.clone();
    move || {
        provide_context(services.clone());
        provide_context(cookies.clone());
        provide_context(links.clone());
        // This runs after leptos_axum's own `provide_nonce`, so the nonce of the header wins.
        if let Some(nonce) = use_context::<Parts>().and_then(|p| p.extensions.get::<Nonce>().cloned()) {
            provide_context(nonce);
        }
    }
}
