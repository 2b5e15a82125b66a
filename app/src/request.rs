//! What the server's middleware puts into a request's extensions and context for the pages and server functions.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::time::{DAY, Millis, SECOND};

/// Where a request comes from, after trusted proxies.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub ip: String,
    pub user_agent: String,
}

/// The raw token of the session cookie, for acts that replace or end it.
#[derive(Clone, Default)]
pub struct SessionToken(pub Option<String>);

/// Whether the one-time link in the page's address still opens anything: asked before `/setup` and `/reset` are rendered.
#[derive(Clone, Copy, Debug)]
pub struct LinkIsGood(pub bool);

/// How many notices the person of the request has not read, asked before a page is rendered; nothing for those who cannot
/// have any.
#[derive(Clone, Copy, Debug)]
pub struct Unread(pub Option<u64>);

/// The request's id, as in the logs and the answer's header.
#[derive(Clone, Debug, Default)]
pub struct RequestId(pub String);

/// Whether a server function said that something is not for the role of whoever asked; the request's own copy is set.
#[derive(Clone, Debug, Default)]
pub struct Refused(Arc<AtomicBool>);

impl Refused {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The live session the cookie stands for.
#[derive(Clone, Default)]
pub struct Current(pub Option<Arc<services::LiveSession>>);

/// Writes links that are sent to people: from our own name, never from what a request calls us.
#[derive(Clone, Debug)]
pub struct Links {
    origin: String,
}

impl Links {
    /// The first of our origins is the one we call ourselves.
    pub fn new(origins: &[String]) -> Self {
        Self { origin: origins.first().cloned().unwrap_or_default() }
    }

    /// Where somebody chooses a password.
    pub fn reset(&self, token: &services::Token) -> String {
        format!("{}/reset?token={}", self.origin, token.expose())
    }
}

/// Browsers keep no cookie longer (6265bis).
const COOKIE_MAX: Millis = 400 * DAY;

/// Writes the `Set-Cookie` values: the one place that knows the cookie's name and attributes.
#[derive(Clone, Debug)]
pub struct CookieMaker {
    secure: bool,
}

impl CookieMaker {
    /// `secure`: whether people reach us by https.
    pub fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// The session cookie's name; on https the prefix makes browsers refuse it from anywhere but this host.
    pub fn name(&self) -> &'static str {
        if self.secure { "__Host-rollcall" } else { "rollcall" }
    }

    /// Hands out a token; for the time the browser is open, or as long as a remembered session may idle.
    pub fn set(&self, token: &str, remember: Option<Millis>) -> String {
        let age = remember.map(|ms| format!("; Max-Age={}", ms.min(COOKIE_MAX) / SECOND)).unwrap_or_default();
        format!("{}={token}{}; HttpOnly{age}", self.name(), self.attributes())
    }

    /// Takes the session cookie back, with the attributes it was set with.
    pub fn clear(&self) -> String {
        format!("{}={}; HttpOnly; Max-Age=0", self.name(), self.attributes())
    }

    /// The name of the cookie that goes from the password to the code.
    pub fn step_name(&self) -> &'static str {
        if self.secure { "__Host-rollcall-step" } else { "rollcall-step" }
    }

    /// Hands out the token of the second step.
    pub fn set_step(&self, token: &str) -> String {
        format!("{}={token}{}; HttpOnly; Max-Age=300", self.step_name(), self.attributes())
    }

    pub fn clear_step(&self) -> String {
        format!("{}={}; HttpOnly; Max-Age=0", self.step_name(), self.attributes())
    }

    /// Remembers the theme in this browser; no secret, so scripts may read it.
    pub fn theme(&self, theme: &str) -> String {
        format!("theme={theme}{}; Max-Age={}", self.attributes(), 365 * DAY / SECOND)
    }

    fn attributes(&self) -> &'static str {
        if self.secure { "; Path=/; Secure; SameSite=Lax" } else { "; Path=/; SameSite=Lax" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_carry_their_attributes() {
        let https = CookieMaker::new(true);
        assert_eq!(https.set("t", None), "__Host-rollcall=t; Path=/; Secure; SameSite=Lax; HttpOnly");
        assert_eq!(
            https.set("t", Some(14 * DAY)),
            "__Host-rollcall=t; Path=/; Secure; SameSite=Lax; HttpOnly; Max-Age=1209600"
        );
        assert_eq!(https.clear(), "__Host-rollcall=; Path=/; Secure; SameSite=Lax; HttpOnly; Max-Age=0");
        let http = CookieMaker::new(false);
        assert_eq!(http.set("t", None), "rollcall=t; Path=/; SameSite=Lax; HttpOnly");
    }

    #[test]
    fn no_cookie_outlives_400_days() {
        assert!(CookieMaker::new(false).set("t", Some(1_000 * DAY)).ends_with("Max-Age=34560000"));
    }
}
