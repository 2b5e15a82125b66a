//! The database: reachable, migrated, whole.

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
    vec![whole, schema]
}
