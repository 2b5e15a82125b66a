//! Signing in. Works as a plain form; with scripts the error appears in place and what was typed stays.

use domain::time::human;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{
        form::{ErrorSummary, Field, Form, Sending},
        frame::Door,
    },
    routes::safe_next,
    viewer::viewer,
};

#[component]
pub(crate) fn Login() -> impl IntoView {
    let sending = Sending::to("/rpc/sign_in");
    let error = sending.error;
    let query = use_query_map();
    let next = move || query.with(|q| q.get("next").map(|n| safe_next(&n)).unwrap_or_default());
    let notice = move || {
        query.with(|q| match q.get("done").as_deref() {
            Some("out") => Some("You are signed out."),
            Some("reset") => Some("Your password is changed. Sign in with the new one."),
            _ => None,
        })
    };
    let (remember, mails) = (viewer().remember, viewer().mails);
    go_on(sending);
    view! {
        <Door title="Sign in">
            {move || notice().filter(|_| error.get().is_none()).map(|n| view! { <p class="notice" role="status">{n}</p> })}
            <Form sending=sending>
                <ErrorSummary error=error />
                <input type="hidden" name="next" value=next />
                <Field name="username" label="Username" autocomplete="username" focus=true error=error />
                <Field name="password" label="Password" kind="password" autocomplete="current-password" error=error />
                {remember.map(|for_ms| view! {
                    <label class="check">
                        <input type="checkbox" name="remember" value="true" aria-describedby="remember-hint" />
                        "Keep me signed in"
                    </label>
                    <p class="hint indented" id="remember-hint">
                        {format!("For {} without activity. Not on a shared device.", days(for_ms))}
                    </p>
                })}
                <button class="button primary wide" disabled=move || sending.pending.get()>"Sign in"</button>
            </Form>
            <p class="muted foot">
                "No password, or a forgotten one? "
                {if mails {
                    view! { <a href="/forgot" rel="external">"Get a link by e-mail."</a> }.into_any()
                } else {
                    "An administrator can send you a link.".into_any()
                }}
            </p>
        </Door>
    }
}

fn days(ms: i64) -> String {
    let days = ms / domain::time::DAY;
    if days >= 2 && ms % domain::time::DAY == 0 { format!("{days} days") } else { human(ms) }
}

/// Goes to the page a form's answer names: a real load, since who looks at the page has changed.
pub(crate) fn go_on(sending: Sending) {
    Effect::new(move |_| {
        if let Some(next) = sending.answer.get().and_then(|a| serde_json::from_str::<String>(&a).ok()) {
            let _ = window().location().set_href(&next);
        }
    });
}
