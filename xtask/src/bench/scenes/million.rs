//! A million sessions: their lists and counts, ending many at once, and sign-ins while they are cleaned up.

use std::thread;

use serde_json::json;

use super::{
    super::{
        figures::Figure,
        rollcall::{Rollcall, Server},
    },
    Scene, at, sum,
};
use crate::outcome::Outcome;

/// Each with its exact count and its first page of 50.
const LISTS: [(&str, &str); 14] = [
    ("live", "state=live"),
    ("ended", "state=ended"),
    ("all", "sort=started"),
    ("all, most recently active first", "sort=activity"),
    ("of a person", "user=load-00500"),
    ("live ones of a role", "state=live&role=student"),
    ("of a role", "role=student"),
    ("of an organisation", "org=School%2003"),
    ("of an address", "ip=10.0.0.7"),
    ("of a kind of device", "device=phone"),
    ("of a reason", "reason=idle_timeout"),
    ("since a day", "from=2026-06-01T00:00:00Z"),
    ("by part of a name", "q=load-0123"),
    ("by part of an address", "q=10.0.0.7"),
];
/// Long enough for a p99 of 20 sign-ins a second, and shorter than the clean-up.
const SECONDS: u32 = 30;

/// A session of the page of sessions, on 1,000,000 of them, 100,000 live.
pub(super) fn sessions(rollcall: &Rollcall) -> Outcome<Scene> {
    let history = rollcall.history("--sessions 1000000 --live 100000 --people 50000")?;
    let (mut figures, mut lists, mut refused) = (vec![], serde_json::Map::new(), 0.0);
    {
        let server = history.serve()?;
        for (name, query) in LISTS {
            let get = format!("--path /api/v1/admin/sessions?{query} --connections 1 --requests 20");
            let raw = server.http_as_admin(&get)?;
            let measure = format!("first page and count of 1,000,000 sessions: {name}, p50");
            figures.push(Figure::at_most(measure, "ms", at(&raw, "/latency/p50_ms")).floor(200.0));
            refused += sum(&raw, "/errors");
            lists.insert(name.to_owned(), raw);
        }
        figures.push(Figure::at_most("failed requests", "", refused).floor(0.0));
        let raw = revoke(&server, &mut figures)?;
        lists.insert("revoke".to_owned(), raw);
    }
    drop(history);
    let expired = rollcall.history("--sessions 1000000 --live 100000 --expired 500000 --people 50000")?;
    let server = expired.serve()?;
    let before = server.sign_ins(SECONDS)?;
    let clean = "--method POST --path /api/v1/admin/sessions/cleanup --connections 1 --requests 1";
    let clean = format!("{clean} --body {{\"older_than_seconds\":0}}");
    let (clean_up, during) = thread::scope(|scope| {
        // Answered after a while with the numbers so far; it goes on to the end of the scene.
        let clean_up = scope.spawn(|| server.http_as_admin(&clean).map_err(|_| "the clean-up failed"));
        let during = server.sign_ins(SECONDS);
        (clean_up.join(), during)
    });
    let (clean_up, during) = (clean_up.map_err(|_| "the clean-up broke off")??, during?);
    let p99 = |raw| at(raw, "/latency/p99_ms");
    figures.extend([
        Figure::at_most("sign-ins before a clean-up, 20/s, p99", "ms", p99(&before)),
        Figure::at_most("sign-ins during the clean-up of 500,000 expired sessions, p99", "ms", p99(&during)),
        Figure::at_most("the second by the first", "", p99(&during) / p99(&before)).floor(1.1),
        Figure::at_most(
            "failed requests",
            "",
            sum(&before, "/errors") + sum(&during, "/errors") + sum(&clean_up, "/errors"),
        )
        .floor(0.0),
    ]);
    let raw = json!({ "lists": lists, "before": before, "clean_up": clean_up, "during": during });
    Ok(Scene { figures, raw })
}

/// Ends everybody but the admin, while others sign in.
fn revoke(server: &Server<'_>, figures: &mut Vec<Figure>) -> Outcome<serde_json::Value> {
    let end = "--method POST --path /api/v1/admin/sessions/revoke --connections 1 --requests 1 --body {\"filter\":{}}";
    let (ended, meanwhile) = thread::scope(|scope| {
        let ended = scope.spawn(|| server.http_as_admin(end).map_err(|_| "the ending failed"));
        let meanwhile = server.sign_ins(10);
        (ended.join(), meanwhile)
    });
    let (ended, meanwhile) = (ended.map_err(|_| "the ending broke off")??, meanwhile?);
    let seconds = at(&ended, "/latency/mean_ms") / 1e3;
    figures.extend([
        Figure::at_least("sessions ended by a filter that matches 100,000", "/s", 100_000.0 / seconds),
        Figure::at_most("sign-ins meanwhile and after, 20/s, p99", "ms", at(&meanwhile, "/latency/p99_ms")),
        Figure::at_most("failed requests", "", sum(&ended, "/errors") + sum(&meanwhile, "/errors")).floor(0.0),
    ]);
    Ok(json!({ "ended": ended, "sign_ins": meanwhile }))
}
