//! One's own account: who one is here, and the password.

use domain::{ApiError, Level, account::UserView, preferences::SeenBy};
use leptos::prelude::*;
use services::second_factor::State;

use super::{
    Asked, Written, page,
    part::{Field, confirm, field, refusal, summary},
};
use crate::text;

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let user = UserView::from(&*asked.actor.person()?.card);
    let (level, address) = (user.level, user.email.clone());
    let factor = match asked.services.second_factor.state(asked.actor).await? {
        State::On { .. } => "On",
        State::Off | State::Begun => "Off",
    };
    let seen_by = asked.services.preferences.get(asked.actor).await?.privacy.presence;
    Ok(page("Account", || {
        view! {
            {confirm(asked)}
            <div class="grid">
                <div class="span-6 stack">{facts(user, factor)} {email(asked, address)}</div>
                <div class="span-6 stack">{password(asked, level)} {privacy(seen_by)}</div>
            </div>
        }
    }))
}

fn facts(user: UserView, factor: &'static str) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="you-heading" data-part="you">
            <div class="person">
                <span class="initials large" aria-hidden="true">{text::initials(&user.name)}</span>
                <div>
                    <h2 id="you-heading">{user.name.clone()}</h2>
                    <p class="muted">{user.username}</p>
                </div>
            </div>
            <dl class="facts body">
                <dt>"Role"</dt>
                <dd>{text::capital(&user.role)} <small>{text::level(user.level)}</small></dd>
                <dt>"Organisation"</dt>
                <dd>{user.organisation}</dd>
                <dt>"Teams"</dt>
                <dd>{user.teams.join(", ")}</dd>
                <dt>"E-mail"</dt>
                <dd>{user.email}</dd>
                <dt>"Second factor"</dt>
                <dd>{factor}" "<a href="/account/second-factor">"Manage"</a></dd>
                <dt>"Devices"</dt>
                <dd><a href="/account/devices">"See where you are signed in"</a></dd>
            </dl>
        </section>
    }
}

fn email(asked: &Asked, address: Option<String>) -> impl IntoView + use<> {
    let wrong = refusal(asked, "/rpc/change_email");
    let hint = if asked.services.mail.is_configured() {
        "Links to choose a new password go there. Another one counts once you open the link that is mailed to it; then the \
         old one is told."
    } else {
        "Links to choose a new password go there. Of a change the old address is told."
    };
    let mailed = wrong.is_none() && asked.query.get("done") == Some("mailed");
    let field_of = Field {
        kind: "email",
        autocomplete: "email",
        hint,
        value: address.unwrap_or_default(),
        optional: true,
        ..Field::new("email", "E-mail")
    };
    view! {
        <section class="card" aria-labelledby="email-heading" data-part="email">
            <header><h2 id="email-heading">"Change e-mail"</h2></header>
            <div class="body">
                {mailed.then(|| view! { <p class="notice">"A link is on its way to the new address. It is good for an hour; until you open it, the old one counts."</p> })}
                <form method="post" action="/rpc/change_email" data-keeps="">
                    {summary(wrong.as_ref())}
                    {field(field_of, wrong.as_ref())}
                    <div class="actions start">
                        <button class="button primary">"Change e-mail"</button>
                    </div>
                </form>
            </div>
        </section>
    }
}

fn privacy(seen_by: SeenBy) -> impl IntoView {
    let options =
        [(SeenBy::Organisation, "organisation", "The people of my organisation"), (SeenBy::Nobody, "nobody", "Nobody")];
    let options =
        options.map(|(choice, value, word)| view! { <option value=value selected=choice == seen_by>{word}</option> });
    view! {
        <section class="card" aria-labelledby="privacy-heading" data-part="privacy">
            <header><h2 id="privacy-heading">"Privacy"</h2></header>
            <div class="body">
                <form method="post" action="/rpc/change_privacy" data-keeps="">
                    <div class="field">
                        <label for="presence">"Which colleagues see that you are here"</label>
                        <select id="presence" name="presence" aria-describedby="presence-hint">{options.collect_view()}</select>
                        <p class="hint" id="presence-hint">"Administrators, and the managers of your organisation, see you all the same."</p>
                    </div>
                    <div class="actions start">
                        <button class="button primary">"Save"</button>
                    </div>
                </form>
            </div>
        </section>
    }
}

fn password(asked: &Asked, level: Level) -> impl IntoView + use<> {
    let wrong = refusal(asked, "/rpc/change_password");
    let changed = wrong.is_none() && asked.query.get("done") == Some("password");
    let hint = if level == Level::Admin {
        "At least 15 characters; a few words make a good one."
    } else {
        "At least 12 characters; a few words make a good one."
    };
    let current =
        Field { kind: "password", autocomplete: "current-password", ..Field::new("current", "Current password") };
    let new = Field { kind: "password", autocomplete: "new-password", hint, ..Field::new("new", "New password") };
    view! {
        <section class="card" aria-labelledby="password-heading" data-part="password">
            <header><h2 id="password-heading">"Change password"</h2></header>
            <div class="body">
                {changed.then(|| view! { <p class="notice">"Your password is changed. This device stays signed in."</p> })}
                <form method="post" action="/rpc/change_password">
                    {summary(wrong.as_ref())}
                    {field(current, wrong.as_ref())}
                    {field(new, wrong.as_ref())}
                    <label class="check">
                        <input type="checkbox" name="end_others" value="true" checked />
                        "Sign out my other devices"
                    </label>
                    <div class="actions start">
                        <button class="button primary">"Change password"</button>
                    </div>
                </form>
            </div>
        </section>
    }
}
