//! Beside a naive design, and beside itself with more people.

use serde_json::{Value, json};

use super::{
    super::{figures::Figure, rollcall::Rollcall},
    Scene, at, kib,
};
use crate::outcome::Outcome;

/// Ten who look at 10,000 people: by a live query, and by asking again every 2 s.
pub(super) fn polling(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let words = "--people 10000 --join --rate 2000 --watchers 10 --watch live --changes-per-second 100 --seconds 10";
    let (live, crowd) = server.crowd(words)?;
    let page = "--path /api/v1/admin/users/online?limit=200 --every 2s --seconds 20";
    let one = server.http_as_admin(&format!("{page} --connections 10"))?;
    // Fifty pages of 200 for each of the ten.
    let all = server.http_as_admin(&format!("{page} --connections 500"))?;
    drop(crowd);
    let figures = vec![
        Figure::at_most(
            "10 watchers of a window on 10,000, 100 changes/s: server's CPU",
            "% of a core",
            at(&live, "/changes_anywhere/cpu_percent"),
        ),
        Figure::at_most("the same by polling a page of 200 every 2 s", "% of a core", at(&one, "/cpu_percent"))
            .others("for nothing: without changes"),
        Figure::at_most("the same by polling everybody every 2 s", "% of a core", at(&all, "/cpu_percent"))
            .others("for nothing: without changes"),
        Figure::at_most("age of what is seen in a window, mean", "ms", at(&live, "/changes/latency/mean_ms")),
        // A change waits for the next question, half the interval on average.
        Figure::at_most("the same by polling every 2 s", "ms", 1_000.0 + at(&one, "/latency/mean_ms")),
    ];
    Ok(Scene { figures, raw: json!({ "live": live, "page": one, "everybody": all }) })
}

/// The same 100 changes a second among more and more people.
pub(super) fn growth(rollcall: &Rollcall) -> Outcome<Scene> {
    let mut figures = vec![];
    let mut raw = vec![];
    for (people, name) in [(2_500, "2,500"), (5_000, "5,000"), (10_000, "10,000"), (19_000, "19,000")] {
        let words = format!(
            "--people {people} --join --rate 2000 --sources 10 --watchers 5 --changes-per-second 100 --seconds 20"
        );
        // One run's p99 is of the hundred worst of 10,000: the middle one of three says more of the size than of the day.
        let mut runs = (0..3).map(|_| rollcall.serve()?.sockets(&words)).collect::<Outcome<Vec<_>>>()?;
        let p99 = |run: &Value| at(run, "/changes/latency/p99_ms");
        runs.sort_by(|a, b| p99(a).total_cmp(&p99(b)));
        let report = runs.swap_remove(1);
        let changes = |what: &str| at(&report, &format!("/changes/{what}"));
        figures.push(Figure::at_most(format!("{name} people, 100 changes/s: p99"), "ms", changes("latency/p99_ms")));
        figures.push(Figure::at_most("the same, server's CPU", "% of a core", changes("cpu_percent")));
        let memory = kib(&report, "/memory/per_connection");
        figures.push(Figure::at_most("the same, memory per connection", "KiB", memory));
        raw.push(report);
    }
    let all: Vec<f64> = raw.iter().map(|report| at(report, "/changes/latency/p99_ms")).collect();
    let spread = all.iter().copied().fold(f64::NAN, f64::max) / all.iter().copied().fold(f64::NAN, f64::min);
    figures.push(Figure::at_most("p99, worst by best of these sizes", "", spread).floor(1.2));
    // Between two sizes, what the server needs at rest and the database's caches cancel out.
    let further = |from: usize, to: usize| {
        let (from, to): (&Value, &Value) = (&raw[from], &raw[to]);
        (at(to, "/memory/after") - at(from, "/memory/after")) / (at(to, "/people") - at(from, "/people"))
    };
    figures.push(Figure::at_most("memory of a further connection, 2,500 to 10,000", "KiB", further(0, 2) / 1024.0));
    figures.push(Figure::at_most("the same, 10,000 to 19,000", "KiB", further(2, 3) / 1024.0));
    figures.push(Figure::at_most("the second by the first", "", further(2, 3) / further(0, 2)).floor(1.2));
    Ok(Scene { figures, raw: json!(raw) })
}
