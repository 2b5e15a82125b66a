//! The second step of a sign-in.

use leptos::prelude::*;

use super::{
    Asked, html,
    part::{Field, field, refusal, summary},
};
use crate::routes::safe_next;

pub(super) fn write(asked: &Asked<'_>) -> String {
    let wrong = refusal(asked, "/rpc/second_factor");
    let next = safe_next(asked.query.get("next").unwrap_or_default());
    let code = Field {
        autocomplete: "one-time-code",
        hint: "Six digits, or one of your back-up codes.",
        ..Field::new("code", "Code")
    };
    html(|| {
        view! {
            <p class="lead">"Your password is right. Now the code that your app shows."</p>
            <form method="post" action="/rpc/second_factor">
                {summary(wrong.as_ref())}
                <input type="hidden" name="next" value=next />
                {field(code, wrong.as_ref())}
                <button class="button primary wide">"Sign in"</button>
            </form>
            <p class="muted foot">
                "No telephone and no back-up codes? An administrator can help. " <a href="/login" rel="external">"Start again"</a>
            </p>
        }
    })
}
