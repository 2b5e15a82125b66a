//! Frames: whatever arrives, parsing does not panic, and what is accepted goes out as it came in.

use domain::wire::{Frame, NAME_MAX, Ref, reply};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn reference() -> impl Strategy<Value = Option<Ref>> {
    prop_oneof![Just(None), any::<i64>().prop_map(|n| Some(Ref::Number(n))), ".{0,40}".prop_map(|t| Some(Ref::Text(t)))]
}

/// JSON without fractions, which no frame of ours carries and which no parser promises to give back.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|m| Value::Object(m.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let payload = prop::collection::btree_map(any::<String>(), value(), 0..4);
    (reference(), reference(), ".{0,60}", ".{0,60}", payload).prop_map(
        |(join_ref, reference, topic, event, payload)| Frame {
            join_ref,
            reference,
            topic,
            event,
            payload: Value::Object(payload.into_iter().collect()),
        },
    )
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("plain values")
}

fn accepted_is_well_formed(text: &str) -> Result<(), TestCaseError> {
    let Some(frame) = Frame::parse(text) else { return Ok(()) };
    prop_assert!(frame.payload.is_object() && frame.topic.len() <= NAME_MAX && frame.event.len() <= NAME_MAX);
    let five: Vec<Value> = serde_json::from_str(text).expect("JSON");
    prop_assert_eq!(five.len(), 5);
    prop_assert_eq!(json_of(&frame.join_ref), five[0].clone());
    prop_assert_eq!(json_of(&frame.reference), five[1].clone());
    prop_assert_eq!(Value::from(frame.topic.as_str()), five[2].clone());
    prop_assert_eq!(Value::from(frame.event.as_str()), five[3].clone());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_go_out_as_they_came_in(frame in frame()) {
        let text = frame.text();
        prop_assert_eq!(Frame::parse(&text), Some(frame.clone()));
        accepted_is_well_formed(&text)?;
        // Compact, and references as the JSON type received.
        let answer: Vec<Value> = serde_json::from_str(&reply(&frame, false, &json!({"reason": "no"}))).unwrap();
        prop_assert_eq!(json_of(&(&frame.join_ref, &frame.reference)), json!([answer[0], answer[1]]));
        prop_assert_eq!(&answer[4], &json!({"status": "error", "response": {"reason": "no"}}));
    }

    #[test]
    fn anything_may_arrive(text in any::<String>()) {
        accepted_is_well_formed(&text)?;
    }

    #[test]
    fn any_json_may_arrive(value in value()) {
        accepted_is_well_formed(&value.to_string())?;
    }

    #[test]
    fn almost_five_elements_may_arrive(elements in prop::collection::vec(value(), 3..7)) {
        accepted_is_well_formed(&Value::from(elements).to_string())?;
    }

    /// A good frame with bytes changed, removed, doubled or cut off.
    #[test]
    fn broken_frames_may_arrive(
        frame in frame(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut bytes = frame.text().into_bytes();
        for (at, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        accepted_is_well_formed(&String::from_utf8_lossy(&bytes))?;
    }
}

#[test]
fn names_have_a_limit() {
    let frame = |topic: usize, event: usize, reference: usize| {
        let name = |n: usize| "x".repeat(n);
        Frame::parse(&json!([name(reference), null, name(topic), name(event), {}]).to_string())
    };
    assert!(frame(NAME_MAX, NAME_MAX, NAME_MAX).is_some());
    assert!(frame(NAME_MAX + 1, 1, 1).is_none());
    assert!(frame(1, NAME_MAX + 1, 1).is_none());
    assert!(frame(1, 1, NAME_MAX + 1).is_none());
}

#[test]
fn numbers_that_no_reference_can_hold_are_refused() {
    for bad in ["1.5", "18446744073709551615", "true", "[]", "1e400"] {
        assert!(Frame::parse(&format!(r#"[null,{bad},"t","e",{{}}]"#)).is_none(), "{bad}");
    }
}
