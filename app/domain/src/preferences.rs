//! What a person prefers: how things look, and what others may see of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ApiError, ErrorCode};

/// Everything a person may set. What is not set is its default; a language or time zone that is not set is the
/// browser's.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    pub theme: Theme,
    /// A BCP 47 tag such as `en` or `pt-BR`.
    pub language: Option<String>,
    /// A name of the IANA database such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    pub privacy: Privacy,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// What others may see. None of it hides anything from admins.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// Which colleagues see that they are here.
    pub presence: SeenBy,
    /// Whether colleagues may see what they did.
    pub activity: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { presence: SeenBy::default(), activity: true }
    }
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    #[default]
    Organisation,
    Nobody,
}

impl Preferences {
    /// The preferences, or what is wrong with them.
    pub fn check(self) -> Result<Self, ApiError> {
        let is = |text: &Option<String>, max: usize, marks: &str| {
            let good = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
            text.as_ref().is_none_or(|t| {
                (2..=max).contains(&t.len()) && t.starts_with(|c: char| c.is_ascii_alphabetic()) && t.chars().all(good)
            })
        };
        if !is(&self.language, 35, "-") {
            return Err(ApiError::invalid("language", "Use a language tag such as en or pt-BR, or null."));
        }
        if !is(&self.time_zone, 64, "/_+-") {
            return Err(ApiError::invalid("time_zone", "Use the name of a time zone such as Europe/Berlin, or null."));
        }
        Ok(self)
    }

    /// With `patch` merged in, as RFC 7396 has it: objects are merged, null gives the default back.
    pub fn merge(&self, patch: &Value) -> Result<Self, ApiError> {
        let unfit = |e: serde_json::Error| ApiError::new(ErrorCode::Invalid, format!("The body does not fit: {e}."));
        if !patch.is_object() {
            return Err(ApiError::new(ErrorCode::Invalid, "Send the preferences to change as a JSON object."));
        }
        let mut merged = serde_json::to_value(self).map_err(unfit)?;
        merge(&mut merged, patch);
        serde_json::from_value::<Self>(merged).map_err(unfit)?.check()
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_change_what_they_name() {
        let p = Preferences::default();
        let p = p.merge(&json!({"theme": "dark", "privacy": {"activity": false}})).unwrap();
        assert_eq!((p.theme, &p.privacy), (Theme::Dark, &Privacy { presence: SeenBy::Organisation, activity: false }));
        let p = p.merge(&json!({"language": "pt-BR", "time_zone": "America/Argentina/Buenos_Aires"})).unwrap();
        assert_eq!((p.theme, p.language.as_deref(), p.privacy.activity), (Theme::Dark, Some("pt-BR"), false));
        let p = p.merge(&json!({"privacy": null, "theme": null, "language": null})).unwrap();
        assert_eq!((p.theme, p.language, p.privacy), (Theme::System, None, Privacy::default()));
    }

    #[test]
    fn what_is_unknown_or_unfit_is_refused() {
        for bad in [
            json!({"surprise": 1}),
            json!({"privacy": {"surprise": {}}}),
            json!({"privacy": "nobody"}),
            json!({"privacy": {"presence": "everybody"}}),
            json!({"privacy": {"activity": "yes"}}),
            json!({"theme": "DARK"}),
            json!({"language": "e"}),
            json!({"language": "<b>"}),
            json!({"time_zone": "../etc"}),
            json!({"time_zone": "x".repeat(65)}),
            json!([]),
            json!(null),
        ] {
            assert!(Preferences::default().merge(&bad).is_err(), "{bad}");
        }
        // A name that is nobody's may be taken back all the same: there is nothing of it.
        assert_eq!(Preferences::default().merge(&json!({"surprise": null})), Ok(Preferences::default()));
    }
}
