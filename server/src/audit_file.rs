//! The audit log as a file: the same for the command and the download.

use services::{AuditRow, csv};

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One array, an entry a line.
    Json,
    Csv,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// What stands before the first entry.
    pub fn head(self) -> String {
        match self {
            Self::Json => "[\n".to_owned(),
            Self::Csv => {
                let names = ["seq", "at", "actor", "action", "subject_kind", "subject", "details", "ip", "hash"];
                text(&[names.map(str::to_owned)])
            }
        }
    }

    /// Some entries; `first` when none went before.
    pub fn rows(self, rows: &[AuditRow], first: bool) -> String {
        let mut text = String::new();
        for (i, row) in rows.iter().enumerate() {
            match self {
                Self::Json => {
                    text.push_str(if first && i == 0 { "" } else { ",\n" });
                    text.push_str(&serde_json::to_string(row).unwrap_or_default());
                }
                Self::Csv => text.push_str(&self::text(&[record(row)])),
            }
        }
        text
    }

    /// What stands after the last.
    pub fn tail(self) -> &'static str {
        match self {
            Self::Json => "\n]\n",
            Self::Csv => "",
        }
    }
}

fn text(rows: &[[String; 9]]) -> String {
    String::from_utf8(csv::lines(rows.iter().cloned())).unwrap_or_default()
}

fn record(r: &AuditRow) -> [String; 9] {
    let details = r.details.as_ref().map(ToString::to_string).unwrap_or_default();
    let (subject, ip) = (r.subject.clone().unwrap_or_default(), r.ip.clone().unwrap_or_default());
    let (actor, action, kind) = (r.actor.clone(), r.action.clone(), r.subject_kind.clone());
    [r.seq.to_string(), r.at.to_string(), actor, action, kind, subject, details, ip, r.hash.clone()]
}
