//! Which pages there are and who may open them: the one table of the server's gate, the router and the navigation.

use domain::Level;

/// Who may open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageAccess {
    Public,
    SignedIn,
    Manager,
    Admin,
}

impl PageAccess {
    /// Whether somebody of this level, or nobody, may open the page.
    pub fn allows(self, level: Option<Level>) -> bool {
        match self {
            Self::Public => true,
            Self::SignedIn => level.is_some(),
            Self::Manager => level >= Some(Level::Manager),
            Self::Admin => level >= Some(Level::Admin),
        }
    }
}

/// Pages that the browser takes over: each a component in `pages`.
pub const PAGES: &[(&str, PageAccess)] = &[
    ("/login", PageAccess::Public),
    ("/setup", PageAccess::Public),
    ("/reset", PageAccess::Public),
    ("/forgot", PageAccess::Public),
    ("/second-factor", PageAccess::Public),
    ("/", PageAccess::SignedIn),
    ("/admin", PageAccess::Manager),
    ("/admin/live", PageAccess::Manager),
];

/// Pages that are written on the server alone, in `written`. What is in braces is part of the address.
pub const WRITTEN: &[(&str, PageAccess)] = &[
    ("/account", PageAccess::SignedIn),
    ("/activity", PageAccess::SignedIn),
    ("/account/devices", PageAccess::SignedIn),
    ("/account/email", PageAccess::SignedIn),
    ("/account/second-factor", PageAccess::SignedIn),
    ("/files", PageAccess::SignedIn),
    ("/notifications", PageAccess::SignedIn),
    ("/admin/files", PageAccess::Manager),
    ("/admin/outputs", PageAccess::Manager),
    ("/admin/reports", PageAccess::Manager),
    ("/admin/mail", PageAccess::Admin),
    ("/admin/sessions", PageAccess::Manager),
    ("/admin/people", PageAccess::Manager),
    // Before the one with the hole, which takes any word.
    ("/admin/people/import", PageAccess::Admin),
    ("/admin/people/{id}", PageAccess::Manager),
    ("/admin/organisations", PageAccess::Manager),
    ("/admin/roles", PageAccess::Manager),
    ("/admin/activity", PageAccess::Manager),
    ("/admin/audit", PageAccess::Admin),
    ("/admin/traffic", PageAccess::Manager),
    ("/admin/settings", PageAccess::Admin),
];

/// Pages of `PAGES` of which the server writes a part, in `written` too.
const PARTLY: &[&str] = &["/admin"];

/// Whether `path` is the page `pattern`, braces standing for any one part.
fn is_page(pattern: &str, path: &str) -> bool {
    let (mut a, mut b) = (pattern.split('/'), path.split('/'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || a.starts_with('{') && !b.is_empty() => {}
            _ => return false,
        }
    }
}

/// Whether the server writes the page at `path` or a part of it; without a row there is no page.
pub fn is_listed(path: &str) -> bool {
    WRITTEN.iter().map(|(p, _)| p).chain(PARTLY).any(|p| is_page(p, plain(path)))
}

/// The page of the tables that is at `path`, as it stands there.
#[cfg(feature = "ssr")]
pub fn page_pattern(path: &str) -> Option<&'static str> {
    PAGES.iter().chain(WRITTEN).map(|(p, _)| *p).find(|p| is_page(p, plain(path)))
}

/// Whether the server alone writes what is at `path`: the pages of the table, and what is no page.
pub fn is_written(path: &str) -> bool {
    !PAGES.iter().any(|(p, _)| *p == plain(path)) && !path.starts_with("/rpc/")
}

fn plain(path: &str) -> &str {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { "/" } else { path }
}

/// Who may open the page at `path`. What is not a page asks for as much as its folder, so that an anonymous request
/// does not learn which pages exist; server functions decide for themselves.
pub fn page_access(path: &str) -> PageAccess {
    let path = plain(path);
    if let Some((_, access)) = PAGES.iter().chain(WRITTEN).find(|(p, _)| is_page(p, path)) {
        *access
    } else if path.starts_with("/rpc/") {
        PageAccess::Public
    } else if path.starts_with("/admin/") {
        PageAccess::Manager
    } else {
        PageAccess::SignedIn
    }
}

/// Longer ones are nobody's bookmark.
const NEXT_MAX: usize = 1_024;

/// Where to go after signing in: `next` when it is a plain path of ours, else home (ASVS 3.7.2).
///
/// An allow-list of characters rather than a parser: what passes means the same to every parser. No host can be
/// named, nothing can be smuggled in by encoding, and the doors that are not pages are refused.
pub fn safe_next(next: &str) -> String {
    if is_safe(next) { next.to_owned() } else { "/".to_owned() }
}

fn is_safe(next: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&()*+,;=:/?%".contains(c);
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    next.len() <= NEXT_MAX
        && next.chars().all(plain)
        && path.starts_with('/')
        && (path == "/" || path.split('/').skip(1).all(is_segment))
        && escapes(path).all(|b| b.is_some_and(|b| b > 0x20 && b != 0x7f && !b"/\\:@?#%.".contains(&b)))
        && escapes(query).all(|b| b.is_some_and(|b| b >= 0x20 && b != 0x7f))
        && !query.contains('?')
        && !["/login", "/setup", "/reset", "/forgot", "/second-factor", "/rpc", "/api", "/pkg", "/socket", "/realtime"]
            .iter()
            .any(|door| path.strip_prefix(door).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn is_segment(part: &str) -> bool {
    !["", ".", ".."].contains(&part) && !part.contains(':')
}

/// The bytes behind `%`; nothing for an escape that is none.
fn escapes(text: &str) -> impl Iterator<Item = Option<u8>> + '_ {
    text.match_indices('%').map(|(i, _)| text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
}

/// `text` as a value in a query string.
pub fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_the_table() {
        assert_eq!(page_access("/login"), PageAccess::Public);
        assert_eq!(page_access("/"), PageAccess::SignedIn);
        assert_eq!(page_access(""), PageAccess::SignedIn);
        assert_eq!(page_access("/account/devices/"), PageAccess::SignedIn);
        assert_eq!(page_access("/admin"), PageAccess::Manager);
        assert_eq!(page_access("/admin/live"), PageAccess::Manager);
        assert_eq!(page_access("/admin/nothing"), PageAccess::Manager);
        assert_eq!(page_access("/nothing"), PageAccess::SignedIn);
        assert!(is_page("/admin/people/{id}", "/admin/people/7") && !is_page("/admin/people/{id}", "/admin/people/"));
        assert!(is_written("/admin/sessions") && is_written("/nothing") && !is_written("/admin/") && !is_written(""));
        assert_eq!(page_access("/rpc/sign_in"), PageAccess::Public);
        assert!(PageAccess::Manager.allows(Some(Level::Admin)));
        assert!(!PageAccess::Manager.allows(Some(Level::Member)));
        assert!(!PageAccess::SignedIn.allows(None));
    }

    #[test]
    fn our_own_pages_pass() {
        for good in [
            "/",
            "/account",
            "/account/devices",
            "/admin/live?state=idle&q=ada%20l&open=0190b0a0-0000-7000-8000-000000000000",
            "/admin/live?q=%2Ffiles",
            "/admin?",
        ] {
            assert_eq!(safe_next(good), good);
        }
    }

    #[test]
    fn nothing_leads_elsewhere() {
        let long = format!("/{}", "a".repeat(2_000));
        let payloads = [
            "",
            " ",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\\/evil.example",
            "/%09/evil.example",
            "/%0a/evil.example",
            "/%0d%0aSet-Cookie:a=b",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nLocation:x",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example",
            "http://evil.example",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "/javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "ftp://evil.example",
            "evil.example",
            "@evil.example",
            "/@evil.example",
            "//a@evil.example",
            "/a@evil.example",
            "https:@evil",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%5C%5Cevil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/a//evil.example",
            "/a/../..//evil",
            "/./",
            "/../",
            "/a/..",
            "/%2e%2e/%2f",
            "/%40evil",
            "/%3a",
            "/#@evil",
            "/#//evil",
            "/a#b",
            "/<script>",
            "/\"onload=",
            "/'x",
            "/ evil",
            "/%20",
            "/%zz",
            "/%",
            "/%e",
            "/%00",
            "/%7f",
            "/ｅvil",
            "/\u{202e}x",
            "/\u{0}",
            "//%65vil",
            "/?a?b",
            "/?%0d%0aX:1",
            "/?%00",
            "/login",
            "/login?next=/",
            "/login/",
            "/rpc/sign_out",
            "/api/v1/session",
            "/pkg/x",
            "/setup?token=x",
            "/socket/websocket",
            "?next=/",
            "#",
            ".",
            "..",
            "/;@evil",
            "/a|b",
            "/a`b",
            "/{x}",
            "/[::1]",
            "/a^b",
            &long,
        ];
        assert!(payloads.len() >= 60);
        for p in payloads {
            assert_eq!(safe_next(p), "/", "{p:?}");
        }
    }

    #[test]
    fn escaped_values_come_back() {
        assert_eq!(escape("a b/ü&="), "a%20b%2F%C3%BC%26%3D");
    }
}
