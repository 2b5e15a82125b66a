//! The first administrator, by the one-time link the server prints.

use leptos::{either::Either, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{login::go_on, not_found::NotFound};
use crate::{
    components::{
        form::{ErrorSummary, Field, Form, Sending},
        frame::Door,
    },
    viewer::viewer,
};

#[component]
pub(crate) fn Setup() -> impl IntoView {
    let query = use_query_map();
    let token = query.with_untracked(|q| q.get("token")).unwrap_or_default();
    if viewer().link_is_good {
        Either::Left(view! { <SetupForm token=token /> })
    } else {
        Either::Right(view! { <NotFound /> })
    }
}

#[component]
fn SetupForm(token: String) -> impl IntoView {
    let sending = Sending::to("/rpc/set_up");
    let error = sending.error;
    go_on(sending);
    view! {
        <Door title="Set up Rollcall">
            <p class="lead">"Make the first administrator. This link works once."</p>
            <Form sending=sending>
                <ErrorSummary error=error />
                <input type="hidden" name="token" value=token />
                <Field name="username" label="Username" autocomplete="username" focus=true max=64 error=error />
                <Field name="name" label="Name" autocomplete="name" hint="As others will see it." max=100 error=error />
                <Field
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="new-password"
                    hint="At least 15 characters; a few words make a good one."
                    error=error
                />
                <button class="button primary wide" disabled=move || sending.pending.get()>"Create administrator"</button>
            </Form>
        </Door>
    }
}
