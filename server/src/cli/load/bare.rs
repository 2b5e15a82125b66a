//! A server that does nothing: it takes everybody, answers each frame with "ok" and pings, on the libraries that the real
//! one uses. It knows nobody and tells nobody anything; what it costs is what no server of this kind can save here.

use std::time::Duration;

use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    routing::any,
    serve::ListenerExt,
};
use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::interval};

use crate::cli::{failure::Failure, out};

/// The default of the real one.
const PING: Duration = Duration::from_secs(25);

/// Serve sockets that only answer, as a yardstick for what the machine can do
#[derive(Debug, Args)]
pub(super) struct BareArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

pub(super) async fn run(args: BareArgs) -> Result<(), Failure> {
    let listener = TcpListener::bind(&args.listen).await?;
    out::text(format!("listening on http://{}", listener.local_addr()?))?;
    let router = Router::new().fallback(any(async |ws: WebSocketUpgrade| ws.on_upgrade(answer)));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

async fn answer(mut ws: WebSocket) {
    let mut ping = interval(PING);
    ping.tick().await;
    loop {
        let message = tokio::select! {
            _ = ping.tick() => Message::Ping(Bytes::new()),
            received = ws.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    let Ok(frame) = serde_json::from_str::<Value>(&text) else { return };
                    let ok = json!({ "status": "ok", "response": {} });
                    Message::Text(json!([frame[0], frame[1], frame[2], "phx_reply", ok]).to_string().into())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            }
        };
        if ws.send(message).await.is_err() {
            return;
        }
    }
}
