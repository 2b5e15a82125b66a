//! A server's services on a fresh database.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::{
    Actor, Time,
    account::UserCard,
    settings::{Fixed, Settings},
    time::DAY,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use services::{Clock, Config, LiveSession, NewUser, OpenError, Origin, Services, SignedIn, Smtp};
use tempfile::TempDir;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

static COUNTER: AtomicU32 = AtomicU32::new(0);

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Where every world's clock begins.
pub(crate) const BEGIN: Time = Time(1_800_000_000_000);

pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) clock: Clock,
    pub(crate) url: String,
    pub(crate) settings: Settings,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// SQLite's directory; nothing for PostgreSQL.
    pub(crate) dir: Option<TempDir>,
    /// Where the key file is.
    pub(crate) home: Arc<TempDir>,
}

/// Runs a test on each database there is.
pub(crate) async fn each(settings: Settings, test: impl AsyncFn(&World)) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/rollcall.db", dir.path().display());
    run(url, settings.clone(), Some(dir), &test).await;
    let Ok(server) = std::env::var("ROLLCALL_TEST_POSTGRES") else { return };
    let name = format!("rollcall_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::SeqCst));
    let admin = Database::connect(&server).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    run(with_database(&server, &name), settings, None, &test).await;
    admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}

/// The address of another database of the same server.
pub(crate) fn with_database(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, None), |(a, q)| (a, Some(q)));
    let base = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    query.map_or(format!("{base}/{name}"), |q| format!("{base}/{name}?{q}"))
}

async fn run(url: String, settings: Settings, dir: Option<TempDir>, test: &impl AsyncFn(&World)) {
    let clock = Clock::manual(BEGIN);
    let home = Arc::new(tempfile::tempdir().unwrap());
    let world = World::open(url, clock, settings, dir, true, home).await;
    test(&world).await;
    world.close().await;
}

fn configure(url: &str, settings: Settings, background: bool, home: &TempDir) -> Config {
    Config {
        database_url: url.to_owned(),
        settings,
        fixed: Fixed::default(),
        secret_key_file: home.path().join("secret.key"),
        data_dir: home.path().to_owned(),
        storage_url: format!("file://{}", home.path().join("files").display()),
        geoip_file: None,
        base: "https://rollcall.example".to_owned(),
        smtp: None,
        background,
    }
}

impl World {
    pub(crate) async fn open(
        url: String,
        clock: Clock,
        settings: Settings,
        dir: Option<TempDir>,
        background: bool,
        home: Arc<TempDir>,
    ) -> Self {
        let config = configure(&url, settings, background, &home);
        Self::open_with(config, clock, dir, home).await
    }

    async fn open_with(config: Config, clock: Clock, dir: Option<TempDir>, home: Arc<TempDir>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (url, settings) = (config.database_url.clone(), config.settings.clone());
        // Its future is large, and tests open several worlds.
        let services = Box::pin(Services::open(config, clock.clone(), stop.clone(), &tasks)).await.unwrap();
        Self { services, clock, url, settings, stop, tasks, dir, home }
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.services.flush().await;
        self.services.store.close().await;
    }

    /// Another process on the same database: a command, or the server after a restart.
    pub(crate) async fn another(&self, background: bool) -> Self {
        self.another_with(self.settings.clone(), background).await
    }

    pub(crate) async fn another_with(&self, settings: Settings, background: bool) -> Self {
        Self::open(self.url.clone(), self.clock.clone(), settings, None, background, Arc::clone(&self.home)).await
    }

    fn config(&self, background: bool) -> Config {
        configure(&self.url, self.settings.clone(), background, &self.home)
    }

    /// A server that knows where addresses are.
    pub(crate) async fn another_at(&self, places: &Path) -> Self {
        let config = Config { geoip_file: Some(places.to_owned()), ..self.config(true) };
        Self::open_with(config, self.clock.clone(), None, Arc::clone(&self.home)).await
    }

    /// A server on the same database that was started with flags.
    pub(crate) async fn fixing(&self, fixed: Fixed) -> Self {
        let config = Config { fixed, ..self.config(true) };
        Self::open_with(config, self.clock.clone(), None, Arc::clone(&self.home)).await
    }

    /// A server with this mail server; without `background` mails go out only when a test says so.
    pub(crate) async fn mailing(&self, smtp: Smtp, background: bool) -> Self {
        let config = Config { smtp: Some(smtp), ..self.config(background) };
        Self::open_with(config, self.clock.clone(), None, Arc::clone(&self.home)).await
    }

    /// Whether another process could open the database.
    pub(crate) async fn try_another(&self) -> Result<(), OpenError> {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let opened = Services::open(self.config(false), self.clock.clone(), stop, &tasks).await?;
        opened.store.close().await;
        Ok(())
    }

    pub(crate) async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    pub(crate) async fn sql(&self, text: &str) -> u64 {
        self.raw().await.execute_unprepared(text).await.unwrap().rows_affected()
    }

    pub(crate) async fn text(&self, text: &str) -> Option<String> {
        let db = self.raw().await;
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), text);
        db.query_one_raw(statement).await.unwrap().and_then(|r| r.try_get_by_index(0).unwrap())
    }

    /// A member named `username`, with `PASSWORD`.
    pub(crate) async fn user(&self, username: &str) -> UserCard {
        self.add(NewUser { username: username.into(), password: Some(PASSWORD.into()), ..NewUser::default() }).await
    }

    /// A person without a password, which costs no hashing.
    pub(crate) async fn add(&self, new: NewUser) -> UserCard {
        let view = self.services.accounts.add(&Actor::Operator, new).await.unwrap();
        self.services.accounts.card(&Actor::Operator, view.id).await.unwrap()
    }

    pub(crate) async fn person(&self, username: &str, role: &str, organisation: Option<&str>) -> UserCard {
        self.add(NewUser {
            username: username.into(),
            role: Some(role.into()),
            organisation: organisation.map(str::to_owned),
            ..NewUser::default()
        })
        .await
    }

    /// A session without hashing.
    pub(crate) async fn session(&self, card: &UserCard) -> SignedIn {
        self.services.sessions.create(card, false, &from()).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Result<SignedIn, domain::ApiError> {
        self.services.sessions.sign_in(username, password, false, &from(), None).await
    }

    /// Whether a token would authenticate a request.
    pub(crate) async fn opens(&self, s: &SignedIn) -> bool {
        self.check(s.token.expose()).await.is_some()
    }

    pub(crate) async fn check(&self, token: &str) -> Option<Arc<LiveSession>> {
        self.services.sessions.authenticate(token).await.unwrap()
    }
}

pub(crate) fn from() -> Origin {
    Origin {
        ip: "192.0.2.7".into(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
    }
}

pub(crate) fn unlimited() -> Settings {
    Settings { session_limit: 0, ..Settings::default() }
}

/// For tests that jump about: nothing is deleted.
pub(crate) fn keeping() -> Settings {
    Settings { session_limit: 0, retention_sessions: 36_500 * DAY, ..Settings::default() }
}
