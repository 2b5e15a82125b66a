//! What is not there, with status 404.

use leptos::prelude::*;

use crate::components::frame::Door;

#[component]
pub(crate) fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::rpc::ssr::page_status(404);
    view! {
        <Door title="There is nothing here">
            <p>"This address does not exist, is no longer good, or is not yours to see."</p>
            <p><a class="button" href="/">"Go to the start page"</a></p>
        </Door>
    }
}
