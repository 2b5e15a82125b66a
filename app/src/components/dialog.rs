//! A modal dialog on the native element: it keeps the focus, Esc closes it, and the focus goes back where it was.

use leptos::{html, prelude::*};

/// Shown while `open`; closing it by Esc sets `open` to false.
#[component]
pub(crate) fn Dialog(
    open: RwSignal<bool>,
    title: &'static str,
    /// `alertdialog` for what cannot wait.
    #[prop(optional)]
    alert: bool,
    /// Whether Esc may close it.
    #[prop(default = true)]
    closable: bool,
    id: &'static str,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let heading = format!("{id}-title");
    let labelled_by = heading.clone();
    let cancelled = move |e: leptos::ev::Event| {
        if !closable {
            e.prevent_default();
        }
    };
    view! {
        <dialog
            node_ref=node
            id=id
            class="dialog"
            role=alert.then_some("alertdialog")
            aria-labelledby=labelled_by
            on:cancel=cancelled
            on:close=move |_| open.set(false)
        >
            <h2 id=heading>{title}</h2>
            {children()}
        </dialog>
    }
}
