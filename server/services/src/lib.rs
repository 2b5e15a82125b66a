//! Everything that does I/O for Rollcall: accounts, sessions, presence, the store.
//!
//! A folder per noun; each has a handle that is a cheap clone, and `Services` holds them all. Every method takes the
//! `Actor` and decides permission itself, so that the pages, the API, the socket and the command line, which are thin
//! doors onto these methods, cannot differ. Not here: HTTP, HTML, wire formats (`server`, `app`) and pure rules
//! (`domain`). Time comes from `Clock`, secrets from `secret`.
//!
//! To add a noun: a migration, its queries in `store`, a folder here, a field of `Services`.

pub mod accounts;
pub mod activity;
pub mod audit;
pub mod checkup;
pub mod clock;
pub mod csv;
mod cursor;
mod daily;
pub mod directory;
pub mod disk;
pub mod files;
pub mod geo;
pub mod mail;
pub mod notices;
mod passwords;
pub mod preferences;
pub mod presence;
pub mod reports;
pub mod second_factor;
pub mod secret;
pub mod sessions;
pub mod settings;
pub mod sheets;
mod signs;
pub mod store;
mod throttle;
pub mod traffic;
pub mod vault;

use std::{path::PathBuf, time::Duration};

use domain::{
    ApiError,
    settings::{Fixed, Given, Settings},
};
use sea_orm::DbErr;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use crate::{
    accounts::{Accounts, Edited, EmailChange, Invitation, Invited, NewUser, WhichPeople, Who},
    activity::{Activity, Export, Ingested, PastEvents},
    audit::{Audit, AuditRow, Verified, Whose},
    checkup::Checkup,
    clock::Clock,
    directory::Directory,
    files::{Files, StorageError},
    geo::{PlaceError, Places},
    mail::{Mail, Smtp},
    notices::Notices,
    preferences::PreferencesOf,
    presence::Presence,
    reports::Reports,
    second_factor::SecondFactor,
    secret::Token,
    sessions::{CLEAN_UP_PATIENCE, CleanedUp, History, LiveSession, Origin, Page, Sessions, SignedIn, Which},
    settings::{Changes, Present, SettingsOf},
    signs::Opened,
    store::{Inspection, Migration, Store, audit::AuditFilter},
    traffic::Traffic,
    vault::{KeyView, Tried, Vault, VaultError},
};

/// What `Services::open` needs to know.
#[derive(Clone)]
pub struct Config {
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// What is in force where nobody chose anything else.
    pub settings: Settings,
    /// Which of it nobody can change, and by what it is fixed.
    pub fixed: Fixed,
    /// Where the keys are that seal what the database must not be able to read; made when it is not there.
    pub secret_key_file: PathBuf,
    /// Where what is ours on this machine is kept.
    pub data_dir: PathBuf,
    /// Where files are kept: `file:///…` or `s3://…`.
    pub storage_url: String,
    /// An .mmdb file by which addresses have places.
    pub geoip_file: Option<PathBuf>,
    /// Where people reach us, such as `https://rollcall.example`: links in mails begin with it.
    pub base: String,
    /// The server mails are sent by; without one they wait.
    pub smtp: Option<Smtp>,
    /// Whether this is the server. A command beside it runs no background tasks and has no presence.
    pub background: bool,
}

/// Why the services could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("The database could not be opened or migrated; check its URL and that it is running and writable: {0}")]
    Database(#[from] DbErr),
    #[error("The database could not be read at the start: {0}")]
    Start(#[from] ApiError),
    #[error(transparent)]
    Keys(#[from] VaultError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// All services; one cheap clone.
#[derive(Clone)]
pub struct Services {
    pub accounts: Accounts,
    pub directory: Directory,
    pub sessions: Sessions,
    pub presence: Presence,
    pub preferences: PreferencesOf,
    pub activity: Activity,
    pub files: Files,
    pub notices: Notices,
    pub mail: Mail,
    pub reports: Reports,
    pub second_factor: SecondFactor,
    pub audit: Audit,
    pub vault: Vault,
    pub store: Store,
    pub traffic: Traffic,
    pub settings: SettingsOf,
    pub clock: Clock,
    /// Where there is room for what grows: never the system's folder for temporary files, which may be memory.
    pub data_dir: PathBuf,
}

impl Services {
    /// Opens the database, migrates it, and for a server starts presence, the write-behind, the hourly clean-up and the
    /// watch for what other processes end. The tasks end with `stop`.
    pub async fn open(
        config: Config,
        clock: Clock,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, OpenError> {
        let store = Store::open(&config.database_url).await?;
        let chosen = store::settings::all(store.read()).await?;
        let given = Given { base: config.settings, fixed: config.fixed };
        let settings = Present::new(given, &chosen.into_iter().map(|(key, row)| (key, row.value)).collect());
        let presence = if config.background {
            let roles = store::directory::roles(store.read()).await?.into_iter().map(|r| r.name).collect();
            Presence::start(store.clone(), settings.clone(), roles, clock.clone(), stop.clone(), tasks).await?
        } else {
            Presence::inert(clock.clone())
        };
        let activity = Activity::new(store.clone(), clock.clone(), settings.clone());
        let audit = Audit::new(store.clone(), clock.clone());
        let used = store::sealed::keys_used(store.read()).await?;
        let vault = Vault::open(&config.secret_key_file, &used, clock.now())?;
        let mail = Mail::new(store.clone(), clock.clone(), vault.clone(), config.base, config.smtp);
        let sessions = Sessions::new(
            store.clone(),
            clock.clone(),
            audit.clone(),
            vault.clone(),
            mail.clone(),
            Places::open(config.geoip_file.as_deref())?,
            settings.clone(),
            activity.clone(),
            presence.clone(),
            config.background,
            stop.clone(),
            tasks.clone(),
        );
        let changing = SettingsOf::new(sessions.clone());
        let notices = Notices::new(sessions.clone());
        let files = Files::open(sessions.clone(), notices.clone(), &config.storage_url)?;
        let reports = Reports::new(sessions.clone(), activity.clone(), files.clone(), config.data_dir.clone());
        let (here, of) = (presence.clone(), activity.clone());
        let traffic = Traffic::open(store.clone(), of, here, clock.clone(), config.background).await?;
        if config.background {
            // Before anything is loaded, so that nothing that ends from here on is missed.
            let (ending, change) = (sessions.last_ending().await?, changing.last().await?);
            sessions.apply_settings().await?;
            activity.start(&stop, tasks);
            tasks.spawn(sessions.inner.activity.clone().run(settings, stop.clone()));
            tasks.spawn(sessions.clone().run_clean_up(stop.clone()));
            tasks.spawn(store.clone().run_checkpoints(stop.clone()));
            files.reconcile().await?;
            files.tell_all_uploads().await?;
            tasks.spawn(files.clone().run(stop.clone()));
            tasks.spawn(files.clone().run_running(stop.clone()));
            tasks.spawn(notices.clone().run_bell(stop.clone()));
            tasks.spawn(notices.clone().run_digests(stop.clone()));
            tasks.spawn(reports.clone().run_schedules(stop.clone()));
            tasks.spawn(reports.clone().run(stop.clone()));
            tasks.spawn(reports.clone().run_live(stop.clone()));
            tasks.spawn(audit.clone().run(stop.clone()));
            tasks.spawn(mail.clone().run(stop.clone()));
            tasks.spawn(vault::seal_old(store.clone(), vault.clone(), stop.clone()));
            tasks.spawn(sessions.clone().run_watch(ending, stop.clone()));
            tasks.spawn(traffic.clone().run(stop.clone()));
            tasks.spawn(traffic.clone().run_live(stop.clone()));
            tasks.spawn(changing.clone().run_watch(change, stop));
        }
        let accounts = Accounts::new(sessions.clone());
        Ok(Self {
            directory: Directory::new(accounts.clone()),
            accounts,
            activity,
            files,
            notices,
            mail,
            reports,
            second_factor: SecondFactor::new(sessions.clone()),
            audit,
            vault,
            preferences: PreferencesOf::new(sessions.clone()),
            sessions,
            presence,
            store,
            traffic,
            settings: changing,
            clock,
            data_dir: config.data_dir,
        })
    }

    /// Sets the metrics that are not counted as things happen; to be called when they are read.
    pub async fn measure(&self) {
        self.sessions.inner.activity.measure();
        self.activity.measure();
        self.presence.measure().await;
    }

    /// Writes everything that waits; to be called last, when requests and sockets are done.
    pub async fn flush(&self) {
        let all = async {
            tokio::join!(self.sessions.flush(), self.presence.flush(), self.activity.flush(), self.traffic.flush())
        };
        // A database that is away at the end must not keep the process from stopping.
        let Ok((sessions, presence, activity, traffic)) = tokio::time::timeout(Duration::from_secs(5), all).await
        else {
            tracing::warn!("the last of what was written behind could not be written in time");
            return;
        };
        for e in [sessions.err(), presence.err(), activity.err(), traffic.err()].into_iter().flatten() {
            tracing::warn!(error = %e, "the last of what was written behind could not be written");
        }
    }
}
