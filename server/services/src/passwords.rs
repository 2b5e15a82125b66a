//! Passwords: judged, hashed and verified. Not here: who may try, and how often (`throttle`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{
    ApiError,
    account::{UserCard, check_password_length},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use zxcvbn::{Score, zxcvbn};

/// OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane; about 40 ms.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// As many may wait as two cores hash in 1.5 s; whoever comes later is told to come back, before they cost anything.
const WAITING_MAX: usize = 64;
/// zxcvbn's work grows with the square of the length; what comes after only makes a password better.
const JUDGED: usize = 72;

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constants within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is verified when there is nothing to verify against: the same parameters, hence the same cost.
fn dummy() -> String {
    let (salt, output) = ("cm9sbGNhbGxyb2xsY2FsbA", "A".repeat(43));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")
}

fn hash(password: &str) -> Result<String, ApiError> {
    argon2().hash_password(password.as_bytes()).map(|h: PasswordHash| h.to_string()).map_err(|e| {
        tracing::error!(error = %e, "hashing failed");
        ApiError::internal()
    })
}

fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|parsed| argon2().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// True when the stored parameters are not today's.
fn is_old(stored: &str) -> bool {
    PasswordHash::new(stored)
        .ok()
        .and_then(|h| Params::try_from(&h).ok())
        .is_none_or(|p| (p.m_cost(), p.t_cost(), p.p_cost()) != (MEMORY_KIB, PASSES, LANES))
}

/// The right to hash: one per core, so that 300 sign-ins at once take 38 MiB and not 6 GiB, and everybody else is
/// still served.
pub(crate) struct Permit(OwnedSemaphorePermit);

/// What a verification found.
pub(crate) struct Verdict {
    pub(crate) right: bool,
    /// The password hashed with today's parameters, when it was right and the stored ones are older.
    pub(crate) renewed: Option<String>,
}

/// Hashes off the async threads, a few at a time; a cheap clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { permits: Arc::new(Semaphore::new(cores)), waiting: Arc::default() }
    }
}

/// Counts one who waits, also when they give up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Passwords {
    /// Waits for the right to hash; 503 when too many wait already.
    pub(crate) async fn permit(&self) -> Result<Permit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Permit(permit));
        }
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        if before >= WAITING_MAX {
            return Err(ApiError::unavailable());
        }
        Arc::clone(&self.permits).acquire_owned().await.map(Permit).map_err(|_| ApiError::unavailable())
    }

    /// Compares with what is stored, or with a dummy at the same cost.
    pub(crate) async fn verify(
        &self,
        permit: Permit,
        password: &str,
        stored: Option<String>,
    ) -> Result<Verdict, ApiError> {
        let password = password.to_owned();
        blocking(permit, move || {
            let there = stored.is_some();
            let stored = stored.unwrap_or_else(dummy);
            let right = verify(&password, &stored) && there;
            let renewed = if right && is_old(&stored) { Some(hash(&password)?) } else { None };
            Ok(Verdict { right, renewed })
        })
        .await
    }

    /// The hash of a password that is good enough for its owner.
    pub(crate) async fn hash_new(&self, password: &str, owner: &UserCard) -> Result<String, ApiError> {
        check_password_length(password, owner.level)?;
        let (password, context) = (password.to_owned(), context(owner));
        let permit = self.permit().await?;
        blocking(permit, move || {
            judge(&password, &context)?;
            hash(&password)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = spawn_blocking(move || {
        // Held to the end of the work, whether or not somebody still waits for it.
        let _permit = permit.0;
        work()
    });
    done.await.map_err(|e| {
        tracing::error!(error = %e, "hashing panicked");
        ApiError::internal()
    })?
}

/// Words an attacker would try first (security row 2).
fn context(owner: &UserCard) -> Vec<String> {
    let joined = owner.username.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut words = vec!["rollcall".to_owned(), owner.username.clone(), joined];
    words.extend(owner.username.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
    words.extend(owner.name.split_whitespace().map(str::to_owned));
    words.extend(owner.email.iter().flat_map(|e| e.split(['@', '.']).chain([e.as_str()])).map(str::to_owned));
    words.extend(owner.organisation.iter().flat_map(|o| o.name.split_whitespace()).map(str::to_owned));
    words.retain(|w| w.chars().count() >= 3);
    words.iter().map(|w| w.to_lowercase()).collect()
}

/// Refuses what is guessed within a million tries or so, and says why.
fn judge(password: &str, context: &[String]) -> Result<(), ApiError> {
    let head: String = password.chars().take(JUDGED).collect();
    let inputs: Vec<&str> = context.iter().map(String::as_str).collect();
    let entropy = zxcvbn(&head, &inputs);
    if entropy.score() >= Score::Two {
        return Ok(());
    }
    let mut message = "This password is too easy to guess.".to_owned();
    if let Some(feedback) = entropy.feedback() {
        let hints = feedback.warning().map(|w| w.to_string()).into_iter();
        for hint in hints.chain(feedback.suggestions().iter().map(ToString::to_string)) {
            message.push(' ');
            message.push_str(&hint);
        }
    }
    Err(ApiError::invalid("password", message))
}

#[cfg(test)]
mod tests {
    use domain::{Level, account::Named};
    use uuid::Uuid;

    use super::*;

    fn ada() -> UserCard {
        UserCard {
            id: Uuid::nil(),
            username: "ada.lovelace".into(),
            name: "Augusta Ada King".into(),
            email: Some("countess@example.org".into()),
            role: "member".into(),
            level: Level::Member,
            organisation: Some(Named { id: Uuid::nil(), name: "Analytical Engines".into() }),
            teams: vec![],
            second_factor: false,
        }
    }

    #[test]
    fn what_everybody_tries_is_refused() {
        let context = context(&ada());
        for bad in [
            "passwordpassword",
            "123456789012",
            "1234567890123",
            "qwertyuiop[]",
            "qwertyuiopas",
            "aaaaaaaaaaaaaaa",
            "iloveyouiloveyou",
            "password1234",
            "Password12345",
            "letmeinletmein",
            "abcdefghijkl",
            "rollcallrollcall",
            "rollcall1234",
            "ada.lovelace",
            "adalovelace12",
            "countess1234",
            "abc123abc123",
            "111111111111",
            "q1w2e3r4t5y6",
            "1qaz2wsx3edc",
            "administrator",
            "superman1234",
            "P@ssw0rd1234",
        ] {
            let refused = judge(bad, &context);
            assert!(refused.is_err_and(|e| e.fields.contains_key("password") && e.message.len() > 20), "{bad}");
        }
        for good in
            ["correct horse battery staple", "twelve chars it is", "naïve crêpe 🦀 sonata", &"long phrase ".repeat(20)]
        {
            assert_eq!(judge(good, &context), Ok(()), "{good}");
        }
    }

    #[test]
    fn parameters_are_written_and_read() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery", &stored) && !verify("Correct horse battery", &stored));
        assert!(!is_old(&stored) && !is_old(&dummy()));
        assert!(is_old(&stored.replace("m=19456", "m=8192")));
        assert!(PasswordHash::new(&dummy()).is_ok() && !verify("", &dummy()));
    }
}
