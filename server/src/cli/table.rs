//! Tables for people.

use std::fmt::Write;

/// Columns aligned, two spaces apart; nothing is cut, and nothing printed can move the cursor.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.into_iter().map(|row| row.map(|cell| plain(&cell))));
    let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let start = text.len();
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text.pop();
    text
}

fn plain(cell: &str) -> String {
    if cell.is_empty() { "–".to_owned() } else { cell.chars().filter(|c| !c.is_control()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["ada".to_owned(), String::new()], ["zoë\u{1b}".to_owned(), "x".to_owned()]];
        assert_eq!(table(["NAME", "ROLE"], rows), "NAME  ROLE\nada   –\nzoë   x");
    }
}
