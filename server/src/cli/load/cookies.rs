//! The file that `load prepare` writes: whom a load acts for.

use std::{fs, path::Path};

use crate::cli::failure::Failure;

/// Somebody with a live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) username: String,
    /// The value of the `Cookie` header.
    pub(super) cookie: String,
}

/// Everybody in the file; at least one.
pub(super) fn read(path: &Path) -> Result<Vec<Person>, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|e| Failure::failed(format!("the cookies in {} cannot be read: {e}", path.display())))?;
    parse(&text).ok_or_else(|| {
        let path = path.display();
        Failure::failed(format!(
            "{path} is not a file of `rollcall load prepare`: USERNAME, a tab, COOKIE on each line"
        ))
    })
}

fn parse(text: &str) -> Option<Vec<Person>> {
    let person = |line: &str| {
        let (username, cookie) = line.split_once('\t')?;
        let good = !username.is_empty() && cookie.contains('=') && cookie.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Person { username: username.to_owned(), cookie: cookie.to_owned() })
    };
    text.lines().map(person).collect::<Option<Vec<_>>>().filter(|people| !people.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_a_line() {
        let people = parse("load-00001\trollcall=a\nload-00002\trollcall=b\n").unwrap();
        assert_eq!(people[1], Person { username: "load-00002".into(), cookie: "rollcall=b".into() });
        for bad in ["", "load-00001 rollcall=a", "load-00001\t", "load-00001\trollcall=a\r\tx"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
