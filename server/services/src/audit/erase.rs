//! Taking a person's texts out of the log, without breaking the chain.

use domain::{Actor, ApiError, access::Action};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde_json::json;

use super::{
    Audit, Entry, append_as,
    chain::{self, Taken},
};
use crate::{
    clock::Clock,
    store::{
        audit::{self, Row},
        db,
    },
};

/// Entries looked at at a time.
const BATCH: i64 = 1_000;

/// Whose texts are to go.
#[derive(Clone, Debug)]
pub struct Whose {
    pub username: String,
    /// What else they were called: their id, name and e-mail.
    pub also: Vec<String>,
}

impl Whose {
    /// Which fields of an entry are about them. An address is that of whoever acted, or tried to be somebody.
    fn fields(&self, row: &Row) -> Vec<usize> {
        let is = |text: &str| text == self.username || self.also.iter().any(|a| a == text);
        let acted = is(&row.actor);
        let meant = row.subject.as_deref().is_some_and(|s| is(s) || self.is_in(s));
        let own = acted && row.subject_kind == "session";
        let told = row.details.as_deref().is_some_and(|d| self.is_in(d));
        let mine = [acted, meant || own, meant || own || told, acted || meant && row.actor == "anonymous"];
        let there = row.texts();
        // What records an erasure says nothing of anybody.
        let kept = |field: usize| field == 2 && row.action == chain::ERASED;
        (0..4).filter(|i| mine[*i] && there[*i].is_some() && !kept(*i) && !chain::is_erased(row, *i)).collect()
    }

    /// Whether a text has one of the names in it, as a word.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let word = |at: usize, name: &str| {
            let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
            ![before, after].iter().flatten().any(|c| c.is_alphanumeric())
        };
        std::iter::once(&self.username).chain(&self.also).any(|name| {
            // As it stands within JSON.
            let name = json!(name.to_lowercase()).to_string();
            let name = name.trim_matches('"');
            !name.is_empty() && text.match_indices(name).any(|(at, _)| word(at, name))
        })
    }
}

impl Audit {
    /// Which entries say something of a person, so far. Without holding up writers: what is added before they are erased is
    /// looked at then.
    pub(crate) async fn mentions(&self, whose: &Whose) -> Result<Found, ApiError> {
        let mut found = Found::default();
        found.look(self.store.read(), whose).await.map_err(db)?;
        Ok(found)
    }

    /// Replaces everything the log says of a person by a pseudonym and drops the salts; how many fields. The chain stays
    /// good, and an entry records the erasure. Asks for sudo mode.
    pub async fn erase(&self, actor: &Actor, whose: &Whose) -> Result<u64, ApiError> {
        actor.require(Action::Accounts)?;
        actor.require_fresh(self.clock.now())?;
        let found = self.mentions(whose).await?;
        let txn = self.store.within(self.store.begin()).await?;
        let fields = found.erase(&txn, &self.clock, actor, whose).await.map_err(db)?;
        txn.commit().await.map_err(db)?;
        Ok(fields)
    }
}

/// Numbers of entries about a person, up to a number.
#[derive(Default)]
pub(crate) struct Found {
    numbers: Vec<i64>,
    up_to: i64,
}

impl Found {
    pub(crate) fn entries(&self) -> u64 {
        self.numbers.len() as u64
    }

    async fn look(&mut self, db: &impl ConnectionTrait, whose: &Whose) -> Result<(), DbErr> {
        loop {
            let rows = audit::after(db, self.up_to, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            self.up_to = last.seq;
            self.numbers.extend(rows.iter().filter(|r| !whose.fields(r).is_empty()).map(|r| r.seq));
        }
    }

    /// Erases them within the caller's transaction, which is one of `Store::begin`; how many fields.
    pub(crate) async fn erase(
        mut self,
        txn: &DatabaseTransaction,
        clock: &Clock,
        actor: &Actor,
        whose: &Whose,
    ) -> Result<u64, DbErr> {
        self.look(txn, whose).await?;
        let by = audit::advance(txn).await?;
        let (mut taken, entries) = (Taken::default(), self.numbers.len());
        for number in self.numbers {
            // As it is now: another erasure may have taken something from it meanwhile.
            let Some(mut row) = audit::after(txn, number - 1, 1).await?.pop() else { continue };
            for field in whose.fields(&row) {
                chain::erase(&mut row, field, by.seq);
                taken.add(row.seq, field);
            }
            audit::replace(txn, &row).await?;
        }
        let details = json!({"entries": entries, "fields": taken.fields, "digest": taken.digest()});
        let entry = Entry { action: chain::ERASED, subject_kind: "user", details: Some(details), ..Entry::default() };
        append_as(txn, clock, by, actor.into(), entry).await?;
        Ok(taken.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_words() {
        let whose = Whose { username: "ada".into(), also: vec!["Ada \"L\" Lovelace".into(), String::new()] };
        for there in [r#"{"user":"ada"}"#, "by ADA.", r#"{"name":"Ada \"L\" Lovelace"}"#] {
            assert!(whose.is_in(there), "{there}");
        }
        for not_there in ["", "{}", r#"{"user":"adam"}"#, "canada", "Ada-less".strip_prefix("Ada").unwrap_or_default()]
        {
            assert!(!whose.is_in(not_there), "{not_there}");
        }
    }
}
