//! What waits to be sent to one socket: bounded, never silently lossy.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

/// A watcher may be this far behind: 64 diffs at the coalescing limit of 50 ms are over 3 s of a busy room.
const FRAMES: usize = 64;
/// And this many bytes, which bounds what 1,000 stuck watchers can hold to 256 MB. One frame alone may be larger.
const BYTES: usize = 256 * 1024;

/// Why a socket is closed: code and reason of the closing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: &'static str,
}

impl Close {
    pub const SESSION_ENDED: Self = Self { code: 4001, reason: "session ended" };
    pub const FORBIDDEN: Self = Self { code: 4003, reason: "not allowed any more" };
    pub const TOO_MANY: Self = Self { code: 4008, reason: "too many messages" };
    pub const TOO_SLOW: Self = Self { code: 4009, reason: "too slow" };
    pub const MALFORMED: Self = Self { code: 1007, reason: "malformed" };
    pub const TOO_BIG: Self = Self { code: 1009, reason: "message too big" };
    pub const RESTARTING: Self = Self { code: 1012, reason: "restarting" };
    /// No sign of life: the other side is not there to read a code.
    pub const LOST: Self = Self { code: 1011, reason: "no sign of life" };
}

/// What a socket does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Send(Bytes),
    /// The queue overflowed and was dropped; everything sent, so ask for fresh snapshots.
    CaughtUp,
    Close(Close),
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Bytes>,
    bytes: usize,
    lagging: bool,
    close: Option<Close>,
}

/// Shared by the hub, which fills it, and the socket's task, which empties it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// A std mutex: nothing waits while it is held.
    inner: Mutex<Inner>,
    wake: Notify,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the queue whole, so a poisoned lock holds no broken state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame. False when the queue was full: it is dropped and the watcher is lagging until it has caught up.
    pub fn push(&self, frame: Bytes) -> bool {
        let mut q = self.lock();
        if q.close.is_some() || q.lagging {
            return !q.lagging;
        }
        let full = q.queue.len() >= FRAMES || q.bytes + frame.len() > BYTES;
        if full && !q.queue.is_empty() {
            q.queue.clear();
            q.bytes = 0;
            q.lagging = true;
        } else {
            q.bytes += frame.len();
            q.queue.push_back(frame);
        }
        let fits = !q.lagging;
        drop(q);
        self.wake.notify_one();
        fits
    }

    /// Closes the socket; what still waits is not sent, so nothing is delivered after an end.
    pub fn close(&self, close: Close) {
        let mut q = self.lock();
        q.close.get_or_insert(close);
        (q.queue, q.bytes) = (VecDeque::new(), 0);
        drop(q);
        self.wake.notify_one();
    }

    /// Like `close`, with one last frame before it.
    pub fn close_after(&self, frame: Bytes, close: Close) {
        let mut q = self.lock();
        if q.close.is_none() {
            q.bytes = frame.len();
            q.queue = VecDeque::from([frame]);
            q.close = Some(close);
        }
        drop(q);
        self.wake.notify_one();
    }

    pub fn is_lagging(&self) -> bool {
        self.lock().lagging
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.lock().bytes
    }

    pub fn is_closing(&self) -> bool {
        self.lock().close.is_some()
    }

    /// Resolves once the socket is to be closed at once, also in the middle of a send.
    pub async fn closing(&self) -> Close {
        loop {
            if let Some(close) = self.lock().close {
                return close;
            }
            self.wake.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut q = self.lock();
        if let Some(frame) = q.queue.pop_front() {
            q.bytes = q.bytes.saturating_sub(frame.len());
            if q.queue.is_empty() {
                // Ten thousand sockets that were busy once shall not keep their queues.
                q.queue = VecDeque::new();
            }
            return Some(Next::Send(frame));
        }
        if let Some(close) = q.close {
            return Some(Next::Close(close));
        }
        std::mem::take(&mut q.lagging).then_some(Next::CaughtUp)
    }

    /// What to do next; waits until there is something.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn overflow_drops_the_queue_and_says_so() {
        let o = Outbox::default();
        for n in 0..FRAMES {
            assert_eq!(o.queued(), n);
            assert!(o.push(Bytes::from_static(b"x")));
        }
        assert!(!o.push(Bytes::from_static(b"x")));
        assert_eq!(o.queued(), 0);
        assert!(!o.push(Bytes::from_static(b"x")), "lagging until it has caught up");
        assert_eq!(o.next().await, Next::CaughtUp);
        assert!(o.push(Bytes::from(vec![0; 2 * BYTES])), "one frame alone may be larger");
        assert!(!o.push(Bytes::from_static(b"x")));
    }

    #[tokio::test]
    async fn nothing_is_delivered_after_an_end() {
        let o = Outbox::default();
        o.push(Bytes::from_static(b"x"));
        o.close(Close::SESSION_ENDED);
        o.push(Bytes::from_static(b"y"));
        assert_eq!(o.queued(), 0);
        assert_eq!(o.next().await, Next::Close(Close::SESSION_ENDED));
        o.close(Close::RESTARTING);
        assert_eq!(o.next().await, Next::Close(Close::SESSION_ENDED));
    }
}
