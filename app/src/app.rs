//! The component that is the whole of the page, and which page is at which path.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Outlet, ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    clock::Clock,
    components::{frame::Frame, status::Said},
    live::status::Status,
    pages::{
        forbidden::Forbidden,
        home::Home,
        live::Live,
        login::Login,
        not_found::NotFound,
        outside::{Code, Forgot},
        overview::Overview,
        reset::Reset,
        setup::Setup,
        written::Written,
    },
    text,
    viewer::{Viewer, viewer},
};

/// The app, below `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let viewer = Arc::new(SharedValue::new(of_request).into_inner());
    provide_context(Clock::new(viewer.now));
    provide_context(Status::new(viewer.person.as_ref().map(|p| p.expires_at)));
    provide_context(Said::new());
    provide_context(viewer);

    // Told to the tests, and to the style sheet, which hides what needs no script until then.
    Effect::new(|_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    });

    view! {
        <Title formatter=text::title />
        <Router>
            <Routes fallback=|| view! { <NotFound /> }>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async />
                <Route path=path!("/setup") view=Setup ssr=SsrMode::Async />
                <Route path=path!("/reset") view=Reset ssr=SsrMode::Async />
                <Route path=path!("/forgot") view=Forgot ssr=SsrMode::Async />
                <Route path=path!("/second-factor") view=Code ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/") view=Home />
                    <ParentRoute path=path!("/admin") view=Gate>
                        <Route path=path!("") view=Overview />
                        <Route path=path!("/live") view=Live />
                    </ParentRoute>
                    <Route path=path!("/*any") view=Written />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// What is below `/admin`: the server's gate has answered already, this shows its answer.
#[component]
fn Gate() -> impl IntoView {
    if viewer().is_manager() { view! { <Outlet /> }.into_any() } else { view! { <Forbidden /> }.into_any() }
}

#[cfg(feature = "ssr")]
fn of_request() -> Viewer {
    Viewer::of_request()
}

/// The browser finds it in the page; it never asks for it.
#[cfg(not(feature = "ssr"))]
fn of_request() -> Viewer {
    Viewer::default()
}
