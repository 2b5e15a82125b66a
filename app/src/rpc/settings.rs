//! Settings, as the page sends them.

use std::collections::BTreeMap;

use domain::{ApiError, settings::SettingView};
use leptos::prelude::*;
use services::Changes;

use super::{RpcError, Text, ssr};
use crate::{
    routes::escape,
    text,
    written::{Outcome, settings::PATH},
};

/// A value must come back in the address of the review.
const VALUE_MAX: usize = 200;

/// Saves what differs from what is in force; what is empty goes back to its default. What ends sessions is reviewed
/// first: the page shows what would happen, and sends it again as confirmed.
#[server(prefix = "/rpc", endpoint = "save_settings", output = Text)]
pub async fn save_settings(
    #[server(default)] values: BTreeMap<String, String>,
    #[server(default)] confirmed: bool,
) -> Result<Outcome, RpcError> {
    let (settings, actor) = (ssr::services().settings, ssr::actor()?);
    let changes = changes(&settings.list(&actor).await?, &values)?;
    if changes.is_empty() {
        ssr::go(PATH);
        return Ok(Outcome::say("Nothing has changed."));
    }
    if !confirmed {
        let would = settings.change(&actor, changes.clone(), true).await.map_err(by_field)?;
        if would.sessions.would_end + would.sessions.sooner > 0 {
            let go = review(&changes);
            ssr::go(&go);
            return Ok(Outcome { go: Some(go), ..Outcome::default() });
        }
    }
    let did = settings.change(&actor, changes, false).await.map_err(by_field)?;
    ssr::go(PATH);
    let mut say = "Saved.".to_owned();
    if did.sessions.would_end > 0 {
        say = format!("Saved. {} ended.", text::count(did.sessions.would_end, "session"));
    }
    for warning in did.warnings {
        say = format!("{say} {warning}");
    }
    Ok(Outcome { go: Some(PATH.to_owned()), ..Outcome::say(say) })
}

fn changes(list: &[SettingView], values: &BTreeMap<String, String>) -> Result<Changes, ApiError> {
    let mut changes = BTreeMap::new();
    for (key, value) in values {
        let value = value.trim();
        let Some(setting) = list.iter().find(|s| s.key == *key) else {
            return Err(ApiError::invalid("values", "There is no such setting."));
        };
        if value.chars().count() > VALUE_MAX {
            let long = format!("Use at most {VALUE_MAX} characters here; longer lists go through the command line.");
            return Err(by_field(ApiError::invalid(key, long)));
        }
        let back = value.is_empty() || value == setting.default;
        if value != setting.value && !(back && setting.chosen.is_none()) {
            changes.insert(key.clone(), (!back).then(|| value.to_owned()));
        }
    }
    Ok(changes)
}

/// The address of the page that shows what would happen.
fn review(changes: &Changes) -> String {
    let pairs = changes.iter().map(|(k, v)| format!("&{k}={}", escape(v.as_deref().unwrap_or("default"))));
    format!("{PATH}?review=1{}", pairs.collect::<String>())
}

/// The form's fields have names of their own.
fn by_field(mut error: ApiError) -> ApiError {
    error.fields = error.fields.into_iter().map(|(key, wrong)| (format!("values[{key}]"), wrong)).collect();
    error
}
