//! What somebody's role does not allow, with status 403.

use leptos::prelude::*;

use crate::{components::frame::Page, text};

#[component]
pub(crate) fn Forbidden() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::rpc::ssr::page_status(403);
    view! {
        <Page title="Not for your role">
            <div class="card message">
                <p>{text::NEEDS_MANAGER}</p>
                <p class="muted">"Ask an administrator if you should have it."</p>
                <p><a class="button" href="/">"Go home"</a></p>
            </div>
        </Page>
    }
}
