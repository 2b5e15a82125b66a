//! Now against before.

/// How a number changed. From nothing there is no percentage, and a percentage changes in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// There was nothing before.
    New,
    Same,
    /// Of what was before.
    Percent(f64),
    Points(f64),
}

impl Change {
    pub fn of_counts(before: u64, now: u64) -> Self {
        match (before, now) {
            (b, n) if b == n => Self::Same,
            (0, _) => Self::New,
            (b, n) => Self::Percent((n as f64 - b as f64) / b as f64 * 100.0),
        }
    }

    /// Both in percent.
    pub fn of_percentages(before: f64, now: f64) -> Self {
        if before.to_bits() == now.to_bits() { Self::Same } else { Self::Points(now - before) }
    }

    /// `+20 %`, `new`, `−100 %`, `+10 pt`.
    pub fn text(self) -> String {
        match self {
            Self::New => "new".to_owned(),
            Self::Same => "no change".to_owned(),
            Self::Percent(by) => format!("{} %", signed(by)),
            Self::Points(by) => format!("{} pt", signed(by)),
        }
    }
}

/// To one place, without a zero behind it.
fn signed(by: f64) -> String {
    let text = format!("{:.1}", by.abs());
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{}{text}", if by < 0.0 { '−' } else { '+' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v14() {
        let counts = [(100, 120), (0, 5), (5, 0), (0, 0), (3, 4)].map(|(b, n)| Change::of_counts(b, n).text());
        assert_eq!(counts, ["+20 %", "new", "−100 %", "no change", "+33.3 %"]);
        assert_eq!(Change::of_percentages(40.0, 50.0).text(), "+10 pt");
        assert_eq!(Change::of_percentages(50.0, 40.0).text(), "−10 pt");
    }
}
