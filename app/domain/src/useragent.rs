//! Browser, system and kind of device, read from a `User-Agent` as far as a person cares.
//!
//! A small table instead of a library: the libraries are stale or carry thousands of patterns, and a wrong guess here
//! costs a label. Order matters: every browser claims to be the ones before it.

use serde::{Deserialize, Serialize};

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Desktop,
    Phone,
    Tablet,
    /// A program: curl, an HTTP library, a client of the API.
    Program,
    #[default]
    Unknown,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Desktop, Self::Phone, Self::Tablet, Self::Program, Self::Unknown];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Program => "program",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// What a session was signed in from. Empty strings where the user agent does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Device {
    pub browser: String,
    pub os: String,
    pub kind: Kind,
}

const BROWSERS: [(&str, &str); 22] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-requests/", "Python"),
    ("Python/", "Python"),
    ("okhttp/", "OkHttp"),
    ("Go-http-client/", "Go"),
    ("node", "Node.js"),
    ("Dart/", "Dart"),
    ("rollcall-load/", "Rollcall load tool"),
];

/// From here on in `BROWSERS` they are programs.
const FIRST_PROGRAM: usize = 13;

const SYSTEMS: [(&str, &str); 9] = [
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

impl Device {
    /// Reads a `User-Agent` header; anything unknown gives an empty device.
    pub fn parse(user_agent: &str) -> Self {
        let browser = BROWSERS.iter().position(|(mark, _)| user_agent.contains(mark));
        let os = SYSTEMS.iter().find(|(mark, _)| user_agent.contains(mark)).map_or("", |(_, name)| name);
        let kind = match (browser, os) {
            (Some(i), _) if i >= FIRST_PROGRAM => Kind::Program,
            (_, "iPhone") => Kind::Phone,
            (_, "Android") if user_agent.contains("Mobile") => Kind::Phone,
            (_, "iPad" | "Android") => Kind::Tablet,
            (_, "") => Kind::Unknown,
            _ => Kind::Desktop,
        };
        Self { browser: browser.map_or("", |i| BROWSERS[i].1).to_owned(), os: os.to_owned(), kind }
    }

    /// `Firefox on Linux`, `Safari on iPhone`, `curl`, `Unknown device`.
    pub fn label(&self) -> String {
        match (self.browser.as_str(), self.os.as_str()) {
            ("", "") => "Unknown device".to_owned(),
            (one, "") | ("", one) => one.to_owned(),
            (browser, os) => format!("{browser} on {os}"),
        }
    }
}

/// Words by which programs that read the web say so themselves.
const BOTS: [&str; 8] = ["bot", "crawl", "spider", "slurp", "facebookexternalhit", "preview", "monitor", "uptime"];

/// Whether a program that nobody sits at says so. What claims to be a browser is believed.
pub fn is_bot(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    BOTS.iter().any(|mark| lower.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_say_so() {
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; YandexBot/3.0)",
            "UptimeRobot/2.0",
            "facebookexternalhit/1.1",
        ] {
            assert!(is_bot(bot), "{bot}");
        }
        for none in ["curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", ""] {
            assert!(!is_bot(none), "{none}");
        }
    }

    #[test]
    fn real_user_agents() {
        let rows = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Linux",
                Kind::Desktop,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
                Kind::Desktop,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
                Kind::Phone,
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
                Kind::Tablet,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
                Kind::Phone,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36",
                "Samsung Internet on Android",
                Kind::Tablet,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15",
                "Safari on macOS",
                Kind::Desktop,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
                Kind::Desktop,
            ),
            ("curl/8.5.0", "curl", Kind::Program),
            ("node", "Node.js", Kind::Program),
            ("", "Unknown device", Kind::Unknown),
            ("<script>alert(1)</script>", "Unknown device", Kind::Unknown),
        ];
        for (ua, label, kind) in rows {
            let d = Device::parse(ua);
            assert_eq!((d.label().as_str(), d.kind), (label, kind), "{ua}");
        }
    }
}
