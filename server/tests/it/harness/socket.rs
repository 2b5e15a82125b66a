//! A raw Phoenix V2 client.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{PATIENCE, always};

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    refs: u64,
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<TcpStream>) -> Self {
        Self { stream, refs: 0 }
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.send(Message::Text(text.to_owned().into())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Joins a topic and gives the reply's payload.
    pub(crate) async fn join(&mut self, topic: &str, payload: Value) -> Value {
        self.push(topic, "phx_join", payload).await
    }

    /// Pushes an event and gives the reply's payload; frames before it are dropped.
    pub(crate) async fn push(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        let reference = self.cast(topic, event, payload).await;
        loop {
            let frame = self.frame().await;
            if frame[1] == json!(reference) && frame[3] == "phx_reply" {
                return frame[4].clone();
            }
        }
    }

    /// Pushes an event and waits for nothing; gives its reference.
    pub(crate) async fn cast(&mut self, topic: &str, event: &str, payload: Value) -> String {
        self.refs += 1;
        let reference = self.refs.to_string();
        let join_ref = (event == "phx_join").then(|| reference.clone());
        self.text(&json!([join_ref, reference, topic, event, payload]).to_string()).await;
        reference
    }

    /// A sign of life.
    pub(crate) async fn heartbeat(&mut self) {
        assert_eq!(self.push("phoenix", "heartbeat", json!({})).await["status"], "ok");
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => {
                    always::holds_no_secret("a frame", &text);
                    return serde_json::from_str(&text).unwrap();
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a frame, got {other:?}"),
            }
        }
    }

    /// The payload of the next frame of this topic and event; others are dropped.
    pub(crate) async fn event(&mut self, topic: &str, event: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame[2] == topic && frame[3] == event {
                return frame[4].clone();
            }
        }
    }

    /// The code the server closes with; frames before it are dropped.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        self.ending().await.1
    }

    /// The frames up to the end, and the code the server closes with.
    pub(crate) async fn ending(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut frames = vec![];
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("closed in time") {
                Some(Ok(Message::Close(frame))) => return (frames, frame.map(|f: CloseFrame| f.code.into())),
                Some(Ok(Message::Text(text))) => frames.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (frames, None),
            }
        }
    }
}
