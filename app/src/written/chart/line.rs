//! A line over time: an SVG, what reads it step by step, and the same as a table.
//!
//! Lines are stretched to the width there is; words are not, so they stand beside. A step without a value is a gap, and
//! the last, which goes on, is dashed. The script (`frontend/agent/charts.mjs`) makes the slider say what stands in the table.

use domain::{Time, activity::Zone};
use leptos::prelude::*;

use super::super::part::when;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 160.0;

/// A line of one measure.
pub(crate) struct Line<'a> {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// Each step's beginning and its value; the last goes on.
    pub(crate) points: &'a [(Time, Option<f64>)],
    /// The zone whose days the steps are, where they are days: those are called by their date, wherever one looks from.
    pub(crate) days: Option<Zone>,
    /// How a value is written, with its unit.
    pub(crate) words: fn(f64) -> String,
}

/// The least of 1, 2 and 5 times a power of ten that is no less than all values.
fn top(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|t| *t >= most).unwrap_or(most)
}

/// The lines of SVG through values: one for each run without a gap.
fn lines(values: &[Option<f64>], top: f64) -> Vec<String> {
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let at = |(i, v): (usize, f64)| format!("{:.1},{:.1}", i as f64 * step, HEIGHT - v / top * HEIGHT);
    let mut runs: Vec<Vec<(usize, f64)>> = vec![vec![]];
    for (i, v) in values.iter().enumerate() {
        match (v, runs.last_mut()) {
            (Some(v), Some(run)) => run.push((i, *v)),
            _ => runs.push(vec![]),
        }
    }
    runs.retain(|run| !run.is_empty());
    let line = |run: Vec<(usize, f64)>| {
        let mut points: Vec<String> = run.iter().copied().map(at).collect();
        if let [(i, v)] = run[..] {
            // A lone value is seen as a short line.
            points = vec![
                format!("{:.1},{:.1}", (i as f64 - 0.4).max(0.0) * step, HEIGHT - v / top * HEIGHT),
                format!("{:.1},{:.1}", ((i as f64 + 0.4) * step).min(WIDTH), HEIGHT - v / top * HEIGHT),
            ];
        }
        points.join(" ")
    };
    runs.into_iter().map(line).collect()
}

impl Line<'_> {
    pub(crate) fn view(self) -> impl IntoView + use<> {
        let Self { id, title, points, days, words } = self;
        let called = move |at: Time| match days {
            Some(zone) => zone.day(at).to_string().into_any(),
            None => when(at, false).into_any(),
        };
        let values: Vec<Option<f64>> = points.iter().map(|(_, v)| *v).collect();
        let most = values.iter().flatten().copied().fold(0.0, f64::max);
        let top = top(most);
        let steady = &values[..values.len().saturating_sub(1)];
        // So that the last step has the place it has among all.
        let mut before: Vec<Option<f64>> = steady.to_vec();
        before.resize(values.len(), None);
        let mut last: Vec<Option<f64>> = vec![None; values.len()];
        if values.len() > 1 {
            last[values.len() - 2..].copy_from_slice(&values[values.len() - 2..]);
        }
        let draw = |values: &[Option<f64>], class: &'static str| {
            let line = move |points: String| view! { <polyline class=class points=points /> };
            lines(values, top).into_iter().map(line).collect_view()
        };
        let (table, heading, said) = (format!("{id}-table"), format!("{id}-heading"), format!("{id}-said"));
        let highest = points.iter().filter(|(_, v)| *v == Some(most) && most > 0.0).map(|(at, _)| *at).next();
        let (first, end) = (points.first().map(|(at, _)| *at), points.last().map(|(at, _)| *at));
        let rows = points.iter().enumerate().map(|(i, (at, v))| {
            let word = v.map_or_else(|| "–".to_owned(), words);
            let goes_on = i + 1 == points.len();
            view! { <tr><th scope="row">{called(*at)}</th><td class="number">{word}{goes_on.then_some(" so far")}</td></tr> }
        });
        view! {
            <section class="card chart" aria-labelledby=heading.clone()>
                <header>
                    <h2 id=heading.clone()>{title}</h2>
                    <span class="muted" data-part=format!("{id}-highest")>
                        {highest.map(|at| view! { "highest " {words(most)} {if days.is_some() { " on " } else { " at " }} {called(at)} })}
                    </span>
                </header>
                <div class="body">
                    <div data-part=id>
                        <div class="plot">
                            <span class="scale" aria-hidden="true"><span>{words(top)}</span><span>{words(0.0)}</span></span>
                            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                                <path class="grid" d=format!("M0 0H{WIDTH}M0 {}H{WIDTH}M0 {HEIGHT}H{WIDTH}", HEIGHT / 2.0) />
                                {draw(&last, "trace running")}
                                {draw(&before, "trace")}
                                <path class="cursor" d="" />
                            </svg>
                        </div>
                        <p class="ends" aria-hidden="true">
                            {first.map(called)}
                            {end.map(called)}
                        </p>
                        <p class="reader needs-script">
                            <input type="range" id=format!("{id}-step") min="0" max=points.len().saturating_sub(1)
                                value=points.len().saturating_sub(1) aria-label=format!("{title}, step by step")
                                data-reads=table.clone() />
                            <output id=said for=format!("{id}-step")></output>
                        </p>
                    </div>
                    <details class="definition">
                        <summary>"As a table"</summary>
                        <div class="tablewrap rows" tabindex="0" role="region" aria-label=format!("{title}, table")>
                            <table id=table>
                                <caption class="hidden">{title}</caption>
                                <thead><tr><th scope="col">{if days.is_some() { "Day" } else { "From" }}</th><th scope="col" class="number">{title}</th></tr></thead>
                                <tbody data-part=format!("{id}-rows")>{rows.collect_view()}</tbody>
                            </table>
                        </div>
                    </details>
                </div>
            </section>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round() {
        let rows =
            [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (120.0, 200.0), (4_999.0, 5_000.0), (5_001.0, 10_000.0)];
        for (most, expected) in rows {
            assert!((top(most) - expected).abs() < expected * 1e-9, "{most}: {}", top(most));
        }
        assert!((top(f64::NAN) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn gaps_are_gaps() {
        let all = lines(&[Some(0.0), Some(1.0), None, Some(2.0), Some(2.0)], 2.0);
        assert_eq!(all, ["0.0,160.0 250.0,80.0", "750.0,0.0 1000.0,0.0"]);
        assert_eq!(lines(&[None, Some(1.0), None], 1.0), ["300.0,0.0 700.0,0.0"]);
        assert!(lines(&[], 1.0).is_empty() && lines(&[None], 1.0).is_empty());
    }
}
