//! Row 46: bytes that are no proper WebSocket frames.

use serde_json::json;

use crate::harness::{App, Raw, raw::frame};

const TEXT: u8 = 0x81;

/// Each ends its own socket with a code of its own; the process and the other sockets go on.
#[tokio::test]
async fn broken_frames_end_their_own_socket() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut other = mia.socket().await;
    let cookie = mia.cookie().unwrap();
    let heartbeat = json!([null, "1", "phoenix", "heartbeat", {}]).to_string().into_bytes();
    let unmasked = [&[TEXT, heartbeat.len() as u8], &*heartbeat].concat();
    let announced = |n: u64| [&[TEXT, 0xff], &n.to_be_bytes()[..], &[0; 4], b"x"].concat();
    let cases: [(&str, Vec<u8>, &[u16]); 14] = [
        ("bad UTF-8", frame(TEXT, b"\xff\xfe\xfd"), &[1007]),
        ("UTF-8 that ends too early", frame(TEXT, b"[\xf0\x9f"), &[1007]),
        ("unmasked", unmasked, &[1007, 1002]),
        ("a reserved bit", frame(0xc1, &heartbeat), &[1007, 1002]),
        ("all reserved bits", frame(0xf1, &heartbeat), &[1007, 1002]),
        ("a reserved opcode", frame(0x83, b"x"), &[1007, 1002]),
        ("a reserved control opcode", frame(0x8b, b"x"), &[1007, 1002]),
        ("a fragmented ping", frame(0x09, b"x"), &[1007, 1002]),
        ("a long ping", frame(0x89, &[0; 126]), &[1007, 1002]),
        ("a continuation of nothing", frame(0x80, b"x"), &[1007, 1002]),
        ("a text within a fragmented text", [frame(0x01, b"["), frame(TEXT, b"]")].concat(), &[1007, 1002]),
        ("a gigabyte announced", announced(1 << 30), &[1009]),
        ("all there is announced", announced(u64::MAX), &[1007, 1009, 1002]),
        (
            "a hundred thousand fragments",
            [vec![frame(0x01, b"x")], vec![frame(0x00, b"x"); 100_000]].concat().concat(),
            &[1009],
        ),
    ];
    for (what, bytes, codes) in cases {
        let mut raw = Raw::upgrade(app.address, &cookie).await;
        // The server need not take all of it.
        raw.send(&bytes).await;
        let code = raw.close_code().await;
        // A peer that is still talking may see the end of the connection before the code.
        assert!(code.is_none_or(|c| codes.contains(&c)), "{what}: {code:?}");
        assert!(code.is_some() || bytes.len() > 100_000, "{what}: closed without a code");
    }
    other.heartbeat().await;
}

/// A fragmented message is one message; closing in any way is no harm.
#[tokio::test]
async fn fragments_make_a_message() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let cookie = mia.cookie().unwrap();
    let mut raw = Raw::upgrade(app.address, &cookie).await;
    let text = r#"[null,"1","phoenix","heartbeat",{"x":"ü"}]"#.as_bytes();
    let mut bytes = frame(0x01, &text[..1]);
    for byte in &text[1..] {
        bytes.extend(frame(0x00, &[*byte]));
    }
    bytes.extend(frame(0x89, b"between"));
    bytes.extend(frame(0x80, b""));
    bytes.extend(frame(0x88, &1000_u16.to_be_bytes()));
    raw.send(&bytes).await;
    let heard = raw.hear(crate::harness::PATIENCE).await;
    assert!(heard.text.contains(r#"[null,"1","phoenix","phx_reply""#), "{heard:?}");
    assert!(heard.closed);
    for goodbye in [
        frame(0x88, b""),
        frame(0x88, b"x"),
        frame(0x88, &9999_u16.to_be_bytes()),
        frame(0x88, &[0x03, 0xe8, 0xff]),
        vec![],
    ] {
        let mut raw = Raw::upgrade(app.address, &cookie).await;
        raw.send(&goodbye).await;
        tokio::io::AsyncWriteExt::shutdown(&mut raw.stream).await.unwrap();
        assert!(raw.hear(crate::harness::PATIENCE).await.closed, "{goodbye:?}");
    }
    mia.socket().await.heartbeat().await;
}
