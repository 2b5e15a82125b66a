//! CSV that programs read back and that no spreadsheet takes for a formula.

use std::fmt::Write;

/// One record with its line end, by RFC 4180. A cell that a spreadsheet would compute gets an apostrophe before it.
pub fn record<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) { "'" } else { "" };
        if cell.contains(['"', ',', '\n', '\r']) {
            let _ = write!(line, "\"{guard}{}\"", cell.replace('"', "\"\""));
        } else {
            let _ = write!(line, "{guard}{cell}");
        }
    }
    line + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_computed() {
        assert_eq!(record(["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(record(["1,2", "say \"hi\"", "x\ny"]), "\"1,2\",\"say \"\"hi\"\"\",\"x\ny\"\r\n");
        for formula in ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\t=1", "\0"] {
            assert_eq!(record([formula]), format!("'{formula}\r\n"));
        }
        assert_eq!(record(["=1,2"]), "\"'=1,2\"\r\n");
    }
}
