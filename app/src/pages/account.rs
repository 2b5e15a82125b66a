//! One's own account: who one is here, and the password.

use domain::Level;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use wasm_bindgen::JsCast;

use crate::{
    components::{
        form::{ErrorSummary, Field, Form, Sending},
        frame::Page,
        keys::element,
        status::said,
        sudo::{SudoInline, sudo},
    },
    text,
    viewer::{SignedIn, viewer},
};

#[component]
pub(crate) fn Account() -> impl IntoView {
    let person = viewer().person.clone();
    view! {
        <Page title="Account">
            {person.map(|p| view! {
                <div class="grid">
                    <div class="span-6"><Facts person=p.clone() /></div>
                    <div class="span-6"><Password level=p.user.level /></div>
                </div>
            })}
        </Page>
    }
}

#[component]
fn Facts(person: SignedIn) -> impl IntoView {
    let user = person.user;
    view! {
        <section class="card" aria-labelledby="you-heading">
            <div class="person">
                <span class="initials large" aria-hidden="true">{text::initials(&user.name)}</span>
                <div>
                    <h2 id="you-heading">{user.name.clone()}</h2>
                    <p class="muted">{user.username.clone()}</p>
                </div>
            </div>
            <dl class="facts body">
                <dt>"Role"</dt>
                <dd>{text::capital(&user.role)} <small>{text::level(user.level)}</small></dd>
                <dt>"Organisation"</dt>
                <dd>{user.organisation.clone()}</dd>
                <dt>"Teams"</dt>
                <dd>{user.teams.join(", ")}</dd>
                <dt>"E-mail"</dt>
                <dd>{user.email.clone()}</dd>
                <dt>"Devices"</dt>
                <dd><a href="/account/devices">"See where you are signed in"</a></dd>
            </dl>
        </section>
    }
}

#[component]
fn Password(level: Level) -> impl IntoView {
    let sending = Sending::to("/rpc/change_password");
    let error = sending.error;
    let (sudo, said) = (sudo(), said());
    let query = use_query_map();
    let changed = move || {
        let before = query.with(|q| q.get("done").as_deref() == Some("password")) && !sending.sent.get();
        before && error.get().is_none() || sending.answer.get().is_some()
    };
    Effect::new(move |_| {
        if sending.answer.get().is_some() {
            said.say("Your password is changed.");
            if let Some(form) = element("#password-form form") {
                form.unchecked_into::<web_sys::HtmlFormElement>().reset();
            }
        }
    });
    Effect::new(move |_| {
        // One that came with the address is shown as a form in the page instead.
        if let Some(error) = error.get().filter(|_| sending.sent.get_untracked()) {
            let again = Callback::new(|()| {
                if let Some(form) = element("#password-form form") {
                    let _ = form.unchecked_into::<web_sys::HtmlFormElement>().request_submit();
                }
            });
            sudo.asks(&error, again);
        }
    });
    let hint = if level == Level::Admin {
        "At least 15 characters; a few words make a good one."
    } else {
        "At least 12 characters; a few words make a good one."
    };
    view! {
        <SudoInline error=error />
        <section class="card" aria-labelledby="password-heading" id="password-form">
            <header><h2 id="password-heading">"Change password"</h2></header>
            <div class="body">
                <Show when=changed>
                    <p class="notice">"Your password is changed. This device stays signed in."</p>
                </Show>
                <Form sending=sending>
                    <ErrorSummary error=error />
                    <Field
                        name="current"
                        label="Current password"
                        kind="password"
                        autocomplete="current-password"
                        error=error
                    />
                    <Field
                        name="new"
                        label="New password"
                        kind="password"
                        autocomplete="new-password"
                        hint=hint
                        error=error
                    />
                    <label class="check">
                        <input type="checkbox" name="end_others" value="true" checked />
                        "Sign out my other devices"
                    </label>
                    <div class="actions start">
                        <button class="button primary" disabled=move || sending.pending.get()>"Change password"</button>
                    </div>
                </Form>
            </div>
        </section>
    }
}
