//! The results of what one did, said once: to the eye at the bottom left, to a screen reader by a status region that
//! is there from the start. What changes among people is said there too, to who wants to hear it.

use std::time::Duration;

use leptos::prelude::*;

#[derive(Clone, Copy)]
pub(crate) struct Said {
    text: RwSignal<String>,
    /// It is on screen already, in another form.
    unseen: RwSignal<bool>,
    number: StoredValue<u32>,
}

/// Long enough to read twice.
const STAYS: Duration = Duration::from_secs(8);

impl Said {
    pub(crate) fn new() -> Self {
        Self { text: RwSignal::new(String::new()), unseen: RwSignal::new(false), number: StoredValue::new(0) }
    }

    /// Says it, and takes it back after a while.
    pub(crate) fn say(self, text: impl Into<String>) {
        self.speak(text.into(), false);
    }

    /// Says it to a screen reader only, unless something is being said.
    pub(crate) fn whisper(self, text: String) {
        self.speak(text, true);
    }

    /// Whether something is being said.
    pub(crate) fn is_speaking(self) -> bool {
        self.text.try_with_untracked(|t| !t.is_empty()) != Some(false)
    }

    fn speak(self, text: String, unseen: bool) {
        let number = self.number.get_value() + 1;
        self.number.set_value(number);
        self.unseen.set(unseen);
        self.text.set(text);
        let _ = set_timeout_with_handle(
            move || {
                if self.number.try_get_value() == Some(number) {
                    self.text.set(String::new());
                }
            },
            STAYS,
        );
    }
}

pub(crate) fn said() -> Said {
    expect_context()
}

/// The one status region of the page.
#[component]
pub(crate) fn StatusRegion() -> impl IntoView {
    let said = said();
    view! {
        <div class="said" role="status">
            {move || Some(said.text.get()).filter(|t| !t.is_empty()).map(|t| {
                let class = if said.unseen.get_untracked() { "hidden" } else { "" };
                view! { <p class=class>{t}</p> }
            })}
        </div>
    }
}
