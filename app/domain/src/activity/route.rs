//! Pages without the ids in their addresses, so that a list of pages is not as long as a list of things.

use uuid::Uuid;

/// `/files/17?tab=2` → `/files/:id`: without query and fragment, and with `:id` in place of each integer and UUID.
pub fn template(page: &str) -> String {
    let path = page.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix('/').filter(|p| !p.is_empty()).unwrap_or(path);
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { ":id" } else { part }).collect();
    parts.join("/")
}

fn is_id(part: &str) -> bool {
    let digits = part.strip_prefix('-').unwrap_or(part);
    let integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // As it is written in addresses: with its four hyphens, or with none.
    integer || [32, 36].contains(&part.len()) && Uuid::try_parse(part).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_one_page() {
        for (page, is) in [
            ("/files/17", "/files/:id"),
            ("/files/18?tab=2#top", "/files/:id"),
            ("/files/17/", "/files/:id"),
            ("/", "/"),
            ("", ""),
            ("/a/-3/b", "/a/:id/b"),
            ("/u/0190b0a0-0000-7000-8000-000000000000/x", "/u/:id/x"),
            ("/u/0190B0A000007000800000000000ABCD", "/u/:id"),
            ("/v2/files", "/v2/files"),
            ("/2024-01-02", "/2024-01-02"),
            ("Dashboard 7", "Dashboard 7"),
            ("/-", "/-"),
        ] {
            assert_eq!(template(page), is, "{page}");
        }
    }

    proptest! {
        #[test]
        fn a_template_is_its_own(page in "[-/a-z0-9?#:]{0,40}") {
            let once = template(&page);
            prop_assert!(once.len() <= page.len() + 2 * page.matches(|c: char| c.is_ascii_digit()).count());
            // A slash that is left at the end goes at the next look.
            if !once.ends_with('/') {
                prop_assert_eq!(template(&once), once);
            }
        }
    }
}
