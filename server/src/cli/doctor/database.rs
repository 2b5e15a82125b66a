//! The database: reachable, migrated, whole.

use domain::settings::{Given, Settings, Stored, contradictions};
use services::Store;

use super::{Finding, data};
use crate::settings::ServeSettings;

const WITHOUT: &str = "without its database the server does not start";

pub(super) async fn database(settings: &ServeSettings) -> Vec<Finding> {
    const NAME: &str = "database";
    let inspection = match Store::inspect(&settings.database_url).await {
        Ok(inspection) => inspection,
        Err(e) => {
            let mend = "check ROLLCALL_DATABASE_URL, that the server runs, and that this user may use it";
            return vec![Finding::bad(NAME, format!("it cannot be opened: {e}"), WITHOUT, mend)];
        }
    };
    if !inspection.exists {
        let why = "if this is not a new installation, the program looks in the wrong place";
        let mend = "`rollcall serve` will create it; or say with ROLLCALL_DATABASE_URL where it is";
        return vec![Finding::warn(NAME, "it is not there yet", why, mend)];
    }
    let all = inspection.migrations.len();
    let missing = inspection.migrations.iter().filter(|m| !m.applied).count();
    let schema = match missing {
        0 => Finding::ok("schema", format!("all {all} migrations are applied")),
        n if n == all => {
            let why = "if this is not a new installation, this is another database";
            Finding::warn("schema", "the database is empty", why, "`rollcall serve` will set it up")
        }
        n => Finding::bad(
            "schema",
            format!("{n} of {all} migrations are missing"),
            "this program and the database do not go together until they are run",
            "keep a copy of the database, then: rollcall migrate up",
        ),
    };
    let whole = match inspection.problems.first() {
        None => Finding::ok(NAME, "it answers and is whole"),
        Some(problem) => Finding::bad(
            NAME,
            format!("it is damaged: {problem}"),
            "what is written from now on may be lost, and what is read may be wrong",
            "stop the server, keep a copy of the file, and restore the last good one",
        ),
    };
    let (now, sense) = sense(settings, &inspection.chosen);
    let mut findings = vec![whole, schema, sense];
    if missing == 0 && inspection.problems.is_empty() {
        findings.extend(data::data(settings, &now).await);
    }
    findings
}

/// The settings in force, and those that contradict each other or cannot be. What `serve` was given by flags is not known
/// here.
fn sense(settings: &ServeSettings, chosen: &Stored) -> (Settings, Finding) {
    const NAME: &str = "settings";
    let given = Given { base: settings.services.clone(), fixed: settings.fixed.clone() };
    let (now, left_out) = given.with(chosen);
    let finding = match (left_out.first(), contradictions(&now).first()) {
        (Some(key), _) => Finding::warn(
            NAME,
            format!("{key} as an admin chose it contradicts what is fixed, or cannot be read; it is left out"),
            "the page of settings shows what is not in force",
            format!("rollcall settings unset {key}"),
        ),
        (None, Some(c)) => Finding::warn(
            NAME,
            c.sentence.clone(),
            "one of them does nothing, or something else than it says",
            format!("change {}; see `rollcall settings list`", c.keys.join(" or ")),
        ),
        (None, None) => Finding::ok(NAME, "they go together"),
    };
    (now, finding)
}
