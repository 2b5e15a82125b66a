//! Settings: what is in force, and changing it.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    ApiError,
    settings::{Changed, SettingView},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::Items;
use crate::{
    http::extract::{Answer, Body, Caller, HttpError, Params},
    router::AppState,
};

/// Every setting: its value, its default, its bounds, and by whom it was changed or by what it is fixed.
#[utoipa::path(get, path = "/admin/settings", tag = "admin", responses(
    (status = 200, body = Items<SettingView>), (status = 403, body = super::Problem)))]
pub(super) async fn list(State(state): State<AppState>, caller: Caller) -> Answer<Json<Items<SettingView>>> {
    let items = state.services.settings.list(&caller.actor).await?;
    let total = Some(items.len() as u64);
    Ok(Json(Items { items, next: None, total }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Dry {
    /// Only say what would change, and which sessions would end.
    #[serde(default)]
    dry_run: bool,
}

/// Changes settings, all or none: keys and what they become, a text such as `24h`, a number, true or false, or null for
/// the default. Sessions that end by it are ended, and their sockets closed, when this answers.
#[utoipa::path(patch, path = "/admin/settings", tag = "admin", params(Dry), request_body = Object, responses(
    (status = 200, body = Changed), (status = 403, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Params(dry): Params<Dry>,
    Body(b): Body<BTreeMap<String, Value>>,
) -> Answer<Json<Changed>> {
    let mut changes = services::Changes::new();
    for (key, value) in b {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(on) => Some(if on { "on" } else { "off" }.to_owned()),
            Value::Array(_) | Value::Object(_) => {
                return Err(HttpError(ApiError::invalid(&key, "Use a text, a number, true, false or null.")));
            }
        };
        changes.insert(key, text);
    }
    Ok(Json(state.services.settings.change(&caller.actor, changes, dry.dry_run).await?))
}
