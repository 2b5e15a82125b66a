//! One's own second factor: setting it up, its back-up codes, turning it off.

use domain::{ApiError, ErrorCode};
use leptos::prelude::*;
use services::second_factor::{Enrolment, State};

use super::{
    Asked, Written, html, page,
    part::{Field, confirm, field, refusal, refused, summary, when},
};
use crate::text;

pub(crate) const PATH: &str = "/account/second-factor";

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let factor = &asked.services.second_factor;
    let state = factor.state(asked.actor).await?;
    // The secret is shown again only to somebody who proved themselves lately.
    let enrolment = match factor.enrolment(asked.actor).await {
        Err(e) if e.code == ErrorCode::ReauthRequired => None,
        other => other?,
    };
    let wanted =
        asked.actor.person().is_ok_and(|p| asked.services.settings.now().second_factor_roles.contains(&p.card.role));
    let lacks = asked.services.sessions.lacks_second_factor(asked.actor);
    Ok(page("Second factor", || {
        let content = match (state, enrolment) {
            (State::On { since, backup_codes_left }, _) => view! {
                <p class="body">"On since " {when(since, false)} ". Signing in, and confirming your password, asks for a code too."</p>
                <p class="body">{text::count(backup_codes_left, "back-up code")} " left."</p>
                <div class="actions start">
                    <form method="post" action="/rpc/new_backup_codes"><button class="button">"Make new back-up codes"</button></form>
                    <button type="button" class="button danger" command="show-modal" commandfor="off">"Turn off"</button>
                </div>
                <dialog id="off" class="dialog" aria-labelledby="off-heading">
                    <form method="post" action="/rpc/end_second_factor">
                        <h2 id="off-heading">"Turn the second factor off?"</h2>
                        <p>
                            {if wanted {
                                "Your role asks for one: nothing else will work until you have set up another. The back-up \
                                 codes are void."
                            } else {
                                "Your password alone will then be enough. The back-up codes are void."
                            }}
                        </p>
                        <div class="actions">
                            <button type="button" class="button" command="close" commandfor="off">"Cancel"</button>
                            <button class="button danger">"Turn off"</button>
                        </div>
                    </form>
                </dialog>
            }
            .into_any(),
            (State::Begun, Some(enrolment)) => set_up(asked, &enrolment).into_any(),
            _ => view! {
                <p class="body">
                    "With a second factor, somebody who knows your password still cannot sign in: a code from an app on your \
                     telephone is asked for as well. Any app for one-time codes will do."
                </p>
                <form method="post" action="/rpc/begin_second_factor"><button class="button primary">"Set it up"</button></form>
            }
            .into_any(),
        };
        view! {
            {confirm(asked)}
            {refused(asked)}
            {lacks.then(|| view! {
                <section class="card message" aria-label="What comes first">
                    <p><strong>"Your role asks for a second factor."</strong>" Set one up; then everything else opens."</p>
                </section>
            })}
            <section class="card second" aria-labelledby="second-heading">
                <header><h2 id="second-heading">"Codes from an app"</h2></header>
                <div class="body">{content}</div>
            </section>
            {(!lacks).then(|| view! { <p class="after"><a href="/account">"Back to your account"</a></p> })}
        }
    }))
}

fn set_up(asked: &Asked, e: &Enrolment) -> impl IntoView + use<> {
    let wrong = refusal(asked, "/rpc/confirm_second_factor");
    let code =
        Field { autocomplete: "one-time-code", hint: "The six digits it shows now.", ..Field::new("code", "Code") };
    view! {
        <ol class="steps">
            <li><p>"Read this with the app:"</p>{qr(&e.uri)}</li>
            <li><p>"Or type this key into it:"</p><p><code class="mono">{e.secret.clone()}</code></p></li>
            <li>
                <p>"Then prove that it works:"</p>
                <form method="post" action="/rpc/confirm_second_factor">
                    {summary(wrong.as_ref())}
                    {field(code, wrong.as_ref())}
                    <button class="button primary">"Turn on"</button>
                </form>
            </li>
        </ol>
    }
}

/// Dark on light in every theme, as readers want it, with the quiet zone of four modules.
fn qr(text: &str) -> impl IntoView + use<> {
    let drawn = qrcode::QrCode::new(text).ok().map(|code| {
        use std::fmt::Write;
        let (width, mut path) = (code.width(), String::new());
        for (i, _) in code.to_colors().iter().enumerate().filter(|(_, c)| **c == qrcode::Color::Dark) {
            let _ = write!(path, "M{} {}h1v1h-1z", i % width + 4, i / width + 4);
        }
        (width + 8, path)
    });
    drawn.map(|(side, path)| {
        view! {
            <svg class="qr" role="img" aria-label="QR code of the key" viewBox=format!("0 0 {side} {side}") width="200" height="200"
                shape-rendering="crispEdges">
                <rect width=side height=side fill="#fff" />
                <path d=path fill="#000" />
            </svg>
        }
    })
}

/// The back-up codes, shown this once.
pub(crate) fn codes(codes: &[String]) -> String {
    html(|| {
        view! {
            <div role="status">
                <p><strong>"Your back-up codes. They are shown this once: keep them where you keep papers."</strong></p>
                <p>"Each works once in place of a code from the app."</p>
            </div>
            <ul class="codes mono" aria-label="Back-up codes">
                {codes.iter().map(|c| view! { <li>{c.clone()}</li> }).collect_view()}
            </ul>
            <p><a class="button primary" href="/account/second-factor?done=codes">"I have kept them"</a></p>
        }
    })
}
