//! Reports: what people did, over a period, as a file. Asked for, or made again and again by a schedule.

#[cfg(feature = "zones")]
mod due;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ApiError, Time, access::Action, account::Named, notices::TimeOfDay};

/// What a report is about.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Events of the period.
    Activity,
    /// Sessions that began in it.
    Sessions,
    /// Files sent in it.
    Uploads,
    /// Who was here when: intervals of presence, cut at its bounds.
    Presence,
}

impl Subject {
    pub const ALL: [Self; 4] = [Self::Activity, Self::Sessions, Self::Uploads, Self::Presence];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Sessions => "sessions",
            Self::Uploads => "uploads",
            Self::Presence => "presence",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Activity => "Activity",
            Self::Sessions => "Sessions",
            Self::Uploads => "Uploads",
            Self::Presence => "Online history",
        }
    }

    /// Who may see it may have it as a report.
    pub fn action(self) -> Action {
        match self {
            Self::Activity => Action::Activity,
            Self::Sessions => Action::Sessions,
            Self::Uploads => Action::Files,
            Self::Presence => Action::Watch,
        }
    }
}

/// What kind of file it is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A workbook: sums on one sheet, rows on the next.
    Xlsx,
    /// Rows alone.
    Csv,
    /// A page to print: sums, and the first rows.
    Html,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::Xlsx, Self::Csv, Self::Html];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Xlsx => "Workbook (XLSX)",
            Self::Csv => "Comma-separated (CSV)",
            Self::Html => "Page to print (HTML)",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Html => "text/html",
        }
    }
}

/// How often a schedule makes one: of the day, the week (from Monday) or the month before, in the zone of the instance.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    Day,
    Week,
    Month,
}

impl Every {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == text)
    }

    /// When it is made, and of what.
    pub fn words(self) -> &'static str {
        match self {
            Self::Day => "every day, of the day before",
            Self::Week => "every Monday, of the week before",
            Self::Month => "on the 1st, of the month before",
        }
    }
}

/// How far a report has come.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl Progress {
    const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }

    /// Whether it can still be cancelled.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// What is asked for now.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    pub subject: Subject,
    pub format: Form,
    /// The first day of the period, such as `2026-03-02`, in the zone of the instance.
    pub from: String,
    /// The last day, included.
    pub to: String,
    /// Only of this organisation's people: its id.
    #[serde(default)]
    pub organisation: Option<Uuid>,
    /// A mail when it is there.
    #[serde(default)]
    pub mail: bool,
}

/// What is asked for again and again.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    pub subject: Subject,
    pub format: Form,
    pub every: Every,
    /// The time of day in the zone of the instance, such as `06:00`, which is also what is meant without one.
    #[serde(default)]
    pub at: Option<String>,
    #[serde(default)]
    pub organisation: Option<Uuid>,
    #[serde(default)]
    pub mail: bool,
}

impl NewSchedule {
    /// When nobody says another time.
    pub const AT: &str = "06:00";

    /// The time of day, or what is wrong with it.
    pub fn time(&self) -> Result<TimeOfDay, ApiError> {
        let text = self.at.as_deref().map(str::trim).filter(|at| !at.is_empty()).unwrap_or(Self::AT);
        TimeOfDay::parse(text).ok_or_else(|| ApiError::invalid("at", "Use a time of day such as 06:00."))
    }
}

/// A report: asked for, being made, or made.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub id: Uuid,
    pub subject: Subject,
    pub format: Form,
    pub organisation: Option<Named>,
    /// The period: from its first instant to the first one after it.
    pub from: Time,
    pub to: Time,
    /// Its first and last day.
    pub first_day: String,
    pub last_day: String,
    pub state: Progress,
    /// Rows so far, and of how many where that is known.
    pub rows: u64,
    pub rows_total: Option<u64>,
    /// Why there is none.
    pub problem: Option<String>,
    /// The file, while it is kept.
    pub output: Option<Uuid>,
    /// What made it, where that was not a person.
    pub schedule: Option<Uuid>,
    pub mail: bool,
    pub created_at: Time,
    pub ended_at: Option<Time>,
}

impl Report {
    /// Its file's name.
    pub fn file_name(&self) -> String {
        let days = match &self.first_day {
            day if *day == self.last_day => day.clone(),
            day => format!("{day} to {}", self.last_day),
        };
        let of = self.organisation.as_ref().map(|o| format!(" of {}", o.name)).unwrap_or_default();
        crate::files::name(&format!("{}{of}, {days}.{}", self.subject.title(), self.format.as_str()))
    }
}

/// A schedule.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: Uuid,
    pub subject: Subject,
    pub format: Form,
    pub organisation: Option<Named>,
    pub every: Every,
    /// The time of day in the zone of the instance.
    pub at: String,
    pub mail: bool,
    /// When the next one is made.
    pub next_at: Time,
    pub created_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        assert!(Subject::ALL.into_iter().all(|s| Subject::parse(s.as_str()) == Some(s)));
        assert!(Form::ALL.into_iter().all(|f| Form::parse(f.as_str()) == Some(f)));
        assert!(Every::ALL.into_iter().all(|e| Every::parse(e.as_str()) == Some(e)));
        assert!(Progress::ALL.into_iter().all(|p| Progress::parse(p.as_str()) == Some(p)));
        assert_eq!(Subject::parse("everything"), None);
    }

    #[test]
    fn files_are_called_by_what_is_in_them() {
        let report = Report {
            id: Uuid::nil(),
            subject: Subject::Presence,
            format: Form::Csv,
            organisation: Some(Named { id: Uuid::nil(), name: "North/West".into() }),
            from: Time(0),
            to: Time(0),
            first_day: "2026-03-02".into(),
            last_day: "2026-03-08".into(),
            state: Progress::Done,
            rows: 0,
            rows_total: None,
            problem: None,
            output: None,
            schedule: None,
            mail: false,
            created_at: Time(0),
            ended_at: None,
        };
        // A slash in a name is no folder.
        assert!(!report.file_name().contains('/'));
        let plain = Report { organisation: None, last_day: "2026-03-02".into(), ..report };
        assert_eq!(plain.file_name(), "Online history, 2026-03-02.csv");
    }
}
