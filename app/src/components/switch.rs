//! A switch that this browser remembers.

use leptos::prelude::*;

#[derive(Clone, Copy)]
pub(crate) struct Switch {
    name: &'static str,
    on: RwSignal<bool>,
}

impl Switch {
    /// Stands at `on` until the browser has remembered.
    pub(crate) fn new(name: &'static str, on: bool) -> Self {
        Self { name, on: RwSignal::new(on) }
    }

    /// In an effect: the server knows nothing of it.
    pub(crate) fn recall(self) {
        let stored = window().local_storage().ok().flatten().and_then(|s| s.get_item(self.name).ok().flatten());
        if let Some(word) = stored {
            self.on.set(word == "on");
        }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on.get()
    }

    /// The same, without following it.
    pub(crate) fn is_on_now(self) -> bool {
        self.on.try_get_untracked() == Some(true)
    }

    pub(crate) fn set(self, on: bool) {
        self.on.set(on);
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item(self.name, if on { "on" } else { "off" });
        }
    }
}

#[component]
pub(crate) fn SwitchBox(switch: Switch, label: &'static str) -> impl IntoView {
    view! {
        <label class="check needs-script">
            <input type="checkbox" prop:checked=move || switch.is_on() on:change=move |e| switch.set(event_target_checked(&e)) />
            {label}
        </label>
    }
}
