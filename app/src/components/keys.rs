//! Single-key shortcuts, and the dialog that lists them. Matched by the key's character, so other layouts work; never
//! while something is being typed; a switch turns them off (WCAG 2.1.4).

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use super::{
    dialog::Dialog,
    switch::{Switch, SwitchBox},
    theme::Themed,
};
use crate::{clock::clock, viewer::viewer};

/// The second key of `g …` must follow within this.
const CHORD_MS: f64 = 1_500.0;

/// In context on every signed-in page; a page hangs its own keys on it.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) help: RwSignal<bool>,
    on: Switch,
    page: StoredValue<Option<Callback<String>>>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { help: RwSignal::new(false), on: Switch::new("single-key-shortcuts", true), page: StoredValue::new(None) }
    }

    /// The keys of the page that calls this, until it goes.
    pub(crate) fn of_page(self, act: impl Fn(String) + Send + Sync + 'static) {
        self.page.set_value(Some(Callback::new(act)));
        on_cleanup(move || {
            let _ = self.page.try_set_value(None);
        });
    }

    /// Begins to listen; in an effect.
    pub(crate) fn listen(self) {
        self.on.recall();
        let exact = clock().exact;
        let themed: Themed = expect_context();
        let manager = viewer().is_manager();
        let navigate = use_navigate();
        let chord = StoredValue::new(f64::NEG_INFINITY);
        let handle = window_event_listener(leptos::ev::keydown, move |e| {
            if !self.on.is_on_now()
                || e.ctrl_key()
                || e.meta_key()
                || e.alt_key()
                || e.default_prevented()
                || is_typing(&e)
            {
                return;
            }
            let key = e.key();
            if document().query_selector("dialog[open]").ok().flatten().is_some() {
                return;
            }
            if e.time_stamp() - chord.get_value() < CHORD_MS {
                chord.set_value(f64::NEG_INFINITY);
                let target = match key.as_str() {
                    "h" => Some("/"),
                    "d" => Some("/account/devices"),
                    "c" => Some("/account"),
                    "o" if manager => Some("/admin"),
                    "l" if manager => Some("/admin/live"),
                    _ => None,
                };
                if let Some(target) = target {
                    e.prevent_default();
                    navigate(target, NavigateOptions::default());
                }
                return;
            }
            match key.as_str() {
                "g" => chord.set_value(e.time_stamp()),
                "?" => self.help.set(true),
                "t" => themed.next(),
                "r" => exact.set(!exact.is_on_now()),
                "/" => {
                    if let Some(filter) = element("[data-filter]") {
                        e.prevent_default();
                        let _ = filter.focus();
                    }
                }
                _ => {
                    if let Some(page) = self.page.get_value() {
                        page.run(key);
                    }
                }
            }
        });
        on_cleanup(move || handle.remove());
    }
}

pub(crate) fn keys() -> Keys {
    expect_context()
}

/// The first element of the page that matches.
pub(crate) fn element(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into().ok())
}

fn is_typing(e: &KeyboardEvent) -> bool {
    let target = e.target().and_then(|t| t.dyn_into::<Element>().ok());
    target.is_some_and(|t| t.closest("input, select, textarea, [contenteditable]").ok().flatten().is_some())
}

/// `?`
#[component]
pub(crate) fn HelpDialog() -> impl IntoView {
    let keys = keys();
    let manager = viewer().is_manager();
    let rows = move || {
        let mut rows = vec![("g then h", "Home"), ("g then d", "Devices"), ("g then c", "Account")];
        if manager {
            rows.extend([
                ("g then o", "Overview"),
                ("g then l", "Live"),
                ("/", "Filter people"),
                ("p", "Pause or go on"),
                ("j, k", "Next, previous row"),
                ("Enter", "Open the row"),
                ("[, ]", "Previous, next person in the drawer"),
            ]);
        }
        rows.extend([
            ("r", "Times relative or exact"),
            ("t", "Change the theme"),
            ("Esc", "Close what is innermost"),
            ("?", "This list"),
        ]);
        rows.into_iter()
            .map(|(key, does)| {
                view! {
                    <div>
                        <dt><kbd>{key}</kbd></dt>
                        <dd>{does}</dd>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <Dialog open=keys.help title="Keyboard" id="help">
            <dl class="keys">{rows()}</dl>
            <SwitchBox switch=keys.on label="Single-key shortcuts" />
            <SwitchBox switch=clock().exact label="Exact times" />
            <div class="actions">
                <button type="button" class="button" on:click=move |_| keys.help.set(false)>"Close"</button>
            </div>
        </Dialog>
    }
}
