//! What an authenticator app shows (RFC 6238), written apart from ours.

use data_encoding::BASE32_NOPAD;
use domain::Time;
use hmac::{Hmac, KeyInit, Mac};

/// The code for a key as people type it.
pub(crate) fn code(key: &str, at: Time) -> String {
    let key = BASE32_NOPAD.decode(key.replace(' ', "").as_bytes()).unwrap();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&u64::try_from(at.0 / 30_000).unwrap().to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
