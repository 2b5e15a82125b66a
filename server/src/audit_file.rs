//! The audit log as a file: the same for the command and the download.

use services::AuditRow;

use crate::csv;

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
                csv::record(["seq", "at", "actor", "action", "subject_kind", "subject", "details", "ip", "hash"])
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
                Self::Csv => text.push_str(&record(row)),
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

fn record(r: &AuditRow) -> String {
    let (seq, at) = (r.seq.to_string(), r.at.to_string());
    let details = r.details.as_ref().map(ToString::to_string).unwrap_or_default();
    let (subject, ip) = (r.subject.as_deref().unwrap_or_default(), r.ip.as_deref().unwrap_or_default());
    csv::record([&*seq, &*at, &*r.actor, &*r.action, &*r.subject_kind, subject, &*details, ip, &*r.hash])
}
