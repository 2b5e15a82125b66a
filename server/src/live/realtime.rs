//! The Supabase dialect (phoenix-v2, pitfall 13): its topics are ours under the name `realtime:…`, and a client tells
//! that it is here with `track` instead of a join of `presence:me`.
//!
//! What a client configures at the join is not looked at, its presence key above all: a key comes from the session, or
//! anybody could be anybody.

use domain::{
    presence::Report,
    wire::{Frame, Ref},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The payload of the event `presence`.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Presence {
    Track {
        #[serde(default)]
        payload: Value,
    },
    Untrack,
}

/// What a tracked payload reports: its page. The rest is the app's own, and nobody is shown it.
pub(super) fn report(payload: &Value) -> Report {
    Report { page: payload["page"].as_str().map(str::to_owned), ..Report::default() }
}

/// A broadcast as clients of version 2 send it, in bytes: `03`, five lengths, how the payload is encoded, then what the
/// lengths measure. Only the refusal needs anything of it.
pub(super) fn broadcast(bytes: &[u8]) -> Option<Frame> {
    let (&[3, join_ref, reference, topic, ..], mut rest) = bytes.split_first_chunk::<7>()? else { return None };
    let mut take = |n: u8| {
        let (taken, left) = rest.split_at_checked(n.into())?;
        rest = left;
        std::str::from_utf8(taken).ok().map(str::to_owned)
    };
    let given = |text: String| (!text.is_empty()).then_some(Ref::Text(text));
    let (join_ref, reference) = (given(take(join_ref)?), given(take(reference)?));
    Some(Frame { join_ref, reference, topic: take(topic)?, event: "broadcast".to_owned(), payload: json!({}) })
}

/// The answer to a join: nothing of the database is replicated.
pub(super) fn joined() -> Value {
    json!({"postgres_changes": []})
}
