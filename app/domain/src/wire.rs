//! Phoenix Channels V2 on the wire: a text frame is a JSON array of exactly five,
//! `[join_ref, ref, topic, event, payload]`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A client's reference: echoed as the JSON type received, never interpreted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ref {
    Text(String),
    Number(i64),
}

/// A frame from the other side. `Value` keeps what it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Five", into = "Five")]
pub struct Frame {
    pub join_ref: Option<Ref>,
    pub reference: Option<Ref>,
    pub topic: String,
    pub event: String,
    pub payload: Value,
}

type Five = (Option<Ref>, Option<Ref>, String, String, Value);

impl From<Five> for Frame {
    fn from((join_ref, reference, topic, event, payload): Five) -> Self {
        Self { join_ref, reference, topic, event, payload }
    }
}

impl From<Frame> for Five {
    fn from(f: Frame) -> Self {
        (f.join_ref, f.reference, f.topic, f.event, f.payload)
    }
}

/// Topics and events longer than this are nobody's; Phoenix's own binary form allows 255.
pub const NAME_MAX: usize = 255;

impl Frame {
    /// The frame in `text`, or nothing when it is not one: five elements, short names, an object as payload.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok()?.checked()
    }

    /// The frame, unless its names are too long or its payload is no object.
    pub fn checked(self) -> Option<Self> {
        let short = |s: &str| s.len() <= NAME_MAX;
        let short_ref = |r: &Option<Ref>| !matches!(r, Some(Ref::Text(t)) if !short(t));
        let good = short(&self.topic)
            && short(&self.event)
            && short_ref(&self.join_ref)
            && short_ref(&self.reference)
            && self.payload.is_object();
        good.then_some(self)
    }

    pub fn text(&self) -> String {
        push(self.join_ref.as_ref(), self.reference.as_ref(), &self.topic, &self.event, &self.payload)
    }
}

/// Any frame as text: compact, in the order some clients rely on.
pub fn push<P: Serialize>(
    join_ref: Option<&Ref>,
    reference: Option<&Ref>,
    topic: &str,
    event: &str,
    payload: &P,
) -> String {
    // Maps with string keys and plain values: there is nothing here that JSON cannot say.
    serde_json::to_string(&(join_ref, reference, topic, event, payload)).unwrap_or_default()
}

/// A frame to everybody on a topic; shared as bytes, so without anybody's reference.
pub fn broadcast<P: Serialize>(topic: &str, event: &str, payload: &P) -> String {
    push(None, None, topic, event, payload)
}

/// `phx_reply` to `frame`.
pub fn reply<P: Serialize>(frame: &Frame, ok: bool, response: &P) -> String {
    #[derive(Serialize)]
    struct Reply<'a, P> {
        status: &'static str,
        response: &'a P,
    }
    let payload = Reply { status: if ok { "ok" } else { "error" }, response };
    push(frame.join_ref.as_ref(), frame.reference.as_ref(), &frame.topic, "phx_reply", &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_five() {
        let f = Frame::parse(r#"["3","7","presence:me","meta",{"page":"/"}]"#).unwrap();
        assert_eq!(f.text(), r#"["3","7","presence:me","meta",{"page":"/"}]"#);
        assert_eq!(
            reply(&f, true, &serde_json::json!({})),
            r#"["3","7","presence:me","phx_reply",{"status":"ok","response":{}}]"#
        );
        let n = Frame::parse(r#"[null,5,"phoenix","heartbeat",{}]"#).unwrap();
        assert_eq!(reply(&n, true, &Value::Null), r#"[null,5,"phoenix","phx_reply",{"status":"ok","response":null}]"#);
        for bad in [
            "",
            "{}",
            "[]",
            r#"["3","7","t","e"]"#,
            r#"["3","7","t","e",{},1]"#,
            r#"["3","7","t","e",[]]"#,
            r#"[{},"7","t","e",{}]"#,
        ] {
            assert!(Frame::parse(bad).is_none(), "{bad}");
        }
        let deep = format!(r#"["1","2","t","e",{{"a":{}1{}}}]"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(Frame::parse(&deep).is_none());
        assert!(Frame::parse(&format!(r#"[null,null,"{}","e",{{}}]"#, "t".repeat(256))).is_none());
    }
}
