//! The database: reachable, migrated, whole.

use domain::settings::{Given, Stored, contradictions};
use services::Store;

use super::Finding;
use crate::settings::ServeSettings;

pub(super) async fn database(settings: &ServeSettings) -> Vec<Finding> {
    const NAME: &str = "database";
    let inspection = match Store::inspect(&settings.database_url).await {
        Ok(inspection) => inspection,
        Err(e) => {
            let mend = "check ROLLCALL_DATABASE_URL, that the server runs, and that this user may use it";
            return vec![Finding::bad(NAME, format!("it cannot be opened: {e}"), mend)];
        }
    };
    if !inspection.exists {
        return vec![Finding::warn(NAME, "it is not there yet", "`rollcall serve` will create it")];
    }
    let all = inspection.migrations.len();
    let schema = match inspection.migrations.iter().filter(|m| !m.applied).count() {
        0 => Finding::ok("schema", format!("all {all} migrations are applied")),
        n if n == all => Finding::warn("schema", "the database is empty", "`rollcall serve` will set it up"),
        n => Finding::bad("schema", format!("{n} of {all} migrations are missing"), "rollcall migrate up"),
    };
    let whole = match inspection.problems.first() {
        None => Finding::ok(NAME, "it answers and is whole"),
        Some(problem) => {
            let mend = "stop the server, keep a copy of the file, and restore the last good one";
            Finding::bad(NAME, format!("it is damaged: {problem}"), mend)
        }
    };
    vec![whole, schema, sense(settings, &inspection.chosen)]
}

/// Settings that contradict each other, or cannot be in force. What `serve` was given by flags is not known here.
fn sense(settings: &ServeSettings, chosen: &Stored) -> Finding {
    const NAME: &str = "settings";
    let given = Given { base: settings.services.clone(), fixed: settings.fixed.clone() };
    let (now, left_out) = given.with(chosen);
    if let Some(key) = left_out.first() {
        let found = format!("{key} as an admin chose it contradicts what is fixed, or cannot be read; it is left out");
        return Finding::warn(NAME, found, format!("rollcall settings unset {key}"));
    }
    match contradictions(&now).first() {
        None => Finding::ok(NAME, "they go together"),
        Some(c) => {
            let keys = c.keys.join(" or ");
            Finding::warn(NAME, c.sentence.clone(), format!("change {keys}; see `rollcall settings list`"))
        }
    }
}
