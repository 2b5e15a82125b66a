//! A new password, by a link that works once and for an hour.

use leptos::{either::Either, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{login::go_on, not_found::NotFound};
use crate::{
    components::{
        form::{ErrorSummary, Field, error_of},
        frame::Door,
    },
    rpc::auth::{ResetPassword, reset_is_open},
};

#[component]
pub(crate) fn Reset() -> impl IntoView {
    let query = use_query_map();
    let token = query.with_untracked(|q| q.get("token")).unwrap_or_default();
    let asked = token.clone();
    let is_open = Resource::new_blocking(|| (), move |()| reset_is_open(asked.clone()));
    view! {
        <Suspense>
            {move || {
                let token = token.clone();
                Suspend::new(async move {
                    if matches!(is_open.await, Ok(true)) {
                        Either::Left(view! { <ResetForm token=token /> })
                    } else {
                        Either::Right(view! { <NotFound /> })
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn ResetForm(token: String) -> impl IntoView {
    let action = ServerAction::<ResetPassword>::new();
    let error = error_of(action);
    go_on(action);
    view! {
        <Door title="Set a new password">
            <p class="lead">"Everything that is signed in with the old one is signed out."</p>
            <ActionForm action=action>
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
                <button class="button primary wide" disabled=move || action.pending().get()>"Set password"</button>
            </ActionForm>
        </Door>
    }
}
