//! Every setting with its flag, its variable, its default and its help.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::{Args, Parser, ValueEnum, builder::BoolishValueParser};
use domain::{
    files::bytes_of,
    settings::{Fixed, durations_of_roles, numbers_of_roles, roles, zone},
    time::Millis,
};
use ipnet::IpNet;

use super::{
    base_url::BaseUrl,
    parse::{Listen, OrOff, duration, duration_or_off, network},
};

/// Run the server
///
/// Every setting is a flag, an environment variable, or a key of the settings file (the variable's name without
/// ROLLCALL_, in lower case), in that order of precedence.
#[derive(Clone, Debug, Parser)]
#[command(name = "rollcall serve", bin_name = "rollcall serve")]
pub struct ServeArgs {
    /// A settings file in TOML
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    pub storage: StorageArgs,
    #[command(flatten)]
    pub mail: MailArgs,
    #[command(flatten)]
    pub sessions: SessionArgs,
    #[command(flatten)]
    pub presence: PresenceArgs,
    #[command(flatten)]
    pub sockets: SocketArgs,
    #[command(flatten)]
    pub retention: RetentionArgs,
    #[command(flatten)]
    pub numbers: NumbersArgs,
    #[command(flatten)]
    pub log: LogArgs,
    /// Which settings were given, and how.
    #[arg(skip)]
    pub fixed: Fixed,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Where people and clients connect; port 0 takes a free one
    #[arg(long, env = "ROLLCALL_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub listen: Listen,
    /// Where health and metrics are served, or `off`
    #[arg(long, env = "ROLLCALL_OPS_LISTEN", default_value = "127.0.0.1:9600", value_name = "ADDRESS")]
    pub ops_listen: OrOff<Listen>,
    /// The address people use, such as https://rollcall.example; decides the cookie, links and the allowed Origin
    #[arg(long, env = "ROLLCALL_BASE_URL", value_name = "URL")]
    pub base_url: Option<BaseUrl>,
    /// Proxies whose X-Forwarded-For is believed, as networks separated by commas
    #[arg(long, env = "ROLLCALL_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network, value_name = "CIDRS")]
    pub trusted_proxies: Vec<IpNet>,
    /// Start without https on a listener others can reach: passwords and cookies can then be read on the way
    #[arg(
        long,
        env = "ROLLCALL_INSECURE_HTTP",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true,
        value_name = "YES"
    )]
    pub insecure_http: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageArgs {
    /// Where the database lives; created for its owner alone
    #[arg(long, env = "ROLLCALL_DATA_DIR", default_value = "./data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The database, sqlite:// or postgres:// [default: sqlite://DATA_DIR/rollcall.db]
    #[arg(long, env = "ROLLCALL_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The keys that seal what the database must not be able to read; made for its owner alone [default:
    /// DATA_DIR/secret.key]
    #[arg(long, env = "ROLLCALL_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// Where uploads and outputs are kept: file://PATH, whose partial files are in PATH.partial, or s3://BUCKET/PREFIX,
    /// whose keys, region and endpoint are in the usual AWS_* variables [default: file://DATA_DIR/files]
    #[arg(long, env = "ROLLCALL_STORAGE_URL", hide_env_values = true, value_name = "URL")]
    pub storage_url: Option<String>,
    /// A file that is uploaded may be this large
    #[arg(long, env = "ROLLCALL_UPLOAD_LIMIT", default_value = "100MB", value_parser = bytes_of, value_name = "SIZE")]
    pub upload_limit: u64,
    /// All uploads of one person; 0 = no limit
    #[arg(long, env = "ROLLCALL_UPLOAD_QUOTA", default_value = "5GB", value_parser = bytes_of, value_name = "SIZE")]
    pub upload_quota: u64,
    /// An .mmdb file with cities or countries, by which addresses have places; read at the start
    #[arg(long, env = "ROLLCALL_GEOIP_FILE", value_name = "FILE")]
    pub geoip_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailArgs {
    /// The server mails are sent by, smtps://NAME:PASSWORD@HOST or smtp://HOST:25; without it they wait in the outbox
    #[arg(long, env = "ROLLCALL_SMTP_URL", hide_env_values = true, requires = "mail_from", value_name = "URL")]
    pub smtp_url: Option<String>,
    /// The sender of mails, such as "Rollcall <rollcall@example.org>"
    #[arg(long, env = "ROLLCALL_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sessions")]
pub struct SessionArgs {
    /// A session ends this long after the last activity
    #[arg(long, env = "ROLLCALL_SESSION_IDLE", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub session_idle: Millis,
    /// A session ends this long after the sign-in, whatever happens
    #[arg(long, env = "ROLLCALL_SESSION_MAX", default_value = "30d", value_parser = duration, value_name = "DURATION")]
    pub session_max: Millis,
    /// The same for admins
    #[arg(
        long,
        env = "ROLLCALL_SESSION_MAX_ADMIN",
        default_value = "24h",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub session_max_admin: Millis,
    /// Idle limit of a remembered sign-in, or `off` to offer none
    #[arg(
        long,
        env = "ROLLCALL_SESSION_REMEMBER",
        default_value = "14d",
        value_parser = duration_or_off,
        value_name = "DURATION"
    )]
    pub session_remember: OrOff<Millis>,
    /// Idle limits of roles, in place of both, such as member=30m,teacher=2h [default: none]
    #[arg(
        long,
        env = "ROLLCALL_SESSION_IDLE_BY_ROLE",
        default_value = "",
        hide_default_value = true,
        value_parser = durations_of_roles,
        value_name = "ROLES"
    )]
    pub session_idle_by_role: BTreeMap<String, Millis>,
    /// Defaults of the four durations above; strict is 1 h idle, 24 h in all, no remembering
    #[arg(long, env = "ROLLCALL_SESSION_PRESET", default_value = "standard", value_name = "PRESET")]
    pub session_preset: Preset,
    /// Live sessions of one person; 0 = no limit
    #[arg(long, env = "ROLLCALL_SESSION_LIMIT", default_value_t = 10, value_name = "N")]
    pub session_limit: u32,
    /// Limits of roles, such as member=1,teacher=3 [default: none]
    #[arg(
        long,
        env = "ROLLCALL_SESSION_LIMIT_BY_ROLE",
        default_value = "",
        hide_default_value = true,
        value_parser = numbers_of_roles,
        value_name = "ROLES"
    )]
    pub session_limit_by_role: BTreeMap<String, u32>,
    /// At the limit, end the least recently used session or refuse the sign-in
    #[arg(long, env = "ROLLCALL_SESSION_LIMIT_POLICY", default_value = "lru", value_name = "POLICY")]
    pub session_limit_policy: Policy,
    /// How long a password that was just given counts for sensitive acts
    #[arg(long, env = "ROLLCALL_SUDO_FOR", default_value = "10m", value_parser = duration, value_name = "DURATION")]
    pub sudo_for: Millis,
    /// Roles whose people must have a second factor, such as admin,manager [default: none]
    #[arg(
        long,
        env = "ROLLCALL_SECOND_FACTOR_ROLES",
        default_value = "",
        hide_default_value = true,
        value_parser = roles,
        value_name = "ROLES"
    )]
    pub second_factor_roles: BTreeSet<String>,
    /// Slow down guessing of passwords; off is for measurements only
    #[arg(
        long,
        env = "ROLLCALL_LOGIN_THROTTLE",
        default_value = "on",
        action = clap::ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        hide_possible_values = true,
        value_name = "ON|OFF"
    )]
    pub login_throttle: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Presence")]
pub struct PresenceArgs {
    /// A session without a socket counts as connected this long after its last heartbeat
    #[arg(long, env = "ROLLCALL_ONLINE_WINDOW", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub online_window: Millis,
    /// People are idle after this long without input; also the limit of "active now"
    #[arg(long, env = "ROLLCALL_IDLE_AFTER", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub idle_after: Millis,
    /// People are away after this long without input
    #[arg(long, env = "ROLLCALL_AWAY_AFTER", default_value = "15m", value_parser = duration, value_name = "DURATION")]
    pub away_after: Millis,
    /// What people who are away are shown as
    #[arg(long, env = "ROLLCALL_AWAY_AS", default_value = "away", value_name = "STATE")]
    pub away_as: Away,
    /// After how long a silence the server pings a socket
    #[arg(long, env = "ROLLCALL_HEARTBEAT", default_value = "25s", value_parser = duration, value_name = "DURATION")]
    pub heartbeat: Millis,
    /// A socket without a sign of life for this long is lost
    #[arg(
        long,
        env = "ROLLCALL_SOCKET_LOST_AFTER",
        default_value = "45s",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub socket_lost_after: Millis,
    /// How long a lost connection may return before its person is offline
    #[arg(long, env = "ROLLCALL_GRACE", default_value = "15s", value_parser = duration, value_name = "DURATION")]
    pub grace: Millis,
    /// The same for a connection lost while its page was hidden
    #[arg(long, env = "ROLLCALL_HIDDEN_GRACE", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub hidden_grace: Millis,
    /// After a start, how long those who were connected before may return
    #[arg(long, env = "ROLLCALL_RESTART_GRACE", default_value = "45s", value_parser = duration, value_name = "DURATION")]
    pub restart_grace: Millis,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct SocketArgs {
    /// Open sockets of one session; 0 = no limit
    #[arg(long, env = "ROLLCALL_SOCKETS_PER_SESSION", default_value_t = 20, value_name = "N")]
    pub sockets_per_session: u32,
    /// Open sockets of one address; 0 = no limit
    #[arg(long, env = "ROLLCALL_SOCKETS_PER_ADDRESS", default_value_t = 0, value_name = "N")]
    pub sockets_per_address: u32,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Retention")]
#[expect(clippy::struct_field_names, reason = "a field's name is its flag and its key")]
pub struct RetentionArgs {
    /// Reports, exports and other outputs are deleted after this long
    #[arg(
        long,
        env = "ROLLCALL_RETENTION_OUTPUTS",
        default_value = "90d",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub retention_outputs: Millis,
    /// Events are deleted after this long
    #[arg(long, env = "ROLLCALL_RETENTION_EVENTS", default_value = "90d", value_parser = duration, value_name = "DURATION")]
    pub retention_events: Millis,
    /// Sessions are deleted this long after they ended
    #[arg(
        long,
        env = "ROLLCALL_RETENTION_SESSIONS",
        default_value = "365d",
        value_parser = duration,
        value_name = "DURATION"
    )]
    pub retention_sessions: Millis,
    /// Addresses are blanked this long after the session ended or the event happened
    #[arg(long, env = "ROLLCALL_RETENTION_IP", default_value = "30d", value_parser = duration, value_name = "DURATION")]
    pub retention_ip: Millis,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Numbers")]
pub struct NumbersArgs {
    /// The zone of the IANA database by whose days things are counted, such as Europe/Berlin
    #[arg(long, env = "ROLLCALL_ZONE", default_value = "UTC", value_parser = zone, value_name = "ZONE")]
    pub zone: String,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// What is logged to standard error: error, warn, info, debug, trace or off; also per module, as in info,server=debug
    #[arg(long, env = "ROLLCALL_LOG", default_value = "info", value_name = "LEVEL")]
    pub log: String,
    /// How it is written
    #[arg(long, env = "ROLLCALL_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Defaults of the session limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    Standard,
    Strict,
}

/// What happens at a sign-in beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    Lru,
    Refuse,
}

/// What people who are away are shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Away {
    Away,
    Offline,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}
