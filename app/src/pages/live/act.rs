//! Ending somebody's sessions: asked back first, the password again if it was long ago, the result said.

use domain::SessionId;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    call::{parse, send},
    components::{
        dialog::Dialog,
        status::{Said, said},
        sudo::{Sudo, sudo},
    },
    text,
};

#[derive(Clone, Copy)]
pub(super) struct Acts {
    open: RwSignal<bool>,
    asked: RwSignal<Asked>,
    /// Counts what was ended, so that the drawer looks again.
    pub(super) done: RwSignal<u32>,
    sudo: Sudo,
    said: Said,
}

/// What the reader is asked back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    ids: Vec<SessionId>,
    question: String,
}

impl Acts {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            asked: RwSignal::new(Asked::default()),
            done: RwSignal::new(0),
            sudo: sudo(),
            said: said(),
        }
    }

    pub(super) fn ask(self, ids: Vec<SessionId>, question: String) {
        self.asked.set(Asked { ids, question });
        self.open.set(true);
    }

    fn end(self) {
        let ids = self.asked.with_untracked(|a| ids(&a.ids));
        spawn_local(async move {
            match send("/rpc/end_sessions", &[("ids", &ids)]).await.and_then(|text| parse(&text)) {
                Ok(n) => {
                    self.said.say(format!("{} ended.", text::count(n, "session")));
                    let _ = self.done.try_update(|n| *n += 1);
                }
                Err(e) if self.sudo.asks(&e, Callback::new(move |()| self.end())) => {}
                Err(e) => self.said.say(e.message),
            }
        });
    }
}

/// Ids as the door takes them.
pub(super) fn ids(ids: &[SessionId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[component]
pub(super) fn ConfirmDialog(acts: Acts) -> impl IntoView {
    view! {
        <Dialog open=acts.open title="End sessions" id="confirm" alert=true>
            <p>{move || acts.asked.with(|a| a.question.clone())}</p>
            <p class="muted">"This takes effect at once and cannot be undone. They can sign in again."</p>
            <div class="actions">
                <button type="button" class="button" autofocus on:click=move |_| acts.open.set(false)>"Cancel"</button>
                <button type="button" class="button primary danger" on:click=move |_| {
                    acts.open.set(false);
                    acts.end();
                }>
                    {move || acts.asked.with(|a| if a.ids.len() == 1 { "End session" } else { "End sessions" })}
                </button>
            </div>
        </Dialog>
    }
}
