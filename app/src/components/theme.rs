//! The button that changes the theme. Without scripts it is a form; with them it changes at once and is then kept.

use leptos::{prelude::*, task::spawn_local};

use super::icon::{Glyph, Icon};
use crate::{
    call::send,
    viewer::{Theme, viewer},
};

/// The theme of this page, for everything that changes it.
#[derive(Clone, Copy)]
pub(crate) struct Themed(RwSignal<Theme>);

impl Themed {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(viewer().theme))
    }

    pub(crate) fn next(self) {
        let theme = self.0.get_untracked().next();
        self.0.set(theme);
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", theme.as_str());
        }
        spawn_local(async move {
            // Kept for the next page; this one has it either way.
            let _ = send("/rpc/set_theme", &[("theme", theme.as_str())]).await;
        });
    }
}

#[component]
pub(crate) fn ThemeButton() -> impl IntoView {
    let themed: Themed = expect_context();
    let theme = themed.0;
    let label = move || match theme.get() {
        Theme::System => "Theme: as the system. Change to light",
        Theme::Light => "Theme: light. Change to dark",
        Theme::Dark => "Theme: dark. Change to the system's",
    };
    let icon = move || match theme.get() {
        Theme::System => view! { <Glyph icon=Icon::System /> },
        Theme::Light => view! { <Glyph icon=Icon::Sun /> },
        Theme::Dark => view! { <Glyph icon=Icon::Moon /> },
    };
    view! {
        <form method="post" action="/rpc/set_theme">
            <button
                class="tool"
                name="theme"
                value=move || theme.get().next().as_str()
                aria-label=label
                title=label
                on:click=move |e| {
                    e.prevent_default();
                    themed.next();
                }
            >
                {icon}
            </button>
        </form>
    }
}
