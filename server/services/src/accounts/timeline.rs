//! A person's story: sign-ins, ends of sessions, and what was done to the account.

use domain::{Actor, ApiError, ErrorCode, Reach, UserId, access::Action, people::Moment};

use super::Accounts;
use crate::{
    cursor,
    sessions::Page,
    store::timeline::{self, After},
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;

impl Accounts {
    /// The newest moments of somebody within the actor's reach first; 404 for everybody else. What the audit log says of
    /// them is for those who may read it; others get the sessions.
    pub async fn timeline(
        &self,
        actor: &Actor,
        id: UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Moment>, ApiError> {
        let card = self.card(actor, id).await?;
        let after = cursor.map(decode).transpose()?;
        let limit = limit.clamp(1, LIMIT_MAX);
        let log_of = (actor.reach(Action::Audit) == Reach::Everything).then_some(&*card.username);
        let store = self.store();
        let page = timeline::page(store.read(), id, log_of, after, i64::from(limit) + 1);
        let mut rows = store.within(page).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(after, _)| encode(after));
        Ok(Page { items: rows.into_iter().map(|(_, moment)| moment).collect(), next, total: None })
    }
}

fn encode(a: &After) -> String {
    cursor::encode(&[&a.at.to_string(), &a.from.to_string(), &a.seq.to_string()], a.id)
}

fn decode(text: &str) -> Result<After, ApiError> {
    let parsed = || {
        let ([at, from, seq], id) = cursor::decode::<3>(text)?;
        Some(After { at: at.parse().ok()?, from: from.parse().ok()?, seq: seq.parse().ok()?, id })
    };
    parsed().ok_or_else(|| ApiError::new(ErrorCode::BadRequest, cursor::STRANGE))
}
