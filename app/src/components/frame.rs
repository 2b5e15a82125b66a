//! What is around every signed-in page: the navigation, the header, the dialogs, and the socket behind them.

use leptos::{prelude::*, text_prop::TextProp};
use leptos_meta::Title;
use leptos_router::{components::Outlet, hooks::use_location};

use super::{
    connection::{Banner, EndedDialog, ExpiryDialog, Indicator},
    icon::{Glyph, Icon, Mark},
    keys::{HelpDialog, Keys, keys},
    status::StatusRegion,
    sudo::{Sudo, SudoDialog},
    theme::{ThemeButton, Themed},
};
use crate::{
    live::{agent, status::status},
    routes::{is_written, page_access},
    text,
    viewer::viewer,
};

/// A line of the navigation: path, word, icon.
type Line = (&'static str, &'static str, Icon);

/// The console's first lines; a phone has room for four beside "More".
const CONSOLE: &[Line] = &[
    ("/admin", "Overview", Icon::Overview),
    ("/admin/live", "Live", Icon::Live),
    ("/admin/people", "People", Icon::People),
    ("/admin/sessions", "Sessions", Icon::Sessions),
];
/// What else the console has.
const MORE: &[Line] = &[
    ("/admin/activity", "Activity", Icon::Live),
    ("/admin/organisations", "Organisations", Icon::Groups),
    ("/admin/files", "Files", Icon::Files),
    ("/admin/outputs", "Outputs", Icon::Overview),
    ("/admin/reports", "Reports", Icon::Audit),
    ("/admin/traffic", "Traffic", Icon::Traffic),
    ("/admin/mail", "Mail", Icon::Mail),
    ("/admin/audit", "Audit log", Icon::Audit),
    ("/admin/settings", "Settings", Icon::Settings),
];
const OWN: &[Line] = &[
    ("/", "Home", Icon::Home),
    ("/activity", "My activity", Icon::Live),
    ("/files", "My files", Icon::Files),
    ("/account/devices", "Devices", Icon::Devices),
    ("/account", "Account", Icon::Account),
];

/// The navigation shows how many are online where a page knows it.
#[derive(Clone, Copy)]
pub(crate) struct OnlineNow(pub(crate) RwSignal<Option<u32>>);

#[component]
pub(crate) fn Frame() -> impl IntoView {
    provide_context(Themed::new());
    provide_context(Sudo::new());
    provide_context(OnlineNow(RwSignal::new(None)));
    let keys = Keys::new();
    provide_context(keys);
    let viewer = viewer();
    let signed_in = viewer.person.is_some();
    Effect::new(move |_| {
        keys.listen();
        if signed_in {
            agent::start();
        }
    });
    let manager = viewer.is_manager();
    view! {
        // Left to the browser, which moves the focus too; the router would only scroll.
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <div class="shell">
            <nav class="side" aria-label="Main">
                <a class="brand" href="/"><Mark /><span>{text::PRODUCT}</span></a>
                // The server's, and kept true by a script of its own; with the frame it is made once.
                <div class="bell" inner_html=bell()></div>
                {if manager {
                    view! {
                        <Lines lines=CONSOLE />
                        <button type="button" class="line more" popovertarget="more">
                            <Glyph icon=Icon::More />
                            <span class="word">"More"</span>
                        </button>
                        <div class="rest" id="more" popover="auto">
                            <Lines lines=MORE />
                            <hr />
                            <Lines lines=OWN />
                        </div>
                    }.into_any()
                } else {
                    view! { <Lines lines=OWN /> }.into_any()
                }}
                {viewer.person.clone().map(|p| view! {
                    <a class="self" href="/account">
                        <span class="initials" aria-hidden="true">{text::initials(&p.user.name)}</span>
                        <span class="who">
                            <span>{p.user.name.clone()}</span>
                            <small>{text::capital(&p.user.role)}</small>
                        </span>
                    </a>
                })}
            </nav>
            <div class="column">
                <Outlet />
            </div>
        </div>
        <SudoDialog />
        <EndedDialog />
        <ExpiryDialog />
        <HelpDialog />
        <StatusRegion />
    }
}

#[cfg(feature = "ssr")]
fn bell() -> String {
    crate::written::bell()
}

#[cfg(not(feature = "ssr"))]
fn bell() -> String {
    String::new()
}

#[component]
fn Lines(lines: &'static [Line]) -> impl IntoView {
    let OnlineNow(online) = expect_context();
    let path = use_location().pathname;
    let level = viewer().level();
    lines
        .iter()
        .filter(|(href, ..)| page_access(href).allows(level))
        .map(|&(href, word, icon)| {
            // A person's page is one of People.
            let current = move || {
                let path = path.get();
                let rest = path.trim_end_matches('/').strip_prefix(href.trim_end_matches('/'));
                rest.is_some_and(|r| r.is_empty() || r.starts_with('/') && is_written(href)).then_some("page")
            };
            let count = (href == "/admin/live").then(|| {
                view! { <span class="number" aria-hidden="true">{move || online.get().map(|n| n.to_string())}</span> }
            });
            view! {
                <a class="line" href=href aria-current=current title=word>
                    <Glyph icon=icon />
                    <span class="word">{word}</span>
                    {count}
                </a>
            }
        })
        .collect_view()
}

/// A page: its title, its header, its content.
#[component]
pub(crate) fn Page(#[prop(into)] title: TextProp, children: Children) -> impl IntoView {
    let keys = keys();
    let status = status();
    let viewer = viewer();
    view! {
        <Title text=title.clone() />
        <header class="top">
            <h1>{move || title.get()}</h1>
            <div class="tools">
                <Indicator />
                <ThemeButton />
                <button type="button" class="tool needs-script" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)"
                    on:click=move |_| keys.help.set(true)>
                    <Glyph icon=Icon::Help />
                </button>
                {viewer.person.is_some().then(|| view! {
                    <form method="post" action="/rpc/sign_out" on:submit=move |_| status.leaving.set_value(true)>
                        <button class="tool worded" title="Sign out"><Glyph icon=Icon::SignOut /><span>"Sign out"</span></button>
                    </form>
                })}
            </div>
        </header>
        <Banner />
        <main id="main" tabindex="-1">{children()}</main>
    }
}

/// A page for people who are not signed in: the mark and one card.
#[component]
pub(crate) fn Door(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <Title text=title />
        <main class="door" id="main">
            <div class="door-inner">
                <div class="brand"><Mark /><span>{text::PRODUCT}</span></div>
                <h1>{title}</h1>
                {children()}
            </div>
        </main>
    }
}
