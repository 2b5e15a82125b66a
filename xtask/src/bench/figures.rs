//! A measured number beside what it should be and what others reach.

use std::fmt::Write;

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    measure: String,
    value: f64,
    unit: &'static str,
    /// Whether less is better.
    at_most: bool,
    floor: Option<f64>,
    goal: Option<f64>,
    /// What was measured of others on the same kind of machine.
    others: String,
}

impl Figure {
    /// A number that should be small.
    pub(super) fn at_most(measure: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { measure: measure.into(), value, unit, at_most: true, floor: None, goal: None, others: String::new() }
    }

    /// A number that should be large.
    pub(super) fn at_least(measure: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { at_most: false, ..Self::at_most(measure, unit, value) }
    }

    /// What must be reached.
    pub(super) fn floor(self, floor: f64) -> Self {
        Self { floor: Some(floor), ..self }
    }

    /// What we are after.
    pub(super) fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }

    pub(super) fn others(self, others: impl Into<String>) -> Self {
        Self { others: others.into(), ..self }
    }

    /// Whether the floor is met; nothing when there is none. A measurement that failed meets nothing.
    pub(super) fn met(&self) -> Option<bool> {
        self.floor.map(|floor| self.reaches(floor))
    }

    fn reaches(&self, limit: f64) -> bool {
        if self.at_most { self.value <= limit } else { self.value >= limit }
    }

    fn cells(&self) -> [String; 6] {
        let limit = |limit: Option<f64>| {
            let sign = if self.at_most { '≤' } else { '≥' };
            limit.map_or_else(String::new, |limit| format!("{sign} {}", number(limit)))
        };
        let verdict = match (self.met(), self.goal) {
            (Some(false), _) => "**not met**",
            (_, Some(goal)) if self.reaches(goal) => "goal met",
            (Some(true), _) => "met",
            (None, _) => "",
        };
        [
            self.measure.clone(),
            format!("{} {}", number(self.value), self.unit).trim_end().to_owned(),
            limit(self.floor),
            limit(self.goal),
            verdict.to_owned(),
            self.others.clone(),
        ]
    }
}

/// Three digits that matter, and thousands set apart.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "not measured".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size => (2 - size.log10().floor() as i32).clamp(0, 6) as usize,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

/// All rows as a Markdown table whose columns line up.
pub(super) fn table(figures: &[Figure]) -> String {
    let head = ["measure", "here", "floor", "goal", "", "others"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            // Writing to a string cannot fail.
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if n == 0 {
            text.extend(widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let written = [0.0, 0.001_234, 0.25, 4.0, 6.66, 85.04, 4_207.4, 1_234_567.0].map(number);
        assert_eq!(written, ["0", "0.00123", "0.25", "4", "6.66", "85", "4,207", "1,234,567"]);
    }

    #[test]
    fn floors_are_judged() {
        let small = |value| Figure::at_most("memory", "KiB", value).floor(8.0).goal(5.5);
        assert_eq!(
            [5.0, 7.0, 9.0, f64::NAN].map(|v| small(v).met()),
            [Some(true), Some(true), Some(false), Some(false)]
        );
        assert_eq!([5.0, 7.0, 9.0].map(|v| small(v).cells()[4].clone()), ["goal met", "met", "**not met**"]);
        assert_eq!(Figure::at_least("checks", "/s", 20_000.0).floor(21_035.0).met(), Some(false));
        assert_eq!(Figure::at_least("checks", "/s", 20_000.0).met(), None);
    }

    #[test]
    fn the_table_lines_up() {
        let text = table(&[Figure::at_most("memory", "KiB", 5.0).floor(8.0)]);
        let widths: Vec<usize> = text.lines().map(|l| l.chars().count()).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
    }
}
