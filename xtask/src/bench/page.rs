//! The measured part of docs/BENCHMARKS.md.

use std::fs;

use super::machine::Machine;
use crate::{outcome::Outcome, workspace::root};

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

/// Replaces what stands between the markers; everything else on the page is written by people.
pub(super) fn write(machine: &Machine, table: &str, raw: &str) -> Outcome {
    let path = root().join("docs/BENCHMARKS.md");
    let measured = format!(
        "{machine}; `cargo xtask bench`\n\n{table}\n<details>\n<summary>Raw output</summary>\n\n```json\n{raw}\n```\n\n</details>"
    );
    let page = fs::read_to_string(&path)?;
    let page = replaced(&page, &measured).ok_or("docs/BENCHMARKS.md has lost its markers")?;
    Ok(fs::write(path, page)?)
}

fn replaced(page: &str, measured: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{measured}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_middle_is_replaced() {
        let page = replaced(&format!("a\n{BEGIN}\nold\n{END}\nz\n"), "new").unwrap();
        assert_eq!(page, format!("a\n{BEGIN}\n\nnew\n\n{END}\nz\n"));
        assert_eq!(replaced(&page, "new"), Some(page));
        assert_eq!(replaced("a", "new"), None);
    }
}
