//! Forms: a label, its field, what is wrong with it, and a summary that gets the focus.

use domain::ApiError;
use leptos::{html, prelude::*, server_fn::ServerFn};

use crate::{rpc::RpcError, text};

/// The error of a form's last sending, if it failed. One that came back in the address bar is put into our words.
pub(crate) fn error_of<S>(action: ServerAction<S>) -> Signal<Option<ApiError>>
where
    S: ServerFn<Error = RpcError> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let (value, version) = (action.value(), action.version());
    Signal::derive(move || {
        let error = value.with(|v| v.as_ref().and_then(|v| v.as_ref().err()).map(|e| e.0.clone()))?;
        Some(if version.get() == 0 { text::error_by_code(&error) } else { error })
    })
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
                    <p>{if only_fields { "Check what is marked below.".to_owned() } else { e.message }}</p>
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
