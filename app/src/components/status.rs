//! The results of what one did, said once: to the eye at the bottom left, to a screen reader by a status region that
//! is there from the start.

use std::time::Duration;

use leptos::prelude::*;

#[derive(Clone, Copy)]
pub(crate) struct Said {
    text: RwSignal<String>,
    number: StoredValue<u32>,
}

/// Long enough to read twice.
const STAYS: Duration = Duration::from_secs(8);

impl Said {
    pub(crate) fn new() -> Self {
        Self { text: RwSignal::new(String::new()), number: StoredValue::new(0) }
    }

    /// Says it, and takes it back after a while.
    pub(crate) fn say(self, text: impl Into<String>) {
        let number = self.number.get_value() + 1;
        self.number.set_value(number);
        self.text.set(text.into());
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
            {move || Some(said.text.get()).filter(|t| !t.is_empty()).map(|t| view! { <p>{t}</p> })}
        </div>
    }
}
