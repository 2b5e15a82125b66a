//! Bars: each is a row of a table that says the same in words.

use leptos::prelude::*;

/// One bar: what it is of, how much, in words, and where a click leads.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: u64,
    pub(crate) words: String,
    pub(crate) href: Option<String>,
}

/// Width of a bar in thousandths of the longest; something is never nothing.
fn width(value: u64, most: u64) -> u64 {
    if most == 0 { 0 } else { (u128::from(value) * 1_000 / u128::from(most)) as u64 }.max(u64::from(value > 0) * 5)
}

/// A table of bars under a heading.
pub(crate) struct Bars {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// Beside the heading: of when they are, or where there is more.
    pub(crate) sub: AnyView,
    /// What each bar is of, and what is measured.
    pub(crate) of: &'static str,
    pub(crate) measure: &'static str,
    pub(crate) rows: Vec<Bar>,
    /// What is said where there are none.
    pub(crate) none: &'static str,
}

impl Bars {
    pub(crate) fn view(self) -> impl IntoView + use<> {
        let Self { id, title, sub, of, measure, rows, none } = self;
        let most = rows.iter().map(|b| b.value).max().unwrap_or_default();
        let is_empty = rows.is_empty();
        let rows = rows.into_iter().map(move |b| {
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
                <header><h2 id=id>{title}</h2>{sub}</header>
                {if is_empty {
                    view! { <p class="empty">{none}</p> }.into_any()
                } else {
                    view! {
                        <div class="tablewrap" tabindex="0" role="region" aria-label=format!("Chart: {title}")>
                            <table class="listed" role="table" aria-labelledby=id>
                                <thead role="rowgroup" class="hidden">
                                    <tr role="row">
                                        <th scope="col" role="columnheader">{of}</th>
                                        <th scope="col" role="columnheader">"Share"</th>
                                        <th scope="col" role="columnheader">{measure}</th>
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
