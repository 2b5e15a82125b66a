//! One style sheet out of many: the `@import "x.css";` lines of `style/main.css`, in order, replaced by the files.

use std::{fs, path::Path};

use crate::outcome::Outcome;

/// The joined and slimmed sheet.
pub(super) fn sheet(folder: &Path) -> Outcome<String> {
    let main = folder.join("main.css");
    let source = fs::read_to_string(&main).map_err(|error| format!("{}: {error}", main.display()))?;
    let mut joined = String::new();
    for line in source.lines() {
        if let Some(name) = imported(line) {
            let path = folder.join(name);
            joined += &fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        } else {
            joined += line;
        }
        joined.push('\n');
    }
    Ok(slim(&joined))
}

/// The file named by a line that is nothing but an import; an import with a layer or a media query stays as it is.
fn imported(line: &str) -> Option<&str> {
    line.trim().strip_prefix("@import \"")?.strip_suffix("\";")
}

/// Without comments and needless white space. White space goes only where it can never mean anything (next to braces,
/// semicolons and commas): around `:`, `+` or `>` it may.
fn slim(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    let mut space = false;
    while let Some(c) = chars.next() {
        if c == '/' && chars.peek() == Some(&'*') {
            skip_comment(&mut chars);
            space = true;
        } else if c.is_whitespace() {
            space = true;
        } else {
            let tight = |c| matches!(c, '{' | '}' | ';' | ',');
            if space && !tight(c) && !out.is_empty() && !out.ends_with(tight) {
                out.push(' ');
            }
            space = false;
            out.push(c);
            if matches!(c, '"' | '\'') {
                copy_string(c, &mut chars, &mut out);
            }
        }
    }
    out
}

fn skip_comment(chars: &mut impl Iterator<Item = char>) {
    // From the `*` on: `/*/` opens a comment and does not close it.
    let mut last = ' ';
    chars.next();
    for c in chars {
        if last == '*' && c == '/' {
            return;
        }
        last = c;
    }
}

fn copy_string(quote: char, chars: &mut impl Iterator<Item = char>, out: &mut String) {
    let mut escaped = false;
    for c in chars {
        out.push(c);
        if c == quote && !escaped {
            return;
        }
        escaped = c == '\\' && !escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_comments_go() {
        assert_eq!(slim("a , b {\n  color: red;\n}\n/* x */\n.c { top: 0 }"), "a,b{color: red;}.c{top: 0}");
        assert_eq!(slim("a/*/ still a comment */b{}"), "a b{}");
    }

    #[test]
    fn white_space_with_a_meaning_stays() {
        assert_eq!(slim("a :hover > b { width: calc(1px + 2px) }"), "a :hover > b{width: calc(1px + 2px)}");
        assert_eq!(
            slim("@media (width > 1px) and (hover) { a { b: c } }"),
            "@media (width > 1px) and (hover){a{b: c}}"
        );
    }

    #[test]
    fn strings_are_copied_as_they_are() {
        assert_eq!(slim(r#"a::after { content: "/* , \" { */" ; }"#), r#"a::after{content: "/* , \" { */";}"#);
    }

    #[test]
    fn only_a_plain_import_is_inlined() {
        assert_eq!(imported("  @import \"tokens.css\";"), Some("tokens.css"));
        assert_eq!(imported("@import \"print.css\" print;"), None);
        assert_eq!(imported("a { b: c }"), None);
    }
}
