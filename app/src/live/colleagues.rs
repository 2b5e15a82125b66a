//! The people of one's organisation who are here; `presences.mjs` makes a list of what the topic says.

use domain::presence::Colleague;
use leptos::prelude::*;
use uuid::Uuid;

use super::socket;
use crate::call::parse;

/// Keeps `people` current until the component that calls this goes.
pub(crate) fn follow(people: RwSignal<Vec<Colleague>>, organisation: Uuid) {
    let topic = format!("people:org:{organisation}");
    let left = topic.clone();
    Effect::new(move |_| {
        if let Some(socket) = socket() {
            let heard = move |event: &str, payload: &str| heard(people, event, payload);
            socket.join(&topic, || "{}".to_owned(), heard);
        }
    });
    on_cleanup(move || {
        if let Some(socket) = socket() {
            socket.leave(&left);
        }
    });
}

fn heard(people: RwSignal<Vec<Colleague>>, event: &str, payload: &str) {
    let Some(now) = people.try_get_untracked() else { return };
    // The same news twice repaints nothing.
    if event == "people"
        && let Some(next) = parse::<Vec<Colleague>>(payload).ok().filter(|n| *n != now)
    {
        people.set(next);
    }
}
