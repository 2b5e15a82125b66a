//! Where the link goes that was mailed to a new address: opening it changes nothing, the button does.

use domain::ApiError;
use leptos::prelude::*;

use super::{Asked, Written, page, part::refused};

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let token = asked.query.owned("token").unwrap_or_default();
    let email = asked.services.accounts.confirming_email(asked.actor, &token).await?;
    Ok(page("Confirm e-mail", || {
        let content = match email {
            Some(email) => view! {
                <p>"From now on mails to you, and links to choose a new password, go to " <b>{email}</b> "."</p>
                <form method="post" action="/rpc/confirm_email" class="actions start">
                    <input type="hidden" name="token" value=token />
                    <button class="button primary">"Use this address"</button>
                </form>
            }
            .into_any(),
            None => view! {
                <p>"This link is no longer good, or was mailed for another account. Ask for a new one where you change your address."</p>
                <p><a class="button" href="/account">"Go to your account"</a></p>
            }
            .into_any(),
        };
        view! {
            {refused(asked)}
            <section class="card message" aria-label="Confirm e-mail">{content}</section>
        }
    }))
}
