//! Asking for a link to choose a new password.

use leptos::prelude::*;

use super::{
    Asked, html,
    part::{Field, field, refusal, summary},
};

pub(super) fn write(asked: &Asked<'_>) -> String {
    let wrong = refusal(asked, "/rpc/forgot_password");
    let sent = wrong.is_none() && asked.query.get("done") == Some("sent");
    let configured = asked.services.mail.is_configured();
    let who = Field { autocomplete: "username", ..Field::new("who", "Username or e-mail address") };
    html(|| {
        if !configured {
            return view! { <p class="lead">"This server sends no mails. An administrator can give you a link."</p> }
                .into_any();
        }
        if sent {
            return view! {
                <p class="notice" role="status">
                    "If there is an account of that name or address, a link is on its way to its e-mail address. It works \
                     once, for an hour."
                </p>
                <p class="muted foot">"Nothing came? Look among unwanted mail, or ask an administrator. " <a href="/login" rel="external">"Sign in"</a></p>
            }
            .into_any();
        }
        view! {
            <p class="lead">"We mail a link with which you choose a new one."</p>
            <form method="post" action="/rpc/forgot_password">
                {summary(wrong.as_ref())}
                {field(who, wrong.as_ref())}
                <button class="button primary wide">"Send the link"</button>
            </form>
            <p class="muted foot"><a href="/login" rel="external">"Back to signing in"</a></p>
        }
        .into_any()
    })
}
