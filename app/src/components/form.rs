//! Forms: how one is sent, a label with its field, what is wrong with it, and a summary that gets the focus.
//!
//! Every form is plain HTML that posts to one of our doors, and works without scripts. With them it is sent in place:
//! one piece of code for all forms, since leptos' typed `ActionForm` would cost each of them over 2 kB of the browser's code.

use domain::ApiError;
use leptos::{
    ev::SubmitEvent, html, prelude::*, server::ServerActionError, server_fn::error::ServerFnUrlError, task::spawn_local,
};
use wasm_bindgen::JsCast;
use web_sys::HtmlFormElement;

use crate::{call::post_form, rpc::RpcError, text};

/// A form and what became of it.
#[derive(Clone, Copy)]
pub(crate) struct Sending {
    to: &'static str,
    pub(crate) pending: RwSignal<bool>,
    pub(crate) error: RwSignal<Option<ApiError>>,
    /// The JSON of the last answer that was no error.
    pub(crate) answer: RwSignal<Option<String>>,
    /// Whether it was sent from this page; an error may also come with the page's address.
    pub(crate) sent: RwSignal<bool>,
}

impl Sending {
    /// A form that posts to the door `to`.
    pub(crate) fn to(to: &'static str) -> Self {
        Self {
            to,
            pending: RwSignal::new(false),
            error: RwSignal::new(refusal(to)),
            answer: RwSignal::new(None),
            sent: RwSignal::new(false),
        }
    }

    fn send(self, event: &SubmitEvent) {
        event.prevent_default();
        let form = event.target().and_then(|t| t.dyn_into::<HtmlFormElement>().ok());
        let Some(form) = form.filter(|_| !self.pending.get_untracked()) else { return };
        self.pending.set(true);
        self.sent.set(true);
        spawn_local(async move {
            let result = post_form(self.to, &form).await;
            // The page may have been left meanwhile.
            let _ = self.pending.try_set(false);
            match result {
                Ok(answer) => {
                    let _ = self.error.try_set(None);
                    let _ = self.answer.try_set(Some(answer));
                }
                Err(error) => {
                    let _ = self.error.try_set(Some(error));
                }
            }
        });
    }
}

/// What a plain form was refused with: it came back in the page's address, and is put into our words.
pub(crate) fn refusal(to: &str) -> Option<ApiError> {
    let error = use_context::<ServerActionError>().filter(|e| e.path() == to)?;
    Some(text::error_by_code(&ServerFnUrlError::<RpcError>::decode_err(error.err()).0))
}

/// The form itself.
#[component]
pub(crate) fn Form(sending: Sending, children: Children) -> impl IntoView {
    view! {
        <form method="post" action=sending.to on:submit=move |e| sending.send(&e)>
            {children()}
        </form>
    }
}

/// What went wrong, above the form; it takes the focus when it appears.
#[component]
pub(crate) fn ErrorSummary(#[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if error.get().is_some()
            && let Some(summary) = node.get()
        {
            let _ = summary.focus();
        }
    });
    move || {
        error.get().map(|e| {
            let only_fields = e.fields.len() == 1 && e.fields.values().any(|m| *m == e.message);
            view! {
                <div class="summary" role="alert" tabindex="-1" autofocus node_ref=node>
                    <p>{if only_fields { text::MARKED.to_owned() } else { e.message }}</p>
                </div>
            }
        })
    }
}

/// A labelled field with its hint and its error.
#[component]
pub(crate) fn Field(
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    /// What the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] optional: bool,
    #[prop(optional)] focus: bool,
    #[prop(optional)] max: Option<usize>,
    #[prop(into)] error: Signal<Option<ApiError>>,
    /// Told apart from a field of the same name in another form.
    #[prop(default = "f")]
    prefix: &'static str,
    #[prop(optional, into)] value: String,
) -> impl IntoView {
    let id = format!("{prefix}-{name}");
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let wrong = Memo::new(move |_| error.get().and_then(|e| e.fields.get(name).cloned()));
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || match (hint.is_empty(), wrong.get().is_some()) {
            (true, false) => None,
            (false, false) => Some(hint_id.clone()),
            (true, true) => Some(error_id.clone()),
            (false, true) => Some(format!("{error_id} {hint_id}")),
        }
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label} {optional.then(|| view! { <span class="optional">" optional"</span> })}</label>
            <input
                id=id
                name=name
                type=kind
                autocomplete=autocomplete
                required=!optional
                autofocus=focus
                maxlength=max.map(|n| n.to_string())
                value=value
                spellcheck="false"
                autocapitalize=(kind == "password" || name == "username").then_some("none")
                aria-invalid=move || wrong.get().is_some().then_some("true")
                aria-describedby=described
            />
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {move || wrong.get().map(|m| view! { <p class="wrong" id=error_id.clone()>{m}</p> })}
        </div>
    }
}
