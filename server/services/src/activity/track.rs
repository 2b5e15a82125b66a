//! What clients tell: pages seen and things done.

use domain::{
    ApiError,
    activity::{ACTION, PAGE_VIEW, template},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Activity;
use crate::{sessions::LiveSession, store::events::NewEvent};

/// As the agent's limit of an address.
const PAGE_MAX: usize = 512;
const TITLE_MAX: usize = 200;
const ACTION_MAX: usize = 200;
/// Of the JSON that comes with an action, in bytes.
const DETAILS_MAX: usize = 8 * 1024;

impl Activity {
    /// Somebody looked at a page; the event's id. It is written within a quarter of a second. 503 when that is not
    /// certain, 429 when the session or its person told too much lately.
    pub fn page_seen(
        &self,
        session: &LiveSession,
        ip: &str,
        page: &str,
        title: Option<&str>,
    ) -> Result<Uuid, ApiError> {
        let page = text("page", page, PAGE_MAX)?;
        let title = title.filter(|t| !t.trim().is_empty()).map(|t| text("title", t, TITLE_MAX)).transpose()?;
        let route = template(page);
        let mut told = Map::new();
        if page != route {
            told.insert("page".to_owned(), page.into());
        }
        if let Some(title) = title {
            told.insert("title".to_owned(), title.into());
        }
        self.tell(session, ip, PAGE_VIEW, Some(route), told)
    }

    /// Somebody did something; the event's id. The same otherwise.
    pub fn done(
        &self,
        session: &LiveSession,
        ip: &str,
        action: &str,
        details: Option<Value>,
    ) -> Result<Uuid, ApiError> {
        let action = text("action", action, ACTION_MAX)?;
        let mut told = Map::from_iter([("action".to_owned(), Value::from(action))]);
        if let Some(details) = details.filter(|d| !d.is_null()) {
            if details.to_string().len() > DETAILS_MAX {
                return Err(ApiError::invalid("details", format!("Use at most {} kB.", DETAILS_MAX / 1024)));
            }
            told.insert("details".to_owned(), details);
        }
        self.tell(session, ip, ACTION, None, told)
    }

    fn tell(
        &self,
        session: &LiveSession,
        ip: &str,
        kind: &str,
        route: Option<String>,
        told: Map<String, Value>,
    ) -> Result<Uuid, ApiError> {
        let card = session.card();
        let details = (!told.is_empty()).then(|| Value::Object(told).to_string());
        let clock = &self.inner.clock;
        self.inner.limits.check(session.id, card.id, details.as_ref().map_or(0, String::len))?;
        let id = clock.new_id();
        self.push(NewEvent {
            seq: 0,
            id,
            at: clock.now(),
            kind: kind.to_owned(),
            user: Some(card.id),
            session: Some(session.id),
            organisation: card.organisation.as_ref().map(|o| o.id),
            route,
            ip: Some(ip.to_owned()),
            dur_ms: None,
            details,
        })?;
        Ok(id)
    }
}

fn text<'a>(field: &str, text: &'a str, most: usize) -> Result<&'a str, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::invalid(field, "Say something here."));
    }
    if text.chars().count() > most {
        return Err(ApiError::invalid(field, format!("Use at most {most} characters.")));
    }
    Ok(text)
}
