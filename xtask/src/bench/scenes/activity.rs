//! Ten million events: the first answers of their list with whatever filter, and of each page that shows what is made
//! of them, and writing more.

use serde_json::json;

use super::{
    super::{figures::Figure, rollcall::Rollcall},
    Scene, at, sum,
};
use crate::outcome::Outcome;

/// Each with the first page of 50.
const LISTS: [(&str, &str); 14] = [
    ("all", ""),
    ("of a person", "user=load-00500"),
    ("of a page", "page=/section-003"),
    ("of a page hardly anybody opens", "page=/section-199"),
    ("page views", "kind=page_view"),
    ("sign-outs", "kind=logout"),
    ("of a kind there is none of", "kind=upload"),
    ("of a role", "role=student"),
    ("of a role few have", "role=manager"),
    ("of an organisation", "org=School%2003"),
    ("of a page, a kind, a role and an organisation", "page=/section-003&kind=page_view&role=student&org=School%2003"),
    ("of a person and a kind", "user=load-00500&kind=action"),
    ("of a page and a kind that do not go together", "page=/section-003&kind=login"),
    ("of a kind and a role", "kind=logout&role=manager"),
];
/// What is shown of events or beside them, each by its first answer.
const PAGES: [(&str, &str); 10] = [
    ("overview", "/admin"),
    ("activity", "/admin/activity"),
    ("activity of a role", "/admin/activity?role=student"),
    ("traffic", "/admin/traffic"),
    ("files", "/admin/files"),
    ("outputs", "/admin/outputs"),
    ("home", "/"),
    ("one's own activity", "/activity"),
    ("one's own summary", "/api/v1/analytics/user"),
    ("one's own journey", "/api/v1/analytics/journey"),
];
const EVENTS: u64 = 10_000_000;

/// A season of 20,000 people.
pub(super) fn activity(rollcall: &Rollcall) -> Outcome<Scene> {
    let past = rollcall.past(&format!("events --events {EVENTS} --people 20000"))?;
    let (mut figures, mut lists, mut refused) = (vec![], serde_json::Map::new(), 0.0);
    {
        let server = past.serve()?;
        let paths = LISTS.map(|(name, query)| (name, format!("/api/v1/admin/activity?{query}")));
        for (name, path) in paths {
            let raw = server.http_as_admin(&format!("--path {path} --connections 1 --requests 100"))?;
            let measure = format!("first 50 of {EVENTS} events: {name}, p99");
            figures.push(Figure::at_most(measure, "ms", at(&raw, "/latency/p99_ms")).floor(200.0));
            refused += sum(&raw, "/errors");
            lists.insert(name.to_owned(), raw);
        }
        for (name, path) in PAGES {
            let raw = server.http_as_admin(&format!("--path {path} --connections 1 --requests 100"))?;
            figures.push(Figure::at_most(format!("{name}, p99"), "ms", at(&raw, "/latency/p99_ms")).floor(200.0));
            refused += sum(&raw, "/errors");
            lists.insert(name.to_owned(), raw);
        }
        figures.push(Figure::at_most("failed requests", "", refused).floor(0.0));
    }
    let ingest = past.ingest("--events 500000")?;
    let grown = (at(&ingest, "/memory") - at(&ingest, "/memory_early")) / 1_048_576.0;
    figures.extend([
        Figure::at_least("events written into 10,000,000, with all that is counted", "/s", at(&ingest, "/per_second"))
            .floor(15_000.0),
        Figure::at_most("memory after 500,000 of them, beyond that after 50,000", "MiB", grown).floor(16.0),
    ]);
    Ok(Scene { figures, raw: json!({ "lists": lists, "ingest": ingest }) })
}
