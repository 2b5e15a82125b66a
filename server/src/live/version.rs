//! The two forms of a text frame. Everything inside is made in version 2, `[join_ref, ref, topic, event, payload]`;
//! what goes to or comes from a client of version 1, `{topic, event, payload, ref, join_ref}`, is turned here.

use axum::extract::ws::Utf8Bytes;
use domain::wire::{Frame, Ref};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    join_ref: Option<Ref>,
    #[serde(rename = "ref", default)]
    reference: Option<Ref>,
    topic: String,
    event: String,
    payload: Value,
}

/// In the order in which Phoenix's own serializer writes them.
#[derive(Serialize)]
struct Sent<'a> {
    join_ref: Option<Ref>,
    #[serde(rename = "ref")]
    reference: Option<Ref>,
    topic: &'a str,
    event: &'a str,
    payload: &'a RawValue,
}

/// A frame of ours, taken apart.
type Five<'a> = (Option<Ref>, Option<Ref>, &'a str, &'a str, &'a RawValue);

impl Version {
    /// What `?vsn=` asks for: `~> 2.0.0`, `~> 1.0.0`, and none is "1.0.0" (phoenix-v2, "Connect").
    pub(super) fn parse(vsn: Option<&str>) -> Option<Self> {
        let (version, patch) = match vsn.unwrap_or("1.0.0").split_at_checked(4)? {
            ("2.0.", patch) => (Self::Two, patch),
            ("1.0.", patch) => (Self::One, patch),
            _ => return None,
        };
        (!patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit())).then_some(version)
    }

    /// The frame in what a client sent, or nothing when it is not one.
    pub(super) fn read(self, text: &str) -> Option<Frame> {
        if self == Self::Two {
            return Frame::parse(text);
        }
        // serde would read an array as the fields in order.
        let text = text.trim_start().starts_with('{').then_some(text)?;
        let Received { join_ref, reference, topic, event, payload } = serde_json::from_str(text).ok()?;
        Frame { join_ref, reference, topic, event, payload }.checked()
    }

    /// A frame of ours as this client reads it. The payload stays as it was encoded, once for all its watchers.
    pub(super) fn write(self, frame: Utf8Bytes) -> Utf8Bytes {
        if self == Self::Two {
            return frame;
        }
        // Ours are always five, and no topic or event of ours needs an escape.
        let Ok((join_ref, reference, topic, event, payload)) = serde_json::from_str::<Five<'_>>(&frame) else {
            return frame;
        };
        let sent = Sent { join_ref, reference, topic, event, payload };
        serde_json::to_string(&sent).map_or(frame, Utf8Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_matched_as_phoenix_does() {
        for (vsn, version) in [
            (Some("2.0.0"), Some(Version::Two)),
            (Some("2.0.12"), Some(Version::Two)),
            (Some("1.0.0"), Some(Version::One)),
            (None, Some(Version::One)),
            (Some(""), None),
            (Some("2"), None),
            (Some("2.0."), None),
            (Some("2.1.0"), None),
            (Some("2.0.x"), None),
            (Some("3.0.0"), None),
            (Some("1.0é"), None),
        ] {
            assert_eq!(Version::parse(vsn), version, "{vsn:?}");
        }
    }

    #[test]
    fn frames_are_turned_both_ways() {
        let text = r#"{"topic":"presence:me","event":"meta","payload":{"page":"/"},"ref":"7","join_ref":"3"}"#;
        let frame = Version::One.read(text).unwrap();
        assert_eq!(frame, Frame::parse(r#"["3","7","presence:me","meta",{"page":"/"}]"#).unwrap());
        assert_eq!(
            Version::One.write(frame.text().into()).as_str(),
            r#"{"join_ref":"3","ref":"7","topic":"presence:me","event":"meta","payload":{"page":"/"}}"#
        );
        let bare = Version::One.read(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":5}"#).unwrap();
        assert_eq!((bare.join_ref, bare.reference), (None, Some(Ref::Number(5))));
        for bad in
            ["", "[]", "{}", r#"{"topic":"t","event":"e","payload":[]}"#, r#"{"topic":1,"event":"e","payload":{}}"#]
        {
            assert!(Version::One.read(bad).is_none(), "{bad}");
        }
    }
}
