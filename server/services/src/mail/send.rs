//! The one task that sends, and when it tries again.

use std::time::Duration;

use domain::{
    ApiError, Time,
    time::{DAY, HOUR, MINUTE, Millis},
};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use tokio_util::sync::CancellationToken;

use super::{Inner, Mail, letter};
use crate::store::{
    card,
    mail::{self as rows, Due},
    notices,
};

/// How long after each failed try the next one is; after the last a mail is given up and shown.
const WAITS: [Millis; 7] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY];
/// A mail that was taken on by a process that then died is tried again after this.
const TAKEN: Millis = 10 * MINUTE;
/// A mail server that does not answer a command for longer is dead.
const PATIENCE: Duration = Duration::from_secs(20);
/// Mails read at once.
const BATCH: i64 = 50;
/// How often the outbox is looked into without being told: for what commands put there, and for later tries.
const EVERY: Duration = Duration::from_secs(5);
/// An error is a sentence, whatever a server says.
const ERROR_MAX: usize = 300;

/// Why a mail that was not sent in time never is.
const TOO_LATE: &str = "It was too late: what it says is no longer true.";

/// Why a mail of uploads never is.
const NOTHING_LEFT: &str = "Nothing was left in it that its reader asks for and may see.";
/// Uploads that a mail names.
const NAMED: u32 = 50;

/// The server to send by, and as whom.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    host: String,
}

impl Smtp {
    /// `smtp://`, `smtp://…?tls=required` or `smtps://`, with name and password where the server wants them; `from` as
    /// `Rollcall <rollcall@example.org>`. What is wrong is said without repeating the URL, which may hold a password.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        let from: Mailbox = from.parse().map_err(|_| "the sender must be like Rollcall <rollcall@example.org>")?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "the mail server must be like smtps://NAME:PASSWORD@HOST or smtp://HOST:25")?;
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host).split(['/', '?']).next().unwrap_or_default();
        Ok(Self { transport: builder.timeout(Some(PATIENCE)).build(), from, host: host.to_owned() })
    }

    /// The server's address and the sender; no password.
    pub fn label(&self) -> String {
        format!("{} as {}", self.host, self.from)
    }

    /// Whether the server answers, and lets us in; what is wrong is a sentence for an operator.
    pub async fn check(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE / 2, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it does not answer as a mail server does".to_owned()),
            Ok(Err(e)) => Err(e.to_string().chars().filter(|c| !c.is_control()).take(ERROR_MAX).collect()),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs() / 2)),
        }
    }

    /// One try; what is wrong is a sentence for an administrator.
    async fn send(&self, mail: &Due, body: String) -> Result<(), String> {
        let to: Address = mail.recipient.parse().map_err(|_| format!("{} is no address", mail.recipient))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            // The same at every try, so that one that arrived without our knowing is not shown twice.
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|e| e.to_string())?;
        self.transport.send(message).await.map(|_| ()).map_err(|e| e.to_string())
    }
}

/// When to try again after `tries` failed ones; nothing when it is time to give up.
fn next_try(tries: i64, now: Time) -> Option<Time> {
    let wait = usize::try_from(tries - 1).ok().and_then(|i| WAITS.get(i));
    wait.map(|wait| now.plus(*wait))
}

impl Mail {
    /// Sends what is due until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(e) = self.deliver().await {
                tracing::warn!(error = %e, "the outbox could not be read or written");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.waiting.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Tries everything that is due, once; how many went out.
    pub async fn deliver(&self) -> Result<u32, ApiError> {
        let Inner { store, clock, smtp, .. } = &*self.inner;
        store.within(rows::give_up_late(store, TOO_LATE, clock.now())).await?;
        let Some(smtp) = smtp else { return Ok(0) };
        let mut sent = 0;
        loop {
            let due = store.within(rows::due(store.read(), clock.now(), BATCH)).await?;
            if due.is_empty() {
                return Ok(sent);
            }
            for mail in due {
                sent += u32::from(self.try_one(smtp, &mail).await?);
            }
        }
    }

    async fn try_one(&self, smtp: &Smtp, mail: &Due) -> Result<bool, ApiError> {
        let Inner { store, clock, vault, .. } = &*self.inner;
        let now = clock.now();
        let write = store.write();
        if !store.within(rows::take(write, mail, now.plus(TAKEN))).await? {
            return Ok(false);
        }
        let late = mail.good_until.is_some_and(|until| Time(until) <= now);
        let sealed = mail.body_key.as_ref().zip(mail.body.as_ref());
        let body = sealed.and_then(|(key, body)| vault.open_sealed(key, &rows::about(mail.id), body).ok());
        let Some(mut body) = body.filter(|_| !late) else {
            let why = if late { TOO_LATE } else { "It cannot be opened with this key." };
            store.within(rows::failed(write, mail.id, why, None, late)).await?;
            return Ok(false);
        };
        if mail.kind == letter::UPLOADS {
            let Some(text) = self.of_uploads(mail).await? else {
                store.within(rows::failed(write, mail.id, NOTHING_LEFT, None, true)).await?;
                return Ok(false);
            };
            body = text;
        }
        let result = smtp.send(mail, body).await;
        let now = clock.now();
        match result {
            Ok(()) => {
                store.within(rows::sent(write, mail.id, now)).await?;
                Ok(true)
            }
            Err(why) => {
                let why: String = why.chars().filter(|c| !c.is_control()).take(ERROR_MAX).collect();
                tracing::warn!(mail = %mail.id, error = %why, "a mail could not be sent");
                store.within(rows::failed(write, mail.id, &why, next_try(mail.tries + 1, now), false)).await?;
                Ok(false)
            }
        }
    }

    /// What a mail of uploads says now; nothing when nothing is left to say.
    async fn of_uploads(&self, mail: &Due) -> Result<Option<String>, ApiError> {
        let store = &self.inner.store;
        let reader = mail.user_id.as_slice();
        let cards = store.within(card::by_ids(store.read(), reader)).await?;
        let Some(to) = cards.first() else { return Ok(None) };
        let (first, all) = store.within(notices::of_mail(store.read(), mail.id, to, NAMED)).await?;
        Ok((!first.is_empty()).then(|| letter::of_uploads(to, &first, all, &self.link("/notifications"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_further_and_further_apart_and_end() {
        let waits: Vec<_> = (1..=8).map(|n| next_try(n, Time(0)).map(|t| t.0)).collect();
        assert_eq!((waits[0], waits[6], waits[7]), (Some(MINUTE), Some(DAY), None));
        assert!(waits[..7].is_sorted());
        assert_eq!(next_try(0, Time(0)), None);
    }

    #[test]
    fn the_url_is_never_repeated() {
        let secret = "smtp://ada:hunter2@mail.example.org:2525";
        assert_eq!(
            Smtp::new(secret, "R <r@example.org>").unwrap().label(),
            "mail.example.org:2525 as R <r@example.org>"
        );
        for (url, from) in
            [("http://ada:hunter2@x", "r@example.org"), ("nonsense hunter2", "r@example.org"), (secret, "nobody")]
        {
            let wrong = Smtp::new(url, from).err().unwrap();
            assert!(!wrong.contains("hunter2") && wrong.starts_with("the "), "{wrong}");
        }
    }
}
