//! Where a load goes.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};

/// A server on plain HTTP: a load tool measures the server, not a proxy's encryption.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// `host:port`, as it goes into `Host` and `Origin`.
    pub(super) authority: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let authority = authority.ok_or("write it as http://HOST:PORT")?;
        let mut addresses = authority.to_socket_addrs().map_err(|e| format!("write it as http://HOST:PORT ({e})"))?;
        let address = addresses.next().ok_or("this host has no address")?;
        Ok(Self { address, authority: authority.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_with_a_port() {
        let target: Target = "http://127.0.0.1:3000/".parse().unwrap();
        assert_eq!((target.address.port(), target.authority.as_str()), (3000, "127.0.0.1:3000"));
        for bad in ["https://127.0.0.1:3000", "127.0.0.1:3000", "http://127.0.0.1", "http://127.0.0.1:3000/x"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
