//! Mails on their way out: what waits, what is stuck and why.

use domain::{
    ApiError,
    mail::{MailState, MailView},
};
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{apply, chip, confirm, empty, pager, refused, when},
};
use crate::text;

const FILTERS: [&str; 1] = ["state"];
const LIMIT: u32 = 50;

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let q = &asked.query;
    let mail = &asked.services.mail;
    let state = q.word("state", MailState::parse);
    let list = mail.list(asked.actor, state, LIMIT, q.get("cursor")).await?;
    let waiting = mail.list(asked.actor, Some(MailState::Waiting), 1, None).await?.total.unwrap_or_default();
    let stuck = mail.list(asked.actor, Some(MailState::GivenUp), 1, None).await?.total.unwrap_or_default();
    let sender = mail.sender();
    let can_retry = sender.is_some() && waiting + stuck > 0;
    Ok(page("Mail", || {
        let words = MailState::ALL.map(|s| (s.as_str().to_owned(), word(s).to_lowercase())).to_vec();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <section class="card" aria-labelledby="server-heading">
                <header>
                    <h2 id="server-heading">{format!("{} waiting, {stuck} given up", text::count(waiting, "mail"))}</h2>
                    {can_retry.then(|| view! {
                        <form method="post" action="/rpc/retry_mails"><button class="button">"Try all now"</button></form>
                    })}
                </header>
                <p class="body">{match sender {
                    Some(sender) => format!("Sent by {sender}."),
                    None => "No mail server is configured, so mails wait here. Set ROLLCALL_SMTP_URL and ROLLCALL_MAIL_FROM \
                             and start the server again.".to_owned(),
                }}</p>
            </section>
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Mails">
                {chip(q, "state", "State", words)}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of mails">
                    <table class="listed mails">
                        <caption class="hidden">"Mails"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"To"</th>
                                <th scope="col">"Subject"</th>
                                <th scope="col">"Written"</th>
                                <th scope="col">"State"</th>
                                <th scope="col">"Tries"</th>
                                <th scope="col"><span class="hidden">"Action"</span></th>
                            </tr>
                        </thead>
                        <tbody>{list.items.iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "No mail was written yet.", "mails"))}
                {pager(asked, list.items.len(), list.total, "mail", list.next.as_deref())}
            </section>
        }
    }))
}

fn word(state: MailState) -> &'static str {
    match state {
        MailState::Waiting => "Waiting",
        MailState::GivenUp => "Given up",
        MailState::Sent => "Sent",
    }
}

fn row(m: &MailView) -> impl IntoView + use<> {
    let dialog = format!("drop-{}", m.id);
    let (heading, cancel) = (format!("{dialog}-heading"), dialog.clone());
    let acts = (m.state != MailState::Sent).then(|| {
        view! {
            <div class="acts">
                <form method="post" action="/rpc/retry_mail">
                    <input type="hidden" name="id" value=m.id.to_string() />
                    <button class="button" aria-label=format!("Try the mail to {} now", m.to)>"Try now"</button>
                </form>
                <button type="button" class="button danger" command="show-modal" commandfor=dialog.clone()
                    aria-label=format!("Drop the mail to {}", m.to)>"Drop"</button>
            </div>
            <dialog id=dialog.clone() class="dialog" aria-labelledby=heading.clone()>
                <form method="post" action="/rpc/drop_mail">
                    <h2 id=heading.clone()>"Drop this mail?"</h2>
                    <p>{format!("“{}” to {} will not be sent. This cannot be undone.", m.subject, m.to)}</p>
                    <input type="hidden" name="id" value=m.id.to_string() />
                    <div class="actions">
                        <button type="button" class="button" command="close" commandfor=cancel>"Cancel"</button>
                        <button class="button danger">"Drop"</button>
                    </div>
                </form>
            </dialog>
        }
    });
    let then = match m.state {
        MailState::Sent => m.sent_at.map(|at| view! { <small class="muted">{when(at, true)}</small> }.into_any()),
        MailState::Waiting if m.tries > 0 => {
            m.next_try_at.map(|at| view! { <small class="muted">"again " {when(at, false)}</small> }.into_any())
        }
        _ => None,
    };
    view! {
        <tr>
            <th scope="row">{m.to.clone()}</th>
            <td>{m.subject.clone()}</td>
            <td>{when(m.created_at, true)}</td>
            <td>{word(m.state)}{then}{m.last_error.clone().map(|e| view! { <small class="wrong">{e}</small> })}</td>
            <td data-label="Tries">{m.tries}</td>
            <td class="act">{acts}</td>
        </tr>
    }
}
