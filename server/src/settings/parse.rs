//! What the value of a setting may be.

use std::{fmt, net::IpAddr, str::FromStr};

pub use domain::settings::duration;
use domain::time::Millis;
use ipnet::IpNet;

/// A network such as `10.0.0.0/8`, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let one = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(one).ok_or_else(|| "use addresses or networks such as 10.0.0.0/8,fd00::/8".to_owned())
}

/// Something that can be turned off with the word `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrOff<T>(pub Option<T>);

impl<T: FromStr> FromStr for OrOff<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// A duration, or `off`.
pub(super) fn duration_or_off(text: &str) -> Result<OrOff<Millis>, String> {
    if text == "off" { Ok(OrOff(None)) } else { duration(text).map(|ms| OrOff(Some(ms))) }
}

/// An address with a port, such as `127.0.0.1:3000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub std::net::SocketAddr);

/// What is wrong with an address.
#[derive(Debug)]
pub struct NotAnAddress;

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use an address with a port, such as 127.0.0.1:3000 or [::1]:3000")
    }
}

impl std::error::Error for NotAnAddress {}

impl FromStr for Listen {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        // A name here would be looked up before the network is up; this one never needs a look-up.
        let text = text.trim().replacen("localhost:", "127.0.0.1:", 1);
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses() {
        assert_eq!(network("127.0.0.1").unwrap().to_string(), "127.0.0.1/32");
        assert_eq!(network("fd00::/8").unwrap().to_string(), "fd00::/8");
        assert!(network("proxy").is_err() && network("10.0.0.0/33").is_err());
    }

    #[test]
    fn addresses_may_be_off() {
        assert_eq!("off".parse::<OrOff<Listen>>().unwrap(), OrOff(None));
        assert_eq!("localhost:0".parse::<Listen>().unwrap().0.to_string(), "127.0.0.1:0");
        assert!("3000".parse::<Listen>().is_err() && "host:1".parse::<Listen>().is_err());
    }
}
