//! Counting.

use std::{fmt, ops::AddAssign};

use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Tally {
    /// One check that held.
    pub(super) const ONE: Self = Self { passed: 1, failed: 0, skipped: 0 };

    /// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; …`, the line with which each test program of cargo ends.
    pub(super) fn of_cargo_line(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |what: &str| {
            let part = counts.split("; ").find_map(|part| part.strip_suffix(what))?;
            part.trim().parse().ok()
        };
        Some(Self { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
    }

    /// Reads `# pass 5`, `# fail 0` or `# skipped 1`, the lines with which Node's tests end.
    pub(super) fn of_node_line(line: &str) -> Option<Self> {
        let (what, count) = line.strip_prefix("# ")?.split_once(' ')?;
        let count = count.parse().ok()?;
        match what {
            "pass" => Some(Self { passed: count, ..Self::default() }),
            "fail" | "cancelled" => Some(Self { failed: count, ..Self::default() }),
            "skipped" | "todo" => Some(Self { skipped: count, ..Self::default() }),
            _ => None,
        }
    }

    /// Reads the `stats` of Playwright's JSON report. A test that passed only when tried again has not passed.
    pub(super) fn of_playwright(report: &Value) -> Option<Self> {
        let stats = report.get("stats")?;
        let count = |what: &str| stats.get(what).and_then(Value::as_u64);
        // Errors outside tests (a file that does not compile) are in no count.
        let errors = report.get("errors").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        Some(Self {
            passed: count("expected")?,
            failed: count("unexpected")? + count("flaky")? + errors,
            skipped: count("skipped")?,
        })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_line_is_counted() {
        let line = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(Tally::of_cargo_line(line), Some(Tally { passed: 5, failed: 2, skipped: 1 }));
        assert_eq!(Tally::of_cargo_line("test presence::idle ... ok"), None);
    }

    #[test]
    fn nodes_lines_are_counted() {
        assert_eq!(Tally::of_node_line("# pass 12"), Some(Tally { passed: 12, failed: 0, skipped: 0 }));
        assert_eq!(Tally::of_node_line("# cancelled 1"), Some(Tally { passed: 0, failed: 1, skipped: 0 }));
        for other in ["# tests 12", "# duration_ms 669.2", "# Subtest: pass 12", "ok 1 - pass"] {
            assert_eq!(Tally::of_node_line(other), None);
        }
    }

    #[test]
    fn playwrights_report_is_counted() {
        let report = r#"{"errors":[{"message":"x"}],"stats":{"expected":7,"unexpected":1,"flaky":1,"skipped":2}}"#;
        let report = serde_json::from_str(report).unwrap();
        assert_eq!(Tally::of_playwright(&report), Some(Tally { passed: 7, failed: 3, skipped: 2 }));
    }

    #[test]
    fn the_closing_line_reads_well() {
        assert_eq!(Tally { passed: 3, failed: 0, skipped: 1 }.to_string(), "3 passed, 0 failed, 1 skipped");
    }
}
