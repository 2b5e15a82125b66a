//! What the data of an installation tells of its health: for `rollcall doctor`. Nothing is changed.

use std::path::Path;

use domain::{
    Actor, ApiError,
    mail::MailState,
    settings::Settings,
    time::{DAY, HOUR, Millis},
};

use crate::{
    audit::{Audit, Verified},
    clock::Clock,
    files::{self, Storage, StorageError, Strays},
    store::{Store, checkup, db, mail, user},
    vault::{self, Tried, VaultError},
};

/// The clean-up runs every hour: what it left this long it did not see.
const OVERDUE: Millis = 3 * HOUR;
/// What is past its retention may wait for the clean-up of the next day.
const KEPT_TOO_LONG: Millis = DAY;

/// What was found.
#[derive(Debug)]
pub struct Checkup {
    /// Whether anybody has an account.
    pub anybody: bool,
    /// All administrators.
    pub admins: Vec<Admin>,
    pub outbox: Outbox,
    /// Sessions that were over hours ago and are not marked as ended.
    pub expired: u64,
    /// Sessions that ended longer ago than they are to be kept.
    pub kept: u64,
    /// Whether the keys open what is sealed.
    pub keys: Result<Tried, VaultError>,
    pub audit: Verified,
    /// What does not agree between rows and storage.
    pub strays: Result<Strays, StorageError>,
}

/// An administrator, as far as it matters whether they can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub username: String,
    pub enabled: bool,
    pub has_password: bool,
    pub second_factor: bool,
}

/// Mails that did not go out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    pub waiting: u64,
    /// How long the first of them waits.
    pub waiting_for: Millis,
    /// Tried often enough.
    pub given_up: u64,
    pub last_error: Option<String>,
}

impl Checkup {
    /// Looks at a database whose schema is up to date, with the settings in force.
    pub async fn of(
        url: &str,
        storage_url: &str,
        key_file: &Path,
        settings: &Settings,
        clock: &Clock,
    ) -> Result<Self, ApiError> {
        let store = Store::open_to_look(url).await.map_err(db)?;
        let found = Self::look(&store, storage_url, key_file, settings, clock).await;
        store.close().await;
        found
    }

    async fn look(
        store: &Store,
        storage_url: &str,
        key_file: &Path,
        settings: &Settings,
        clock: &Clock,
    ) -> Result<Self, ApiError> {
        let (read, now) = (store.read(), clock.now());
        let number = |n: i64| n.unsigned_abs();
        let before = now.plus(-settings.retention_sessions).plus(-KEPT_TOO_LONG);
        let admins = store.within(checkup::admins(read)).await?;
        Ok(Self {
            anybody: store.within(user::any(read)).await?,
            admins: admins.into_iter().map(Admin::from).collect(),
            outbox: Outbox {
                waiting: number(store.within(mail::count(read, Some(MailState::Waiting))).await?),
                waiting_for: store.within(checkup::oldest_mail(read)).await?.map_or(0, |at| now.since(at)),
                given_up: number(store.within(mail::count(read, Some(MailState::GivenUp))).await?),
                last_error: store.within(checkup::mail_error(read)).await?,
            },
            expired: number(store.within(checkup::expired(read, now.plus(-OVERDUE))).await?),
            kept: number(store.within(checkup::kept(read, before)).await?),
            keys: vault::try_keys(store, key_file, now).await?,
            audit: Audit::new(store.clone(), clock.clone()).verify(&Actor::Operator, None).await?,
            strays: match Storage::at_url(storage_url) {
                Ok(storage) => files::strays(store, &storage).await?,
                Err(e) => Err(e),
            },
        })
    }
}

impl From<checkup::Admin> for Admin {
    fn from(a: checkup::Admin) -> Self {
        Self {
            username: a.username,
            enabled: !a.disabled,
            has_password: a.has_password,
            second_factor: a.second_factor,
        }
    }
}
