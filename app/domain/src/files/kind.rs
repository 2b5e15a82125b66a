//! What a file is: its first bytes decide, and a name that claims to be a picture must be one.

use crate::ApiError;

/// So many first bytes are looked at.
pub const HEAD: usize = 8 * 1024;
/// More pixels are a trap for whoever decodes them: 100 million are a page at 1,200 dots an inch.
const PIXELS_MAX: u64 = 100_000_000;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sniffed<'a> {
    /// By their signature.
    pub kind: Option<&'a str>,
    /// Of a picture, as its header says.
    pub pixels: Option<u64>,
    /// They are UTF-8 without control characters.
    pub is_text: bool,
}

/// Endings that claim a kind which others open by the name alone.
const CLAIMS: &[(&str, &[&str])] = &[
    ("png", &["image/png", "image/apng"]),
    ("jpg", &["image/jpeg"]),
    ("jpeg", &["image/jpeg"]),
    ("gif", &["image/gif"]),
    ("webp", &["image/webp"]),
    ("bmp", &["image/bmp"]),
    ("tif", &["image/tiff"]),
    ("tiff", &["image/tiff"]),
    ("avif", &["image/avif"]),
    ("heic", &["image/heif"]),
    ("ico", &["image/vnd.microsoft.icon"]),
    ("pdf", &["application/pdf"]),
];

/// The type a file is stored with, or what is wrong with it.
pub fn content_type(name: &str, sniffed: Sniffed<'_>) -> Result<String, ApiError> {
    let ending = name.rsplit_once('.').map(|(_, e)| e.to_lowercase()).unwrap_or_default();
    let claim = CLAIMS.iter().find(|(e, _)| *e == ending);
    if let Some((_, kinds)) = claim
        && !sniffed.kind.is_some_and(|k| kinds.contains(&k))
    {
        let message = format!("This is called .{ending} and is something else. Give it the ending of what it is.");
        return Err(ApiError::invalid("file", message));
    }
    if sniffed.pixels.is_some_and(|p| p > PIXELS_MAX) {
        return Err(ApiError::invalid("file", "This picture has more than 100 million pixels. Send a smaller one."));
    }
    Ok(match (sniffed.kind, sniffed.is_text) {
        (Some(kind), _) => kind,
        (None, true) if ending == "svg" => "image/svg+xml",
        (None, true) if ending == "html" || ending == "htm" => "text/html",
        (None, true) if ending == "csv" => "text/csv",
        (None, true) if ending == "json" => "application/json",
        (None, true) => "text/plain",
        (None, false) => "application/octet-stream",
    }
    .to_owned())
}

/// The `Content-Type` of a download: what could run in a browser is sent as bytes.
pub fn served_as(kind: &str) -> String {
    let active = ["html", "svg", "xml", "javascript", "x-shockwave"];
    if active.iter().any(|a| kind.contains(a)) && !kind.contains("openxml") {
        return "application/octet-stream".to_owned();
    }
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(kind: Option<&str>, is_text: bool) -> Sniffed<'_> {
        Sniffed { kind, is_text, pixels: None }
    }

    #[test]
    fn a_claim_must_be_true() {
        assert_eq!(content_type("a.PNG", sniffed(Some("image/png"), false)).unwrap(), "image/png");
        for kind in [Some("text/html"), Some("text/xml"), Some("image/gif"), None] {
            assert!(content_type("a.png", sniffed(kind, true)).is_err(), "{kind:?}");
        }
        // What claims nothing may be anything.
        assert_eq!(content_type("a.dat", sniffed(Some("image/gif"), false)).unwrap(), "image/gif");
        assert_eq!(content_type("png", sniffed(None, true)).unwrap(), "text/plain");
        assert_eq!(content_type("a.csv", sniffed(None, true)).unwrap(), "text/csv");
        assert_eq!(content_type("a.csv", sniffed(None, false)).unwrap(), "application/octet-stream");
    }

    #[test]
    fn traps_of_pixels_are_refused() {
        let of = |side: u64| Sniffed { kind: Some("image/png"), pixels: Some(side * side), is_text: false };
        assert!(content_type("a.png", of(10_000)).is_ok());
        assert!(content_type("a.png", of(30_000)).is_err() && content_type("a", of(30_000)).is_err());
    }

    #[test]
    fn what_runs_is_bytes() {
        for kind in ["text/html", "image/svg+xml", "text/xml", "application/xhtml+xml", "text/javascript"] {
            assert_eq!(served_as(kind), "application/octet-stream", "{kind}");
        }
        assert_eq!(served_as("text/csv"), "text/csv; charset=utf-8");
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        assert_eq!(served_as(sheet), sheet);
    }
}
