//! The listener, the address people use, and the proxies in between.

use std::{io::ErrorKind, net::TcpListener};

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::Finding;
use crate::{cli::fetch::send, settings::ServeSettings};

pub(super) async fn listen(settings: &ServeSettings) -> Finding {
    const NAME: &str = "listener";
    let (address, ours) = (settings.listen, b"\"unauthenticated\"");
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(NAME, format!("{address} is free")),
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            // A path only we know, with the answer only we give: other servers have a /health/live too.
            let said = send(address, Method::GET, "/api/v1/session", HeaderMap::new(), Bytes::new()).await;
            match said {
                Ok(answer) if answer.body.windows(ours.len()).any(|part| part == ours) => {
                    Finding::ok(NAME, format!("{address} is being served"))
                }
                _ => Finding::bad(
                    NAME,
                    format!("{address} is taken by something that is not a healthy server of ours"),
                    "`serve` cannot start there, and who is sent there meets something else",
                    "stop it, or choose another --listen",
                ),
            }
        }
        Err(e) => Finding::bad(
            NAME,
            format!("{address} cannot be listened on: {e}"),
            "`serve` cannot start there",
            "choose another --listen; ports below 1024 need a proxy or a privilege",
        ),
    }
}

pub(super) fn base_url(settings: &ServeSettings) -> Finding {
    const NAME: &str = "address";
    let proxied = "put a proxy with a certificate in front and set ROLLCALL_BASE_URL=https://…";
    let why = "whoever is on the way reads passwords and can take sessions over";
    match &settings.base_url {
        Some(url) if url.https => Finding::ok(NAME, format!("people use {}; cookies are for https only", url.origin)),
        Some(url) if url.is_loopback() => Finding::ok(NAME, format!("{} is this machine", url.origin)),
        Some(url) => Finding::bad(
            NAME,
            format!("passwords and cookies cross the network in the clear to {}", url.origin),
            why,
            proxied,
        ),
        None if settings.listen.ip().is_loopback() => Finding::ok(NAME, "only this machine can reach the server"),
        None if settings.insecure_http => Finding::warn(
            NAME,
            "passwords and cookies cross the network in the clear, as --insecure-http says",
            why,
            proxied,
        ),
        None => {
            Finding::bad(NAME, format!("{} needs https, and `serve` will refuse it", settings.listen), why, proxied)
        }
    }
}

pub(super) fn proxies(settings: &ServeSettings) -> Finding {
    const NAME: &str = "proxies";
    let trusted = &settings.trusted_proxies;
    if let Some(everybody) = trusted.iter().find(|net| net.prefix_len() == 0) {
        return Finding::bad(
            NAME,
            format!("{everybody} believes everybody"),
            "anybody can appear under any address, and get around the limits by address",
            "name only your proxies in ROLLCALL_TRUSTED_PROXIES",
        );
    }
    if trusted.is_empty() && settings.https() {
        return Finding::warn(
            NAME,
            "people use https, so there is a proxy, but none is trusted",
            "everybody appears under its address, and one who guesses passwords locks out all",
            "name it in ROLLCALL_TRUSTED_PROXIES, such as 127.0.0.1",
        );
    }
    let names = trusted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Finding::ok(NAME, if names.is_empty() { "none are trusted, none are needed".to_owned() } else { names })
}

/// Whether mails can go out: connects, and lets the server say so.
pub(super) async fn mail_server(settings: &ServeSettings) -> Finding {
    const NAME: &str = "mail server";
    let Some(smtp) = &settings.smtp else {
        return Finding::info(
            NAME,
            "none is configured",
            "invitations and links for forgotten passwords are handed over by administrators, and nobody is told of new devices",
            "set ROLLCALL_SMTP_URL and ROLLCALL_MAIL_FROM, for this command too",
        );
    };
    match smtp.check().await {
        Ok(()) => Finding::ok(NAME, format!("{} answers", smtp.label())),
        Err(e) => Finding::bad(
            NAME,
            format!("{} does not take mails: {e}", smtp.label()),
            "mails wait in the outbox and are given up after two days",
            "check ROLLCALL_SMTP_URL: address, port, name and password, smtps:// or ?tls=required; and the way there",
        ),
    }
}
