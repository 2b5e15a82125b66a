//! A notice for each who asked for an upload.

use domain::{
    ApiError, Time, UserId,
    access::{Action, reach},
    account::UserCard,
    notices::MailWhen,
    time::{DAY, MINUTE, Millis},
};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::Notices;
use crate::{
    mail::letter,
    store::{card, db, mail, notices as rows},
};

/// Between two mails to one person: what comes meanwhile is in the next one.
const BETWEEN: Millis = MINUTE;
/// A mail that nobody could send for longer takes in no more.
const COLLECTS: Millis = DAY;

impl Notices {
    /// Writes the notices of an upload, and the mails that go out at once, within the transaction of its row; whom to
    /// `ring` after the commit. Whether they may see it is decided by what they are now.
    pub(crate) async fn tell(
        &self,
        txn: &DatabaseTransaction,
        by: &UserCard,
        upload: Uuid,
        workflow: Option<&str>,
    ) -> Result<Vec<UserId>, ApiError> {
        let organisation = by.organisation.as_ref().map(|o| o.id);
        let mut asked = rows::asked(txn, by.id, organisation, workflow).await.map_err(db)?;
        if asked.is_empty() {
            return Ok(vec![]);
        }
        // One notice a person: of several that ask for it, the one that is mailed soonest.
        asked.sort_by_key(|a| (a.user_id, a.mail() as u8, a.at().minutes()));
        asked.dedup_by_key(|a| a.user_id);
        let ids: Vec<UserId> = asked.iter().map(|a| a.user_id).collect();
        let cards = card::by_ids(txn, &ids).await.map_err(db)?;
        let settings = self.sessions.inner.settings.now();
        let (now, zone) = (self.clock().now(), self.sessions.inner.events.zone());
        let mut told = vec![];
        for (card, asked) in cards.iter().filter_map(|c| Some((c, asked.iter().find(|a| a.user_id == c.id)?))) {
            let reach = reach(card.level, card.organisation.as_ref().map(|o| o.id), Action::Files);
            if !reach.covers(organisation) || settings.lacks_second_factor(card) {
                continue;
            }
            let (mail, digest_at) = match asked.mail() {
                MailWhen::AtOnce => (self.mail(txn, card, now).await?, None),
                MailWhen::Daily => (None, Some(zone.next(asked.at().minutes(), now))),
                MailWhen::Never => (None, None),
            };
            let (id, subscription) = (self.clock().new_id(), asked.id);
            let new = rows::New { id, user: card.id, upload, subscription, mail, digest_at, at: now };
            rows::insert(txn, new).await.map_err(db)?;
            told.push(card.id);
        }
        Ok(told)
    }

    /// The mail that tells of it: one that waits already, else a new one.
    async fn mail(&self, txn: &DatabaseTransaction, to: &UserCard, now: Time) -> Result<Option<Uuid>, ApiError> {
        let since = now.plus(-COLLECTS);
        if let Some(id) = mail::untried(txn, to.id, letter::UPLOADS, since).await.map_err(db)? {
            return Ok(Some(id));
        }
        let last = mail::last(txn, to.id, letter::UPLOADS, since).await.map_err(db)?;
        let due = last.map_or(now, |last| last.plus(BETWEEN).max(now));
        self.sessions.inner.mail.put_at(txn, to, letter::uploads(), due).await
    }
}
