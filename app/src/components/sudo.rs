//! Sensitive acts ask for the password again when the last time is too long ago. With scripts a dialog asks, then the
//! act is repeated; without, the page shows the form below and one repeats it by hand.

use domain::{ApiError, ErrorCode};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{
    dialog::Dialog,
    form::{ErrorSummary, Field, Form, Sending, refusal},
};

/// In context on every signed-in page.
#[derive(Clone, Copy)]
pub(crate) struct Sudo {
    open: RwSignal<bool>,
    again: StoredValue<Option<Callback<()>>>,
}

impl Sudo {
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), again: StoredValue::new(None) }
    }

    /// Asks for the password and then repeats `again`, when that is what `error` is about. Tells whether it was.
    pub(crate) fn asks(self, error: &ApiError, again: Callback<()>) -> bool {
        let asked = error.code == ErrorCode::ReauthRequired;
        if asked {
            self.ask(again);
        }
        asked
    }

    /// Asks for the password and then does `again`.
    pub(crate) fn ask(self, again: Callback<()>) {
        self.again.set_value(Some(again));
        self.open.set(true);
    }
}

pub(crate) fn sudo() -> Sudo {
    expect_context()
}

/// The dialog.
#[component]
pub(crate) fn SudoDialog() -> impl IntoView {
    let sudo = sudo();
    let sending = Sending::to("/rpc/confirm_password");
    let error = sending.error;
    let shown: Signal<Option<ApiError>> = Signal::derive(move || error.get().filter(|_| sudo.open.get()));
    Effect::new(move |_| {
        if sending.answer.get().is_some() {
            sending.answer.set(None);
            sudo.open.set(false);
            forget_password();
            if let Some(again) = sudo.again.try_update_value(Option::take).flatten() {
                again.run(());
            }
        }
    });
    view! {
        <Dialog open=sudo.open title="Confirm it is you" id="sudo">
            <p>"This needs your password again. It then counts for a few minutes."</p>
            <Form sending=sending>
                <ErrorSummary error=shown />
                <Field
                    prefix="sudo"
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                    error=shown
                />
                {move || shown.get().is_some_and(|e| e.fields.contains_key("code")).then(|| view! {
                    <Field prefix="sudo" name="code" label="Code" autocomplete="one-time-code" error=shown />
                })}
                <div class="actions">
                    <button type="button" class="button" on:click=move |_| sudo.open.set(false)>"Cancel"</button>
                    <button class="button primary" disabled=move || sending.pending.get()>"Confirm"</button>
                </div>
            </Form>
        </Dialog>
    }
}

/// The dialog stays in the page; what was typed into it does not.
fn forget_password() {
    if let Ok(Some(form)) = document().query_selector("#sudo form") {
        form.unchecked_into::<web_sys::HtmlFormElement>().reset();
    }
}

/// The same as a part of the page, for a plain form that was refused for want of it.
#[component]
pub(crate) fn SudoInline(#[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    let refused = RwSignal::new(refusal("/rpc/confirm_password"));
    let asked = move || refused.get().is_some() || error.get().is_some_and(|e| e.code == ErrorCode::ReauthRequired);
    view! {
        <Show when=asked>
            <section class="card inline-sudo" aria-label="Confirm it is you">
                <form method="post" action="/rpc/confirm_password">
                    <p>"This needs your password again. Confirm it, then repeat what you wanted to do."</p>
                    <ErrorSummary error=refused />
                    <Field
                        prefix="confirm"
                        name="password"
                        label="Password"
                        kind="password"
                        autocomplete="current-password"
                        error=refused
                    />
                    <button class="button primary">"Confirm"</button>
                </form>
            </section>
        </Show>
    }
}
