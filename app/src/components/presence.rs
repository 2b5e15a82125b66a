//! A state of presence as everybody can read it: a shape, a word, a colour.

use domain::presence::State;
use leptos::prelude::*;

/// The shape of a state; `aria-hidden`, since the word stands beside it.
#[component]
pub(crate) fn Shape(#[prop(into)] state: Signal<State>) -> impl IntoView {
    view! {
        <svg class="shape" viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" data-state=move || state.get().as_str()>
            <circle class="round" cx="5" cy="5" r="4" />
            <path class="half" d="M5 1a4 4 0 0 1 0 8z" />
            <rect class="square" x="0.5" y="0.5" width="9" height="9" rx="2" />
        </svg>
    }
}

/// Shape and word.
#[component]
pub(crate) fn StateWord(#[prop(into)] state: Signal<State>) -> impl IntoView {
    view! {
        <span class="state" data-state=move || state.get().as_str()>
            <Shape state=state />
            <span>{move || state.get().word()}</span>
        </span>
    }
}
