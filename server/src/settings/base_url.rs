//! The address people use to reach us.

use std::{net::IpAddr, str::FromStr};

use http::Uri;

/// Scheme, host and port as a browser sends them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    pub https: bool,
    /// `https://rollcall.example`: no slash at the end, no port that the scheme implies.
    pub origin: String,
}

impl BaseUrl {
    /// Whether the host is this machine by name or by address.
    pub fn is_loopback(&self) -> bool {
        let host = self.origin.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(h, _)| h);
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "use an address such as https://rollcall.example, without a path".to_owned();
        let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
        let (scheme, authority) = (uri.scheme_str().ok_or_else(wrong)?, uri.authority().ok_or_else(wrong)?);
        let plain = uri.query().is_none() && matches!(uri.path(), "" | "/") && !authority.as_str().contains('@');
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(wrong()),
        };
        if !plain || authority.host().is_empty() || text.contains('#') {
            return Err(wrong());
        }
        let implied = if https { 443 } else { 80 };
        let port = match authority.as_str()[authority.host().len()..].strip_prefix(':') {
            None => String::new(),
            Some(port) => match port.parse::<u16>().map_err(|_| wrong())? {
                port if port == implied => String::new(),
                port => format!(":{port}"),
            },
        };
        Ok(Self { https, origin: format!("{scheme}://{}{port}", authority.host().to_ascii_lowercase()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<String, String> {
        text.parse::<BaseUrl>().map(|url| url.origin)
    }

    #[test]
    fn it_is_written_as_browsers_write_origins() {
        assert_eq!(origin("https://Rollcall.Example/").unwrap(), "https://rollcall.example");
        assert_eq!(origin("https://a.example:443").unwrap(), "https://a.example");
        assert_eq!(origin("http://a.example:8080").unwrap(), "http://a.example:8080");
        assert_eq!(origin("http://[::1]:80").unwrap(), "http://[::1]");
        let bad = ["", "rollcall.example", "ftp://a", "https://a/b", "https://a?b", "https://u@a", "https://", "//a"];
        for text in bad.into_iter().chain(["https://a#b", "https://a b", "https://a:99999"]) {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for text in
            ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:3000", "http://[::1]", "http://a.localhost"]
        {
            assert!(text.parse::<BaseUrl>().unwrap().is_loopback(), "{text}");
        }
        assert!(!"http://localhost.example:3000".parse::<BaseUrl>().unwrap().is_loopback());
    }
}
