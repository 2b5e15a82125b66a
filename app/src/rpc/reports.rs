//! Reports and their schedules.

use domain::{
    ApiError,
    reports::{Every, Form, NewReport, NewSchedule, Subject},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{RpcError, Text, ssr};
use crate::written::Outcome;

const PATH: &str = "/admin/reports";

#[cfg(feature = "ssr")]
fn word<T>(field: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ApiError> {
    parse(text.trim()).ok_or_else(|| ApiError::invalid(field, "Use one of the words offered."))
}

#[cfg(feature = "ssr")]
fn organisation(id: &str) -> Result<Option<Uuid>, ApiError> {
    let strange = |_| ApiError::invalid("organisation", "There is no such organisation.");
    Some(id.trim()).filter(|id| !id.is_empty()).map(|id| id.parse().map_err(strange)).transpose()
}

/// Asks for a report.
#[server(prefix = "/rpc", endpoint = "ask_for_report", output = Text)]
pub async fn ask_for_report(
    subject: String,
    format: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
    #[server(default)] organisation: String,
    #[server(default)] mail: bool,
) -> Result<Outcome, RpcError> {
    let new = NewReport {
        subject: word("subject", &subject, Subject::parse)?,
        format: word("format", &format, Form::parse)?,
        from,
        to,
        organisation: self::organisation(&organisation)?,
        mail,
    };
    ssr::services().reports.ask(&ssr::actor()?, new).await?;
    ssr::go(PATH);
    Ok(Outcome::say("It is being made."))
}

/// Cancels one that is not made yet.
#[server(prefix = "/rpc", endpoint = "cancel_report", output = Text)]
pub async fn cancel_report(id: Uuid) -> Result<Outcome, RpcError> {
    ssr::services().reports.cancel(&ssr::actor()?, id).await?;
    ssr::go(PATH);
    Ok(Outcome::say("Cancelled."))
}

/// Asks for a report again and again.
#[server(prefix = "/rpc", endpoint = "schedule_report", output = Text)]
pub async fn schedule_report(
    subject: String,
    format: String,
    every: String,
    #[server(default)] at: String,
    #[server(default)] organisation: String,
    #[server(default)] mail: bool,
) -> Result<Outcome, RpcError> {
    let new = NewSchedule {
        subject: word("subject", &subject, Subject::parse)?,
        format: word("format", &format, Form::parse)?,
        every: word("every", &every, Every::parse)?,
        at: Some(at),
        organisation: self::organisation(&organisation)?,
        mail,
    };
    ssr::services().reports.schedule(&ssr::actor()?, new).await?;
    ssr::go(PATH);
    Ok(Outcome::say("It is scheduled."))
}

/// Ends a schedule; what it made stays.
#[server(prefix = "/rpc", endpoint = "end_report_schedule", output = Text)]
pub async fn end_report_schedule(id: Uuid) -> Result<Outcome, RpcError> {
    ssr::services().reports.end_schedule(&ssr::actor()?, id).await?;
    ssr::go(PATH);
    Ok(Outcome::say("It is not made any more."))
}
