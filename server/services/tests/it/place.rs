//! Where people are, from a small file made here.

use std::{fs, path::Path};

use domain::{
    Actor,
    presence::{Query, Report},
    session::{SessionFilter, SessionSort},
    settings::Settings,
};
use services::{Origin, Places};

use crate::world::{World, each};

/// One record of a search tree: nothing, another node, or data.
#[derive(Clone, Copy)]
enum Way {
    Nowhere,
    Node(usize),
    Data(usize),
}

fn text(out: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 29);
    out.push(0x40 | text.len() as u8);
    out.extend(text.as_bytes());
}

fn map(out: &mut Vec<u8>, pairs: u8) {
    out.push(0xe0 | pairs);
}

/// A file in MaxMind's format 2.0: a tree of 24-bit records over IPv4, texts and maps.
fn mmdb(kind: &str, networks: &[([u8; 4], u32, Option<&str>, &str)]) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Way::Nowhere; 2]], vec![]);
    for (address, bits, city, country) in networks {
        let at = data.len();
        map(&mut data, 1 + u8::from(city.is_some()));
        for (name, value) in [("city", *city), ("country", Some(*country))] {
            let Some(value) = value else { continue };
            text(&mut data, name);
            map(&mut data, 1);
            text(&mut data, "names");
            map(&mut data, 1);
            text(&mut data, "en");
            text(&mut data, value);
        }
        let (address, mut node) = (u32::from_be_bytes(*address), 0);
        for i in 0..*bits {
            let bit = (address >> (31 - i) & 1) as usize;
            if i + 1 == *bits {
                nodes[node][bit] = Way::Data(at);
            } else if let Way::Node(next) = nodes[node][bit] {
                node = next;
            } else {
                nodes.push([Way::Nowhere; 2]);
                nodes[node][bit] = Way::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let count = nodes.len();
    let record = |way: Way| match way {
        Way::Nowhere => count,
        Way::Node(n) => n,
        Way::Data(at) => count + 16 + at,
    };
    let mut file: Vec<u8> =
        nodes.iter().flatten().flat_map(|way| (record(*way) as u32).to_be_bytes()[1..].to_vec()).collect();
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    map(&mut file, 9);
    for (name, type_and_size, value) in [
        ("node_count", 0xc4_u8, (count as u32).to_be_bytes().to_vec()),
        ("record_size", 0xa2, vec![0, 24]),
        ("ip_version", 0xa2, vec![0, 4]),
        ("binary_format_major_version", 0xa2, vec![0, 2]),
        ("binary_format_minor_version", 0xa2, vec![0, 0]),
    ] {
        text(&mut file, name);
        file.push(type_and_size);
        file.extend(value);
    }
    text(&mut file, "database_type");
    text(&mut file, kind);
    text(&mut file, "build_epoch");
    // A 64-bit number is of an extended type: 7 + 2.
    file.extend([0x08, 0x02]);
    file.extend(1_790_000_000_u64.to_be_bytes());
    text(&mut file, "description");
    map(&mut file, 0);
    text(&mut file, "languages");
    // A list is of an extended type: 7 + 4; it has none.
    file.extend([0x00, 0x04]);
    file
}

fn small(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("places.mmdb");
    let networks = [([192, 0, 2, 0], 24, Some("Utrecht"), "Netherlands"), ([198, 51, 100, 0], 25, None, "Peru")];
    fs::write(&path, mmdb("Test-City", &networks)).unwrap();
    path
}

#[test]
fn addresses_have_places_as_far_as_the_file_knows() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::open(Some(&small(dir.path()))).unwrap();
    for (ip, place) in [
        ("192.0.2.7", Some("Utrecht, Netherlands")),
        ("::ffff:192.0.2.255", Some("Utrecht, Netherlands")),
        ("198.51.100.1", Some("Peru")),
        ("198.51.100.200", None),
        ("127.0.0.1", None),
        ("2001:db8::1", None),
        ("", None),
        ("nonsense", None),
    ] {
        assert_eq!(places.of(ip).as_deref(), place, "{ip}");
    }
    assert_eq!(Places::default().of("192.0.2.7"), None);
    assert!(Places::open(None).is_ok());
    assert_eq!(places.made(), Some((1_790_000_000, "Test-City".to_owned())));

    let wrong = |bytes: Vec<u8>| {
        let path = dir.path().join("wrong.mmdb");
        fs::write(&path, bytes).unwrap();
        Places::open(Some(&path)).err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert!(wrong(b"no such thing".to_vec()).contains("ROLLCALL_GEOIP_FILE"));
    assert!(wrong(mmdb("Test-ASN", &[])).contains("has no places"));
    let whole = mmdb("Test-City", &[([192, 0, 2, 0], 24, Some("Utrecht"), "Netherlands")]);
    // Whatever is cut off or turned round, it is refused or knows less; it never panics.
    for n in 0..whole.len() {
        let mut cut = whole.clone();
        cut[n] ^= 0x55;
        let path = dir.path().join("cut.mmdb");
        fs::write(&path, &cut).unwrap();
        if let Ok(places) = Places::open(Some(&path)) {
            places.of("192.0.2.7");
        }
    }
}

#[tokio::test]
async fn sessions_and_live_rows_show_the_place() {
    each(Settings::default(), async |w| {
        let place = small(w.home.path());
        let there: World = w.another_at(&place).await;
        let ada = w.person("ada", "member", None).await;
        let from = Origin { ip: "192.0.2.7".into(), user_agent: String::new() };
        let s = there.services.sessions.create(&ada, false, &from).await.unwrap().session;
        let sessions = &there.services.sessions;
        let all = SessionFilter::default();
        let listed = sessions.list(&Actor::Operator, &all, SessionSort::Started, 5, None).await.unwrap();
        assert_eq!(listed.items[0].place.as_deref(), Some("Utrecht, Netherlands"));
        let own = sessions.own(&s.actor()).await.unwrap();
        assert_eq!(own[0].place.as_deref(), Some("Utrecht, Netherlands"));
        there.services.heartbeat(&s, Report { idle_ms: Some(0), ..Report::default() }).await.unwrap();
        let online = there.services.presence.online(&Actor::Operator, &Query::default(), 5, 0).await.unwrap();
        assert_eq!(online.users[0].place.as_deref(), Some("Utrecht, Netherlands"));
        there.close().await;
    })
    .await;
}
