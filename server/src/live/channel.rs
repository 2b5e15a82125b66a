//! What a socket has joined, and the answer to each frame (phoenix-v2 wire format).

use std::{collections::HashMap, time::Duration};

use domain::{
    ApiError, ErrorCode,
    error::said_plainly,
    presence::{self, Chosen, Report, live::Window, topic::Scope},
    wire::{self, Frame, Ref},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use services::{
    Services,
    presence::{Key, Socket},
};

use super::realtime;
use crate::access::TOPICS;

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
    Uploads,
    Notices,
    Reports,
    Presence(presence::topic::Topic),
    Live(Key),
    Activity,
    Traffic,
}

impl Topic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "presence:me" => Some(Self::Me),
            "live:activity" => Some(Self::Activity),
            "live:uploads" => Some(Self::Uploads),
            "notices:me" => Some(Self::Notices),
            "reports:me" => Some(Self::Reports),
            "live:traffic" => Some(Self::Traffic),
            _ if text.starts_with("live:online") => Key::of_topic(text).map(Self::Live),
            _ => presence::topic::Topic::parse(text).map(Self::Presence),
        }
    }

    /// Its row in the table of who may join what.
    fn row(self) -> &'static str {
        match self {
            Self::Me => "presence:me",
            Self::Uploads => "live:uploads",
            Self::Notices => "notices:me",
            Self::Reports => "reports:me",
            Self::Live(_) => "live:online",
            Self::Activity => "live:activity",
            Self::Traffic => "live:traffic",
            Self::Presence(topic) => match (topic.scope, topic.realtime) {
                (Scope::Everybody, false) => "presence:all",
                (Scope::Everybody, true) => "realtime:all",
                (Scope::Organisation(_), false) => "presence:org:ID",
                (Scope::Organisation(_), true) => "realtime:org:ID",
                (Scope::Team(_), false) => "presence:team:ID",
                (Scope::Team(_), true) => "realtime:team:ID",
                (Scope::People(_), _) => "people:org:ID",
            },
        }
    }

    /// Whether it is one of the Supabase dialect.
    fn is_realtime(self) -> bool {
        matches!(self, Self::Presence(topic) if topic.realtime)
    }
}

/// A topic that is joined.
struct Joined {
    /// Under which reference.
    join_ref: Option<Ref>,
    /// Whether the connection counts by it: `presence:me`, and where somebody tracks.
    counts: bool,
}

/// The joined topics of one socket.
#[derive(Default)]
pub(super) struct Channels {
    joined: HashMap<Topic, Joined>,
    refused: u32,
}

impl Channels {
    pub(super) async fn answer(&mut self, frame: &Frame, socket: &Socket, services: &Services) -> Answer {
        if frame.topic == "phoenix" && frame.event == "heartbeat" {
            return Answer::One(wire::reply(frame, true, &json!({})));
        }
        let known = |topic: &Topic| TOPICS.iter().any(|(row, _)| *row == topic.row());
        let Some(topic) = Topic::parse(&frame.topic).filter(known) else {
            return Answer::One(refusal(frame, "unmatched topic"));
        };
        match frame.event.as_str() {
            "phx_join" => self.join(frame, topic, socket, services).await,
            "phx_leave" => self.leave(frame, topic, socket, services),
            event => {
                let Some(joined) = self.joined.get(&topic) else {
                    return Answer::One(refusal(frame, "unmatched topic"));
                };
                if frame.join_ref.is_some() && frame.join_ref != joined.join_ref {
                    return Answer::None; // Of a join that has been replaced.
                }
                let response = match event {
                    // Our sessions are renewed by what people do.
                    "access_token" if topic.is_realtime() => return Answer::None,
                    "presence" if topic.is_realtime() => self.track(frame, topic, socket, services).await,
                    _ => push(frame, topic, event, socket, services).await,
                };
                match response {
                    Ok(response) => Answer::One(wire::reply(frame, true, &response)),
                    Err(error) => Answer::One(error_reply(frame, &error)),
                }
            }
        }
    }

    async fn join(&mut self, frame: &Frame, topic: Topic, socket: &Socket, services: &Services) -> Answer {
        match enter(frame, topic, socket, services).await {
            Ok(response) => {
                // Whoever joins again tracks still: only leaving ends that.
                let counts = topic == Topic::Me || self.joined.get(&topic).is_some_and(|j| j.counts);
                let old = self.joined.insert(topic, Joined { join_ref: frame.join_ref.clone(), counts });
                let reply = wire::reply(frame, true, &response);
                match old {
                    Some(old) => Answer::Two(reply, closed(old.join_ref.as_ref(), &frame.topic)),
                    None => Answer::One(reply),
                }
            }
            Err(error) => {
                if matches!(error.code, ErrorCode::Forbidden | ErrorCode::NotFound) {
                    note_refusal(topic, socket, services).await;
                }
                self.refused += 1;
                let reply = error_reply(frame, &error);
                if self.refused == 1 { Answer::One(reply) } else { Answer::Later(reply, REFUSED_PAUSE) }
            }
        }
    }

    fn leave(&mut self, frame: &Frame, topic: Topic, socket: &Socket, services: &Services) -> Answer {
        let reply = wire::reply(frame, true, &json!({}));
        let Some(joined) = self.joined.remove(&topic) else { return Answer::One(reply) };
        match topic {
            Topic::Me => {}
            Topic::Uploads => socket.unwatch_uploads(),
            Topic::Notices => socket.unwatch_notices(),
            Topic::Reports => services.reports.unwatch(socket),
            Topic::Presence(topic) => socket.unwatch(topic),
            Topic::Live(key) => socket.unquery(key),
            Topic::Activity => services.activity.unwatch(socket),
            Topic::Traffic => socket.unwatch_traffic(),
        }
        if joined.counts && !self.counts() {
            socket.leave();
        }
        Answer::Two(reply, closed(joined.join_ref.as_ref(), &frame.topic))
    }

    fn counts(&self) -> bool {
        self.joined.values().any(|j| j.counts)
    }

    /// `track` makes the connection count as a join of `presence:me` does, `untrack` ends that.
    async fn track(
        &mut self,
        frame: &Frame,
        topic: Topic,
        socket: &Socket,
        services: &Services,
    ) -> Result<Value, ApiError> {
        let counted = self.counts();
        let report = match payload::<realtime::Presence>(frame)? {
            realtime::Presence::Track { payload } => Some(realtime::report(&payload).check()?),
            realtime::Presence::Untrack => None,
        };
        if let Some(joined) = self.joined.get_mut(&topic) {
            joined.counts = report.is_some();
        }
        match report {
            Some(report) if counted => drop(services.report(socket, report).await?),
            Some(report) => drop(services.join(socket, report).await?),
            None if counted && !self.counts() => socket.leave(),
            None => {}
        }
        Ok(json!({}))
    }
}

/// Writes down that somebody asked for a topic that is not for them.
async fn note_refusal(topic: Topic, socket: &Socket, services: &Services) {
    let (actor, door) = (socket.session.actor(), format!("JOIN {}", topic.row()));
    if let Err(error) = services.audit.refused(&actor, door, &socket.session.ip).await {
        tracing::error!(%error, "a refusal could not be written down");
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
        _ if services.sessions.lacks_second_factor(&actor) => Err(ApiError::second_factor_missing()),
        Topic::Uploads => {
            socket.watch_uploads(&actor).await?;
            Ok(json!({}))
        }
        Topic::Notices => {
            socket.watch_notices().await?;
            services.notices.ring(actor.user_id());
            Ok(json!({}))
        }
        Topic::Reports => {
            services.reports.watch(&actor, socket).await?;
            Ok(json!({}))
        }
        Topic::Presence(topic) => {
            socket.watch(&actor, topic).await?;
            Ok(if topic.realtime { realtime::joined() } else { json!({}) })
        }
        Topic::Traffic => {
            socket.watch_traffic(&actor).await?;
            Ok(json!({}))
        }
        Topic::Live(key) => {
            let opened = socket.open_query(&actor, key, payload::<Window>(frame)?).await?;
            Ok(json!(opened))
        }
        Topic::Activity => Ok(json!({"last": services.activity.watch(&actor, socket).await?})),
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
        (_, "broadcast") if topic.is_realtime() => {
            Err(ApiError::invalid("event", "Nothing is relayed between clients here; only presence is."))
        }
        _ => Err(ApiError::invalid("event", "This topic takes no such event.")),
    }
}

fn payload<T: DeserializeOwned>(frame: &Frame) -> Result<T, ApiError> {
    T::deserialize(&frame.payload).map_err(|e| {
        ApiError::invalid("payload", format!("The payload does not fit: {}.", said_plainly(&e.to_string())))
    })
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
