//! Bars, drawn on the server: each is a row of a table that says the same in words.

use leptos::prelude::*;

/// One bar: what it is of, how much, in words, and where a click leads.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: u64,
    pub(super) words: String,
    pub(super) href: Option<String>,
}

/// Width of a bar in thousandths of the longest; something is never nothing.
fn width(value: u64, most: u64) -> u64 {
    if most == 0 { 0 } else { (u128::from(value) * 1_000 / u128::from(most)) as u64 }.max(u64::from(value > 0) * 5)
}

/// A table of bars under a heading.
pub(super) fn bars(id: &'static str, title: &'static str, of: &'static str, bars: Vec<Bar>) -> impl IntoView {
    let most = bars.iter().map(|b| b.value).max().unwrap_or_default();
    let none = bars.is_empty();
    let rows = bars.into_iter().map(move |b| {
        let label = match b.href {
            Some(href) => view! { <a href=href data-noscroll="">{b.label}</a> }.into_any(),
            None => b.label.into_any(),
        };
        view! {
            <tr role="row">
                <th scope="row" role="rowheader">{label}</th>
                <td role="cell" class="bar-cell">
                    <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                        <rect width=width(b.value, most).to_string() height="10" rx="2"></rect>
                    </svg>
                </td>
                <td role="cell" class="number">{b.words}</td>
            </tr>
        }
    });
    view! {
        <section class="card bars" aria-labelledby=id>
            <header><h2 id=id>{title}</h2></header>
            {if none {
                view! { <p class="empty">"Nothing to draw yet."</p> }.into_any()
            } else {
                view! {
                    <div class="tablewrap" tabindex="0" role="region" aria-label=format!("Chart: {title}")>
                        <table class="listed" role="table" aria-labelledby=id>
                            <thead role="rowgroup" class="hidden">
                                <tr role="row">
                                    <th scope="col" role="columnheader">{of}</th>
                                    <th scope="col" role="columnheader">"Share"</th>
                                    <th scope="col" role="columnheader">"Uploads"</th>
                                </tr>
                            </thead>
                            <tbody role="rowgroup">{rows.collect_view()}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_their_share() {
        assert_eq!((width(5, 10), width(10, 10), width(0, 10), width(0, 0)), (500, 1_000, 0, 0));
        assert_eq!((width(1, u64::MAX), width(u64::MAX, u64::MAX)), (5, 1_000));
    }
}
