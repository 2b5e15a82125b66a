//! Opening one socket as a browser would.

use std::net::{IpAddr, Ipv4Addr};

use http::header::{COOKIE, HeaderValue, ORIGIN};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::super::target::Target;

pub(super) type Ws = WebSocketStream<TcpStream>;

/// What one socket reads at a time: replies to people are small, what watchers get is not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    Person = 1024,
    Watcher = 64 * 1024,
    /// A watcher whose system takes in hardly more than it reads.
    Narrow = 4 * 1024,
}

/// Opens a socket; `source` is the address it comes from. What goes wrong is said as the end of "…: ".
pub(super) async fn open(
    target: &Target,
    cookie: &str,
    source: Option<Ipv4Addr>,
    reader: Reader,
) -> Result<Ws, String> {
    let socket = if target.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|e| e.to_string())?;
    if let Some(source) = source {
        // Ports of connections that were closed a moment ago may be used again.
        socket.set_reuseaddr(true).map_err(|e| e.to_string())?;
        socket.bind((IpAddr::V4(source), 0).into()).map_err(|e| e.to_string())?;
    }
    if matches!(reader, Reader::Narrow) {
        socket.set_recv_buffer_size(reader as u32).map_err(|e| e.to_string())?;
    }
    let stream = socket.connect(target.address).await.map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let url = format!("ws://{}/socket/websocket?vsn=2.0.0", target.authority);
    let mut request = url.into_client_request().map_err(|e| e.to_string())?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|e| e.to_string());
    request.headers_mut().insert(COOKIE, value(cookie)?);
    request.headers_mut().insert(ORIGIN, value(&format!("http://{}", target.authority))?);
    let config = WebSocketConfig::default()
        .read_buffer_size(reader as usize)
        .write_buffer_size(0)
        .max_frame_size(None)
        .max_message_size(None);
    let opened = client_async_with_config(request, stream, Some(config)).await;
    opened.map(|(ws, _)| ws).map_err(|e| e.to_string())
}
