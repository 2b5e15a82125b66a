//! What a file is called: shown to people and given back at a download, never a part of a path.

use std::fmt::Write;

use crate::ApiError;

/// Longer names are cut in the middle, so that the ending stays.
const NAME_MAX: usize = 200;
const LABEL_MAX: usize = 60;
/// What a file without a name is called.
const NAMELESS: &str = "file";

/// Characters that are not seen, or that turn the reading order: `gpj.exe` must not read as `exe.jpg`.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// The name a file is known by: its last part, without what is not seen.
pub fn name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let seen: String = last.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    let seen = seen.trim();
    if seen.chars().all(|c| c == '.' || c == '\u{fffd}') {
        return NAMELESS.to_owned();
    }
    let n = seen.chars().count();
    if n <= NAME_MAX {
        return seen.to_owned();
    }
    let half = (NAME_MAX - 1) / 2;
    let (first, rest): (String, String) = (seen.chars().take(half).collect(), seen.chars().skip(n - half).collect());
    format!("{first}…{rest}")
}

/// A workflow's or a source's label, words separated by one space each; nothing when it is empty.
pub fn label(field: &str, given: &str) -> Result<Option<String>, ApiError> {
    let words: Vec<&str> = given.split_whitespace().collect();
    let text = words.join(" ");
    if text.chars().any(is_hidden) || text.chars().count() > LABEL_MAX {
        return Err(ApiError::invalid(field, format!("Use at most {LABEL_MAX} characters that can be seen.")));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// `Content-Disposition` of a download (RFC 6266): the plain name for old clients, the whole by RFC 5987. Pure ASCII.
pub fn attachment(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || " ._-()+,=@".contains(c) { c } else { '_' }).collect();
    let mut whole = String::new();
    for b in name.bytes() {
        if b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b) {
            whole.push(char::from(b));
        } else {
            let _ = write!(whole, "%{b:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_for_people() {
        for (given, known) in [
            ("report.pdf", "report.pdf"),
            ("../../x", "x"),
            ("..\\..\\evil.exe", "evil.exe"),
            ("/etc/passwd", "passwd"),
            ("C:\\Users\\ada\\notes.txt", "notes.txt"),
            ("a\";x", "a\";x"),
            ("..%2f..%2fx", "..%2f..%2fx"),
            ("photo\r\nSet-Cookie: a=b.png", "photo\u{fffd}\u{fffd}Set-Cookie: a=b.png"),
            ("a\0.png", "a\u{fffd}.png"),
            ("inv\u{202e}gpj.exe", "inv\u{fffd}gpj.exe"),
            ("", NAMELESS),
            ("..", NAMELESS),
            (".", NAMELESS),
            ("///", NAMELESS),
            ("\u{7}", NAMELESS),
            (".bashrc", ".bashrc"),
            ("  spaced name.txt ", "spaced name.txt"),
            ("<script>alert(1)</script>", "script>"),
            ("=HYPERLINK(\"x\").csv", "=HYPERLINK(\"x\").csv"),
            ("отчёт 2026.xlsx", "отчёт 2026.xlsx"),
        ] {
            assert_eq!(name(given), known, "{given:?}");
        }
        let long = name(&format!("{}.tar.gz", "a".repeat(400)));
        assert!(long.chars().count() <= NAME_MAX && long.ends_with(".tar.gz") && long.contains('…'));
    }

    #[test]
    fn headers_are_not_broken() {
        assert_eq!(attachment("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
        assert_eq!(attachment("a\";x"), "attachment; filename=\"a__x\"; filename*=UTF-8''a%22%3Bx");
        assert_eq!(attachment("é"), "attachment; filename=\"_\"; filename*=UTF-8''%C3%A9");
    }

    #[test]
    fn labels_are_one_line() {
        assert_eq!(label("workflow", "  Month   end\t2 ").unwrap().as_deref(), Some("Month end 2"));
        assert_eq!(label("workflow", " \n ").unwrap(), None);
        assert!(label("workflow", "a\u{7}b").is_err() && label("workflow", &"x".repeat(61)).is_err());
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_place(given in "[\\PC\\x00-\\x20/\\\\.]{0,300}") {
            let known = name(&given);
            prop_assert!(!known.is_empty() && known != "." && known != "..");
            prop_assert!(!known.contains(['/', '\\', '\0', '\r', '\n']));
            prop_assert_eq!(name(&known), known.clone());
            let header = attachment(&known);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)) && header.matches('"').count() == 2);
        }
    }
}
