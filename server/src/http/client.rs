//! Whose address it is: the peer's, unless the peer is a trusted proxy (ASVS 15.3.4).

use std::net::{IpAddr, SocketAddr};

use app::request::Client;
use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, header::USER_AGENT};
use ipnet::IpNet;

use crate::router::AppState;

/// A user agent says what it is in its first words.
const USER_AGENT_MAX: usize = 256;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let ip = peer.map(|p| address(p, request.headers(), &state.site.trusted_proxies));
    let user_agent = request.headers().get(USER_AGENT).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let user_agent: String =
        user_agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX).collect();
    request.extensions_mut().insert(Client { ip: ip.map(|ip| ip.to_string()).unwrap_or_default(), user_agent });
    next.run(request).await
}

/// Walks `X-Forwarded-For` from the right for as long as the hop is one of ours; the first that is not is the client.
/// An entry that is no address ends the walk: what stands left of it was written by somebody we do not know.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let joined = lines.join(",");
    let mut client = peer.to_canonical();
    for hop in joined.split(',').rev().map(str::trim).filter(|h| !h.is_empty()) {
        if !is_trusted(client) {
            break;
        }
        match parse(hop) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(of("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(of("10.0.0.1", &["203.0.113.5, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["203.0.113.5,198.51.100.1 , 10.2.3.4"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["203.0.113.5", " 198.51.100.1:5000"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1, ,"]), "198.51.100.1");
        assert_eq!(of("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["[2001:db9::7]:443"]), "2001:db9::7");
        assert_eq!(of("10.0.0.1", &["198.51.100.1, rubbish"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }
}
