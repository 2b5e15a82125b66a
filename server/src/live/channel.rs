//! What a socket has joined, and the answer to each frame (phoenix-v2 wire format).

use std::{collections::HashMap, time::Duration};

use domain::{
    ApiError,
    presence::{Chosen, Report, diff::Audience, live::Window},
    wire::{self, Frame, Ref},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use services::{
    Services,
    presence::{Key, Socket},
};
use uuid::Uuid;

/// Clients repeat a refused join for ever; from the second on they are answered this much later.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);

/// What is sent back.
pub(super) enum Answer {
    None,
    One(String),
    Two(String, String),
    Later(String, Duration),
}

/// A topic of ours.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Topic {
    Me,
    Presence(Audience),
    Live(Key),
}

impl Topic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "presence:me" => Some(Self::Me),
            "presence:all" => Some(Self::Presence(Audience::Everybody)),
            _ if text.starts_with("live:online") => Key::of_topic(text).map(Self::Live),
            _ => {
                let id = Uuid::parse_str(text.strip_prefix("presence:org:")?).ok()?;
                Some(Self::Presence(Audience::Organisation(id)))
            }
        }
    }
}

/// The joined topics of one socket, each with the reference it was joined under.
#[derive(Default)]
pub(super) struct Channels {
    joined: HashMap<Topic, Option<Ref>>,
    refused: u32,
}

impl Channels {
    pub(super) async fn answer(&mut self, frame: &Frame, socket: &Socket, services: &Services) -> Answer {
        if frame.topic == "phoenix" && frame.event == "heartbeat" {
            services.alive(socket);
            return Answer::One(wire::reply(frame, true, &json!({})));
        }
        let Some(topic) = Topic::parse(&frame.topic) else {
            return Answer::One(refusal(frame, "unmatched topic"));
        };
        match frame.event.as_str() {
            "phx_join" => self.join(frame, topic, socket, services).await,
            "phx_leave" => self.leave(frame, topic, socket),
            event => {
                let Some(join_ref) = self.joined.get(&topic) else {
                    return Answer::One(refusal(frame, "unmatched topic"));
                };
                if frame.join_ref.is_some() && frame.join_ref != *join_ref {
                    return Answer::None; // Of a join that has been replaced.
                }
                match push(frame, topic, event, socket, services).await {
                    Ok(response) => Answer::One(wire::reply(frame, true, &response)),
                    Err(error) => Answer::One(error_reply(frame, &error)),
                }
            }
        }
    }

    async fn join(&mut self, frame: &Frame, topic: Topic, socket: &Socket, services: &Services) -> Answer {
        match enter(frame, topic, socket, services).await {
            Ok(response) => {
                let old = self.joined.insert(topic, frame.join_ref.clone());
                let reply = wire::reply(frame, true, &response);
                match old {
                    Some(old) => Answer::Two(reply, closed(old.as_ref(), &frame.topic)),
                    None => Answer::One(reply),
                }
            }
            Err(error) => {
                self.refused += 1;
                let reply = error_reply(frame, &error);
                if self.refused == 1 { Answer::One(reply) } else { Answer::Later(reply, REFUSED_PAUSE) }
            }
        }
    }

    fn leave(&mut self, frame: &Frame, topic: Topic, socket: &Socket) -> Answer {
        let reply = wire::reply(frame, true, &json!({}));
        let Some(join_ref) = self.joined.remove(&topic) else { return Answer::One(reply) };
        match topic {
            Topic::Me => socket.leave(),
            Topic::Presence(audience) => socket.unwatch(audience),
            Topic::Live(key) => socket.unquery(key),
        }
        Answer::Two(reply, closed(join_ref.as_ref(), &frame.topic))
    }
}

/// Joins a topic. Permission is decided by the services from the session's actor.
async fn enter(frame: &Frame, topic: Topic, socket: &Socket, services: &Services) -> Result<Value, ApiError> {
    let actor = socket.session.actor();
    match topic {
        Topic::Me => {
            let heard = services.join(socket, payload::<Report>(frame)?.check()?).await?;
            let (state, expires_at, within) = (heard.state, heard.expires_at, heard.retry_within);
            Ok(json!({"state": state, "expires_at": expires_at, "retry_within_ms": within}))
        }
        Topic::Presence(audience) => {
            socket.watch(&actor, audience).await?;
            Ok(json!({}))
        }
        Topic::Live(key) => {
            let opened = socket.open_query(&actor, key, payload::<Window>(frame)?).await?;
            Ok(json!(opened))
        }
    }
}

/// An event on a joined topic.
async fn push(
    frame: &Frame,
    topic: Topic,
    event: &str,
    socket: &Socket,
    services: &Services,
) -> Result<Value, ApiError> {
    let actor = socket.session.actor();
    match (topic, event) {
        (Topic::Me, "meta") => {
            let heard = services.report(socket, payload::<Report>(frame)?.check()?).await?;
            Ok(json!({"state": heard.state, "expires_at": heard.expires_at}))
        }
        (Topic::Me, "status") => {
            let me = services.presence.choose(&actor, payload::<Chosen>(frame)?).await?;
            Ok(json!({"state": me.state, "choice": me.chosen.choice}))
        }
        (Topic::Live(key), "query") => {
            socket.query(&actor, key, payload::<Window>(frame)?).await?;
            Ok(json!({}))
        }
        _ => Err(ApiError::invalid("event", "This topic takes no such event.")),
    }
}

fn payload<T: DeserializeOwned>(frame: &Frame) -> Result<T, ApiError> {
    T::deserialize(&frame.payload).map_err(|e| ApiError::invalid("payload", format!("The payload does not fit: {e}.")))
}

fn refusal(frame: &Frame, reason: &str) -> String {
    wire::reply(frame, false, &json!({"reason": reason}))
}

fn error_reply(frame: &Frame, error: &ApiError) -> String {
    wire::reply(frame, false, &json!({"reason": error.code, "message": error.message}))
}

fn closed(join_ref: Option<&Ref>, topic: &str) -> String {
    wire::push(join_ref, join_ref, topic, "phx_close", &json!({}))
}
