//! The loop of one socket.

use std::{future::poll_fn, num::NonZeroU32, sync::LazyLock, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use bytes::Bytes;
use domain::{presence::ConnectionId, settings::Settings, time::Millis};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use governor::{Quota, RateLimiter, clock::MonotonicClock};
use services::{
    Services,
    presence::{Close, Next, Socket},
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use super::{
    channel::{Answer, Channels},
    realtime,
    version::Version,
};
use crate::router::AppState;

/// A reader that takes nothing for this long is stuck.
const SEND_MAX: Duration = Duration::from_secs(30);
/// How long the peer may take to answer our closing frame, so that the code arrives before the end of the stream.
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// Sockets that keep silent are pinged in steps of this: one wake-up, of ours and of the system's, serves all whose turn it is.
const PING_STEP_MS: u64 = 10;
/// Frames a client may send at once, and each second after that. Ours sends one in seconds; a person with twenty
/// tabs behind one socket stays far below.
const BURST: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
const PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// How the loop ends.
enum End {
    /// The peer said goodbye.
    Goodbye,
    /// The stream broke off.
    Lost,
    /// We close.
    Close(Close),
}

/// Serves one socket until it ends.
#[expect(clippy::manual_async_fn, reason = "an async fn keeps what it is given twice, for each of 10,000 sockets")]
pub(super) fn run<W>(mut ws: W, version: Version, mut socket: Socket, state: AppState) -> impl Future<Output = ()>
where
    W: Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Unpin,
{
    async move {
        let end = serve(&mut ws, version, &socket, &state.services).await;
        if matches!(end, End::Goodbye) {
            socket.said_goodbye();
        }
        Box::pin(close(&mut ws, end)).await;
    }
}

/// Closes the stream as it ended.
async fn close<W>(ws: &mut W, end: End)
where
    W: Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Unpin,
{
    let rest = async {
        match end {
            // Lets the answer to the peer's closing frame go out.
            End::Goodbye => drop(ws.close().await),
            End::Lost => {}
            End::Close(close) => {
                let frame = CloseFrame { code: close.code, reason: close.reason.into() };
                if ws.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = ws.next().await {}
                }
            }
        }
    };
    // Whoever takes nothing more is left alone.
    let _ = timeout(CLOSE_MAX, rest).await;
}

async fn serve<W>(ws: &mut W, version: Version, socket: &Socket, services: &Services) -> End
where
    W: Stream<Item = Result<Message, axum::Error>> + Sink<Message, Error = axum::Error> + Unpin,
{
    let mut quiet = Quiet { since: Instant::now(), patience: Patience::First };
    let mut silence = Box::pin(sleep_until(quiet.due(socket.id, &services.settings.now())));
    // Its default clock asks the processor who it is for each limiter, which a virtual machine answers slowly.
    let limiter = RateLimiter::direct_with_clock(Quota::per_second(PER_SECOND).allow_burst(BURST), MonotonicClock);
    let mut channels = Channels::default();
    loop {
        let message = tokio::select! {
            next = socket.outbox.next() => match next {
                Next::Send(frame) => shared(version, frame),
                Next::CaughtUp => {
                    socket.caught_up();
                    continue;
                }
                Next::Close(close) => return End::Close(close),
            },
            () = &mut silence => {
                // Another rhythm holds from here on: until then nobody is lost by it (`Roster::set_limits`).
                let settings = services.settings.now();
                let due = quiet.due(socket.id, &settings);
                if Instant::now() < due {
                    silence.as_mut().reset(due);
                    continue;
                }
                quiet = Quiet { since: Instant::now(), patience: Patience::Asked };
                silence.as_mut().reset(quiet.due(socket.id, &settings));
                Message::Ping(Bytes::new())
            }
            received = ws.next() => {
                let message = match received {
                    None => return End::Lost,
                    Some(Err(e)) => return fault(e),
                    Some(Ok(Message::Close(_))) => return End::Goodbye,
                    Some(Ok(_)) if limiter.check().is_err() => return End::Close(Close::TOO_MANY),
                    Some(Ok(message)) => message,
                };
                // Whatever it says, whoever speaks is there.
                services.alive(socket);
                quiet.since = Instant::now();
                let read = match message {
                    // The protocol's other binary frames carry files, which nobody sends here.
                    Message::Binary(bytes) => realtime::broadcast(&bytes),
                    Message::Text(text) => version.read(&text),
                    _ => continue,
                };
                quiet.spoke();
                let Some(frame) = read else { return End::Close(Close::MALFORMED) };
                // Boxed: an idle socket does not hold the room that an answer needs.
                match Box::pin(channels.answer(&frame, socket, services)).await {
                    Answer::None => continue,
                    Answer::One(reply) => reply_of(version, reply),
                    Answer::Two(first, second) => {
                        if let Some(end) = send(ws, socket, reply_of(version, first)).await {
                            return end;
                        }
                        reply_of(version, second)
                    }
                    Answer::Later(reply, pause) => {
                        // Boxed, as above.
                        match Box::pin(timeout(pause, socket.outbox.closing())).await {
                            Ok(close) => return End::Close(close),
                            Err(_) => reply_of(version, reply),
                        }
                    }
                }
            }
        };
        if let Some(end) = send(ws, socket, message).await {
            return end;
        }
    }
}

/// A socket's silence, and how long it may last before we ask whether anybody is there.
struct Quiet {
    since: Instant,
    patience: Patience,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Never asked yet. Those who came together, as after a restart, are not asked together.
    First,
    /// Speaks by itself.
    Spoke,
    /// Answered only when asked.
    Asked,
}

impl Quiet {
    /// Somebody said something unasked.
    fn spoke(&mut self) {
        if self.patience == Patience::Asked {
            self.patience = Patience::Spoke;
        }
    }

    /// When it is time to ask.
    fn due(&self, id: ConnectionId, settings: &Settings) -> Instant {
        end_of_step(self.since, self.patience.lasts(id, settings.heartbeat, settings.presence.lost_after))
    }
}

impl Patience {
    /// Who keeps silent is asked after a heartbeat. Whoever speaks by itself has two fifths more: Phoenix clients beat
    /// each 30 s, and asked after 25 they would say everything twice. Half of what is left until a socket is lost is for
    /// the answer.
    fn lasts(self, id: ConnectionId, heartbeat: Millis, lost_after: Millis) -> Millis {
        let more = (heartbeat * 2 / 5).min((lost_after - heartbeat) / 2).max(0);
        heartbeat
            + match self {
                Self::First => share(id, more),
                Self::Spoke => more,
                Self::Asked => 0,
            }
    }
}

/// A share of `whole` for socket number `id`, such that those of sockets that follow each other lie evenly between nothing
/// and all of it (Knuth, The Art of Computer Programming 3, 6.4: Fibonacci hashing).
fn share(id: ConnectionId, whole: Millis) -> Millis {
    let spread = (id as u32).wrapping_mul(2_654_435_769);
    ((u128::from(whole.unsigned_abs()) * u128::from(spread)) >> u32::BITS) as Millis
}

/// The end of a step, `wait` after `start`.
fn end_of_step(start: Instant, wait: Millis) -> Instant {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let due = start.saturating_duration_since(*BEGAN).as_millis() as u64 + wait.unsigned_abs();
    *BEGAN + Duration::from_millis(due.next_multiple_of(PING_STEP_MS))
}

/// Sends one message; gives up when the peer takes nothing, and at once when the socket is to be closed.
async fn send<W>(ws: &mut W, socket: &Socket, message: Message) -> Option<End>
where
    W: Sink<Message, Error = axum::Error> + Unpin,
{
    // Boxed where it waits: hardly any socket ever waits for its peer, and the others need not hold the room for it.
    match poll_fn(|cx| ws.poll_ready_unpin(cx)).now_or_never() {
        None => return Box::pin(finish(ws, socket, Some(message))).await,
        Some(ready) if ready.is_err() || ws.start_send_unpin(message).is_err() => return Some(End::Lost),
        Some(_) => {}
    }
    match ws.flush().now_or_never() {
        None => Box::pin(finish(ws, socket, None)).await,
        Some(sent) => sent.err().map(|_| End::Lost),
    }
}

/// Sends `message`, if there still is one, and waits until everything is on its way.
async fn finish<W>(ws: &mut W, socket: &Socket, message: Option<Message>) -> Option<End>
where
    W: Sink<Message, Error = axum::Error> + Unpin,
{
    let rest = async {
        match message {
            Some(message) => ws.send(message).await,
            None => ws.flush().await,
        }
    };
    // The last frame before a close is sent like any other: only a peer that takes nothing is cut off in the middle.
    tokio::select! {
        biased;
        sent = timeout(SEND_MAX, rest) => match sent {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(End::Lost),
            Err(_) => Some(End::Close(Close::TOO_SLOW)),
        },
        close = socket.outbox.closing() => Some(End::Close(close)),
    }
}

/// A frame that others get as well.
fn shared(version: Version, frame: Bytes) -> Message {
    // Frames are made from strings, so this only looks the bytes over.
    Utf8Bytes::try_from(frame).map_or_else(|_| Message::Ping(Bytes::new()), |f| Message::Text(version.write(f)))
}

fn reply_of(version: Version, reply: String) -> Message {
    Message::Text(version.write(reply.into()))
}

/// What a broken stream is answered with.
fn fault(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => End::Close(Close::TOO_BIG),
        Some(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            End::Lost
        }
        Some(tungstenite::Error::Utf8(_) | tungstenite::Error::Protocol(_)) => End::Close(Close::MALFORMED),
        _ => End::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_by_itself_is_asked_later() {
        let lasts = |patience: Patience, heartbeat, lost_after| patience.lasts(7, heartbeat, lost_after);
        for (heartbeat, lost_after, spoke) in [
            (25_000, 45_000, 35_000),
            (1_000, 3_000, 1_400),
            (40_000, 45_000, 42_500),
            // Settings that were refused, had they been in force before.
            (45_000, 25_000, 45_000),
        ] {
            assert_eq!(lasts(Patience::Asked, heartbeat, lost_after), heartbeat);
            assert_eq!(lasts(Patience::Spoke, heartbeat, lost_after), spoke);
            assert!((heartbeat..=spoke).contains(&lasts(Patience::First, heartbeat, lost_after)));
        }
        let mut quiet = Quiet { since: Instant::now(), patience: Patience::Asked };
        quiet.spoke();
        assert!(quiet.patience == Patience::Spoke);
    }

    /// Of a thousand that come together, no tenth of the time has more than a little over its tenth.
    #[test]
    fn shares_lie_evenly() {
        for first in [0, 1_000_000, u64::from(u32::MAX) - 500] {
            let mut tenths = [0; 10];
            for id in first..first + 1_000 {
                let share = share(id, 25_000);
                assert!((0..25_000).contains(&share));
                tenths[(share / 2_500) as usize] += 1;
            }
            assert!(tenths.iter().all(|n| (95..=105).contains(n)), "{tenths:?}");
        }
    }
}
