//! Comma-separated values (RFC 4180), safe to open with a spreadsheet.

/// These lines, each cell quoted where it must be.
pub fn lines<R: IntoIterator<Item = String>>(rows: impl IntoIterator<Item = R>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    for row in rows {
        // Into memory, and of one width: there is nothing to go wrong.
        let _ = writer.write_record(row.into_iter().map(harmless));
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe (ASVS 1.2.10).
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_cells_come_back() {
        let cells = ["=HYPERLINK(\"x\")", "+1", "-1", "@a", "\tx", "\rx", "a,b", "say \"hi\"", "two\nlines", "plain"];
        let text = lines([cells.map(str::to_owned)]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*text);
        let back = reader.records().next().unwrap().unwrap();
        for (cell, back) in cells.into_iter().zip(&back) {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert_eq!(back, if formula { format!("'{cell}") } else { cell.to_owned() });
        }
        assert!(text.ends_with(b"\r\n"));
    }
}
