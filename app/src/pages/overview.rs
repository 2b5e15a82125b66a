//! The console's first page: who is here, in two numbers, by state, by role, by organisation and team; and between them
//! what the server alone writes (`crate::written::overview`), which costs the browser nothing.

use domain::{
    presence::{Query, Sort, live::Window, view::OnlinePage},
    time::human,
};
use leptos::prelude::*;

use super::written;
use crate::{
    call::Ask,
    components::{
        figures::{ByState, Figure, Groups},
        frame::{OnlineNow, Page},
        presence::StateWord,
        read::Read,
        time::Age,
    },
    live::online::{Entry, Online, Reading},
    text,
    viewer::viewer,
};

/// The newest sign-ins, as many as fit beside the tables.
fn window() -> Window {
    let filter = Query { sort: Sort::StartedDesc, ..Query::default() };
    Window { filter, limit: 8, ..Window::default() }
}

#[component]
pub(crate) fn Overview() -> impl IntoView {
    let (title, html) = written::first();
    let title = ArcRwSignal::new(title);
    let first = Read::once(Ask::Online(window()));
    view! {
        <Page title="Overview">
            {first.page(move |page: OnlinePage| {
                let written = written::part(title.clone(), html.clone(), |path| path == "/admin");
                view! { <Here page=page written=written.into_any() /> }.into_any()
            })}
        </Page>
    }
}

/// Who is here, around what the server wrote.
#[component]
fn Here(page: OnlinePage, written: AnyView) -> impl IntoView {
    let people = Online::new(&page, window());
    people.follow(|| Reading::No);
    let OnlineNow(number) = expect_context();
    Effect::new(move |_| number.set(Some(people.counts.with(|c| c.online))));
    let counts = people.counts;
    let active_for = human(viewer().active_for);
    let active_sub = format!("input in the last {active_for}");
    let by_role = Signal::derive(move || {
        counts.with(|c| {
            let active = |role: &str| c.active_by_role.get(role).copied().unwrap_or_default();
            c.by_role.iter().map(|(role, n)| (role.clone(), *n, Some(active(role)))).collect::<Vec<_>>()
        })
    });
    let by_org = Signal::derive(move || {
        counts.with(|c| c.by_org.iter().map(|(o, n)| (o.clone(), *n, None)).collect::<Vec<_>>())
    });
    let by_team = Signal::derive(move || {
        counts.with(|c| c.by_team.iter().map(|(t, n)| (t.clone(), *n, None)).collect::<Vec<_>>())
    });
    view! {
        <div class="figures">
            <Figure
                label="Online"
                value=Signal::derive(move || counts.with(|c| c.online))
                sub="busy, active or idle".to_owned()
                definition=text::define_online().to_owned()
            />
            <Figure
                label="Active now"
                value=Signal::derive(move || counts.with(|c| c.active))
                sub=active_sub
                definition=text::define_active(viewer().active_for)
            />
            <ByState counts=counts as_of=people.as_of />
        </div>
        <Newest people=people />
        {written}
        <div class="columns">
            <div>
                <Groups title="By role" noun="Role" rows=by_role empty="No roles." />
            </div>
            <div>
                <Groups title="By organisation" noun="Organisation" rows=by_org empty="Nobody of an organisation is online." />
                <Groups title="By team" noun="Team" rows=by_team empty="Nobody of a team is online." />
            </div>
        </div>
    }
}

#[component]
fn Newest(people: Online) -> impl IntoView {
    view! {
        <section class="card newest" aria-labelledby="newest-heading">
            <header>
                <h2 id="newest-heading">"People online"</h2>
                <small>"newest sign-in first"</small>
                <a href="/admin/live">"All of them live"</a>
            </header>
            <Show
                when=move || people.entries.with(|e| !e.is_empty())
                fallback=|| view! { <p class="empty">"Nobody is online."</p> }
            >
                <ul>
                    <For each=move || people.entries.get() key=|e| e.id let:entry>
                        <Line entry=entry people=people />
                    </For>
                </ul>
            </Show>
        </section>
    }
}

#[component]
fn Line(entry: Entry, people: Online) -> impl IntoView {
    let (row, left) = (entry.row, entry.left);
    let state = {
        let row = row.clone();
        Signal::derive(move || row.with(|r| r.state))
    };
    let page = {
        let row = row.clone();
        move || row.with(|r| r.page.clone())
    };
    let started = {
        let row = row.clone();
        Signal::derive(move || row.with(|r| r.session_started_at))
    };
    let name = row.with_untracked(|r| r.name.clone());
    let is_left = move || left.with(Option::is_some);
    view! {
        <li class:left=is_left>
            <a href=format!("/admin/live?open={}", entry.id)>{name}</a>
            <StateWord state=state />
            <span class="mono">{page}</span>
            <small><Age since=started as_of=people.as_of /></small>
        </li>
    }
}
