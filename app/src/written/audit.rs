//! Who did what to whom, and whether the record of it is whole.

use domain::{ApiError, Time, time::DAY};
use leptos::prelude::*;
use serde_json::Value;
use services::{AuditFilter, AuditRow, Verified};

use super::{
    Asked, Written, page,
    part::{apply, chip, day, empty, exact, kept, pager, refused, search},
};
use crate::{routes::escape, text};

/// What filters this list.
const FILTERS: [&str; 6] = ["q", "actor", "action", "subject", "from", "to"];
const LIMIT: u32 = 50;

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, audit) = (&asked.query, &asked.services.audit);
    let filter = AuditFilter {
        actor: q.owned("actor"),
        action: q.owned("action"),
        subject: q.owned("subject"),
        from: q.word("from", Time::of_day),
        // The last day is one of them.
        to: q.word("to", Time::of_day).map(|day| day.plus(DAY)),
        q: q.owned("q"),
    };
    let list = audit.list(asked.actor, &filter, LIMIT, q.get("cursor")).await?;
    let actions = audit.actions(asked.actor).await?;
    let (entries, hash) = audit.head(asked.actor).await?;
    let verified = match q.get("verify") {
        Some(_) => Some(audit.verify(asked.actor, None).await?),
        None => None,
    };
    let unlocked = audit.may_export(asked.actor).is_ok();
    Ok(page("Audit log", || {
        let rows = list.items.iter().map(row).collect_view();
        let words = actions.into_iter().map(|a| (a.clone(), a.replace('_', " "))).collect();
        view! {
            {refused(asked)}
            <section class="card" aria-labelledby="whole">
                <header>
                    <h2 id="whole">"The chain"</h2>
                </header>
                <div class="body">
                <div role="status" data-part="verified">{verified.map(told)}</div>
                <div data-part="head">
                    <dl class="facts">
                        <dt>"Entries"</dt>
                        <dd>{thousands(entries)}</dd>
                        <dt>"Last hash"</dt>
                        <dd class="mono">{hash}</dd>
                    </dl>
                </div>
                <p class="muted after">
                    "Each entry is sealed with the one before it. Keep the last hash somewhere else: with it, even the loss of the newest entries is noticed."
                </p>
                <div class="bar acts">
                    <form method="get" action=asked.path.to_owned()>
                        <input type="hidden" name="verify" value="1" />
                        <button class="button">"Verify"</button>
                    </form>
                    <div class="bar" data-part="export">{export(asked, &filter, unlocked)}</div>
                </div>
                </div>
            </section>
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Audit log">
                {search(q, "Find a name, an address or a detail")}
                {chip(q, "action", "Action", words)}
                {day(asked, "from", "From")}
                {day(asked, "to", "To")}
                {kept(asked, "actor")}
                {kept(asked, "subject")}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of entries">
                    <table class="listed">
                        <caption class="hidden">"Audit log"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Number"</th>
                                <th scope="col">"When"</th>
                                <th scope="col">"Who"</th>
                                <th scope="col">"Action"</th>
                                <th scope="col">"What or whom"</th>
                                <th scope="col">"Details"</th>
                                <th scope="col">"Address"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nothing has been done yet.", "entries"))}
                {pager(asked, list.items.len(), list.total, "act", list.next.as_deref())}
            </section>
        }
    }))
}

/// What a verification found.
fn told(v: Verified) -> impl IntoView {
    match v.fault {
        Some(fault) => view! {
            <div class="summary">
                <p>{format!("{}.", text::capital(&fault.says))}</p>
                <p>{format!("{} before it are as they were written.", entries(v.entries))}</p>
            </div>
        }
        .into_any(),
        None => view! {
            <p class="verified">
                {entries(v.entries)}
                {v.since.map(|at| view! { ", unbroken since " {exact(at)} })}
                {(v.erased > 0).then(|| format!("; {} erased, each on record", text::count(v.erased, "field")))}
                "."
            </p>
        }
        .into_any(),
    }
}

fn entries(n: i64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{} entries", thousands(n)) }
}

/// `12,345`
pub(super) fn thousands(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Downloads of what is shown, once the password was given lately.
fn export(asked: &Asked, filter: &AuditFilter, unlocked: bool) -> impl IntoView + use<> {
    if !unlocked {
        return view! {
            <form method="post" action="/rpc/unlock_export">
                <button class="button">"Export"</button>
            </form>
        }
        .into_any();
    }
    let AuditFilter { actor, action, subject, from, to, q } = filter;
    let (from, to) = (from.map(|t| t.to_string()), to.map(|t| t.to_string()));
    let asked_for =
        [("actor", actor), ("action", action), ("subject", subject), ("from", &from), ("to", &to), ("q", q)];
    let pairs = asked_for.iter().filter_map(|(k, v)| Some(format!("&{k}={}", escape(v.as_deref()?))));
    let query: String = pairs.collect();
    let link = |format: &str| format!("/api/v1/admin/audit/export?format={format}{query}");
    let shown = if asked.query.count(&FILTERS) > 0 { "these filters" } else { "everything" };
    view! {
        <a class="button" rel="external" download="" href=link("csv")>{format!("Export {shown} as CSV")}</a>
        <a class="button" rel="external" download="" href=link("json")>"As JSON"</a>
    }
    .into_any()
}

fn row(r: &AuditRow) -> impl IntoView + use<> {
    let by = |name: &str, value: &str| format!("/admin/audit?{name}={}", escape(value));
    let who = r.actor.clone();
    let whom = r.subject.clone().map(|s| view! { <a href=by("subject", &s)>{s.clone()}</a> });
    view! {
        <tr>
            <th scope="row" title=r.hash.clone()>{r.seq}</th>
            <td>{exact(r.at)}</td>
            <td><a href=by("actor", &who)>{who.clone()}</a></td>
            <td>{text::capital(&r.action.replace('_', " "))}</td>
            <td>{whom}<small class="muted">{r.subject_kind.clone()}</small></td>
            <td>{r.details.as_ref().map(readable)}</td>
            <td>{r.ip.clone()}</td>
        </tr>
    }
}

/// `{"reason":"wrong_password","sessions_ended":2}` → `reason: wrong password, sessions ended: 2`
pub(super) fn readable(details: &Value) -> String {
    match details {
        Value::Object(all) => {
            let said = all.iter().filter(|(_, v)| !v.is_null());
            let pair = |(k, v): (&String, &Value)| format!("{}: {}", k.replace('_', " "), readable(v));
            said.map(pair).collect::<Vec<_>>().join(", ")
        }
        Value::Array(all) => all.iter().map(readable).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.replace('_', " "),
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn details_can_be_read() {
        let details = json!({"filter": {"user": "mia", "role": null}, "include_own": false, "number": 3});
        assert_eq!(readable(&details), "filter: user: mia, include own: no, number: 3");
        assert_eq!(readable(&json!({"reason": "wrong_password"})), "reason: wrong password");
        assert_eq!(readable(&json!("erased-7")), "erased-7");
    }

    #[test]
    fn numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 12_345, 1_234_567].map(thousands), ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
