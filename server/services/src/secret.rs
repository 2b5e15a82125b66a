//! Secrets: tokens from the operating system's generator, and the hash that is all we keep of them.

use std::fmt::{self, Write};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Characters of a token: 32 bytes in base64url.
const TOKEN_LENGTH: usize = 43;

/// A secret that opens something. Only `expose` gives its text; logs and errors show nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text, to be handed to the one it is for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// For what a client brought back.
impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Random bytes for anything.
#[expect(clippy::disallowed_methods, reason = "everybody else asks here")]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness there are no secrets, and nothing may go on.
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A new token of 256 bits, 43 characters of base64url, and its SHA-256.
pub fn token() -> (Token, [u8; 32]) {
    let text = URL_SAFE_NO_PAD.encode(random::<32>());
    let hash = hash(&text);
    (Token(text), hash)
}

/// SHA-256 of a token's text: enough for 256 random bits, and quick enough for every request.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// In hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// Whether this could be a token at all; anything else needs no look into the database.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security row 14: 10,000 tokens, all different, every bit set in half of them.
    #[test]
    fn ten_thousand_tokens() {
        let mut seen = std::collections::HashSet::new();
        let mut ones = [0_u32; 256];
        for _ in 0..10_000 {
            let (token, hashed) = token();
            assert!(is_token(token.expose()) && hashed == hash(token.expose()));
            let bytes = URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
            for (i, n) in ones.iter_mut().enumerate() {
                *n += u32::from(bytes[i / 8] >> (i % 8) & 1);
            }
            assert!(seen.insert(token.expose().to_owned()));
        }
        assert!(ones.iter().all(|n| (4_700..5_300).contains(n)), "{ones:?}");
    }

    #[test]
    fn tokens_do_not_show() {
        assert_eq!(format!("{:?}", token().0), "Token(…)");
    }
}
