//! A new password, by a link that works once and for an hour.

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
pub(crate) fn Reset() -> impl IntoView {
    let query = use_query_map();
    let (token, short) = query.with_untracked(|q| (q.get("token").unwrap_or_default(), q.get("short").is_some()));
    if viewer().link_is_good {
        Either::Left(view! { <ResetForm token=token short=short /> })
    } else {
        Either::Right(view! { <NotFound /> })
    }
}

#[component]
fn ResetForm(token: String, short: bool) -> impl IntoView {
    let sending = Sending::to("/rpc/reset_password");
    let error = sending.error;
    go_on(sending);
    view! {
        <Door title="Set a new password">
            <p class="lead">{short.then_some("You became an administrator: your password is too short for that. ")}"Everything that is signed in with the old one is signed out."</p>
            <Form sending=sending>
                <ErrorSummary error=error />
                <input type="hidden" name="token" value=token />
                <Field
                    name="password"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    hint="At least 12 characters, 15 for administrators; a few words make a good one."
                    focus=true
                    error=error
                />
                <button class="button primary wide" disabled=move || sending.pending.get()>"Set password"</button>
            </Form>
        </Door>
    }
}
