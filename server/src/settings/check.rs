//! What may not go together, and the settings as the program uses them.

use std::path::{Path, absolute};

use domain::settings::{AwayAs, Lifetimes, LimitPolicy, PresenceLimits, Preset, Settings};
use humantime::format_duration;

use super::{
    SECRET_KEY, ServeArgs, ServeSettings, UsageError,
    args::{self, Away, Policy, PresenceArgs},
    storage_in,
};

impl ServeArgs {
    /// The settings, or what makes no sense in them.
    pub fn settings(self) -> Result<ServeSettings, UsageError> {
        let Self { network, storage, mail, sessions, presence, sockets, retention, numbers, log, fixed, .. } = self;
        check_presence(&presence)?;
        crate::log::check(&log.log)?;
        let data_dir = absolute(&storage.data_dir)
            .map_err(|e| UsageError::new(format!("--data-dir {} makes no path: {e}", storage.data_dir.display())))?;
        let database_url = match storage.database_url {
            Some(url) => check_database_url(url)?,
            None => sqlite_url(&data_dir.join("rollcall.db")),
        };
        let secret_key_file = match storage.secret_key_file {
            Some(path) => absolute(&path)
                .map_err(|e| UsageError::new(format!("--secret-key-file {} makes no path: {e}", path.display())))?,
            None => data_dir.join(SECRET_KEY),
        };
        let storage_url = match storage.storage_url {
            Some(url) => check_storage_url(url)?,
            None => storage_in(&data_dir),
        };
        let smtp = match (mail.smtp_url, mail.mail_from) {
            (Some(url), Some(from)) => Some(
                services::Smtp::new(&url, &from)
                    .map_err(|e| UsageError::new(format!("--smtp-url and --mail-from: {e}")))?,
            ),
            _ => None,
        };
        let services = Settings {
            preset: match sessions.session_preset {
                args::Preset::Standard => Preset::Standard,
                args::Preset::Strict => Preset::Strict,
            },
            lifetimes: Lifetimes {
                idle: sessions.session_idle,
                max: sessions.session_max,
                max_admin: sessions.session_max_admin,
                remember: sessions.session_remember.0,
                idle_by_role: sessions.session_idle_by_role,
            },
            session_limit: sessions.session_limit,
            session_limit_by_role: sessions.session_limit_by_role,
            session_limit_policy: match sessions.session_limit_policy {
                Policy::Lru => LimitPolicy::Lru,
                Policy::Refuse => LimitPolicy::Refuse,
            },
            sudo_for: sessions.sudo_for,
            second_factor_roles: sessions.second_factor_roles,
            login_throttle: sessions.login_throttle,
            presence: PresenceLimits {
                idle_after: presence.idle_after,
                away_after: presence.away_after,
                away_as: match presence.away_as {
                    Away::Away => AwayAs::Away,
                    Away::Offline => AwayAs::Offline,
                },
                online_window: presence.online_window,
                lost_after: presence.socket_lost_after,
                grace: presence.grace,
                hidden_grace: presence.hidden_grace,
                restart_grace: presence.restart_grace,
            },
            heartbeat: presence.heartbeat,
            sockets_per_session: sockets.sockets_per_session,
            sockets_per_address: sockets.sockets_per_address,
            upload_limit: storage.upload_limit,
            upload_quota: storage.upload_quota,
            retention_outputs: retention.retention_outputs,
            retention_sessions: retention.retention_sessions,
            retention_events: retention.retention_events,
            retention_ip: retention.retention_ip,
            zone: numbers.zone,
        };
        Ok(ServeSettings {
            listen: network.listen.0,
            ops_listen: network.ops_listen.0.map(|listen| listen.0),
            // An empty variable is how some set-ups say that there is none.
            geoip_file: storage.geoip_file.filter(|path| !path.as_os_str().is_empty()),
            data_dir,
            database_url,
            secret_key_file,
            storage_url,
            smtp,
            base_url: network.base_url,
            insecure_http: network.insecure_http,
            trusted_proxies: network.trusted_proxies,
            log: log.log,
            log_format: log.log_format,
            services,
            fixed,
        })
    }
}

impl ServeSettings {
    /// Passwords and cookies must not cross a network in the clear unless somebody said so.
    pub fn check_listener(&self) -> Result<(), UsageError> {
        if self.listen.ip().is_loopback() || self.https() || self.insecure_http {
            return Ok(());
        }
        Err(UsageError::new(format!(
            "{} can be reached from outside, where passwords and cookies need https: put a proxy with a certificate in \
             front and set --base-url https://…, or say --insecure-http",
            self.listen
        )))
    }
}

fn check_presence(p: &PresenceArgs) -> Result<(), UsageError> {
    let said = |ms: i64| format_duration(std::time::Duration::from_millis(ms.unsigned_abs()));
    if p.idle_after > p.away_after {
        return Err(UsageError::new(format!(
            "--idle-after {} is longer than --away-after {}, so nobody could be idle: make it shorter",
            said(p.idle_after),
            said(p.away_after)
        )));
    }
    if p.heartbeat >= p.socket_lost_after {
        return Err(UsageError::new(format!(
            "--heartbeat {} must be shorter than --socket-lost-after {}, or every socket would count as lost",
            said(p.heartbeat),
            said(p.socket_lost_after)
        )));
    }
    Ok(())
}

fn check_database_url(url: String) -> Result<String, UsageError> {
    if ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url);
    }
    // What was given is not repeated: it may hold a password.
    Err(UsageError::new("--database-url takes sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME"))
}

fn check_storage_url(url: String) -> Result<String, UsageError> {
    let folder = url.strip_prefix("file://").is_some_and(|path| path.len() > 1 && path.starts_with('/'));
    let bucket =
        url.strip_prefix("s3://").is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty() && !rest.contains('@'));
    if folder || bucket {
        return Ok(url);
    }
    // Not repeated, as above.
    Err(UsageError::new(
        "--storage-url takes file:///PATH, or s3://BUCKET/PREFIX with AWS_* variables for who asks where",
    ))
}

/// The URL of a SQLite file; the two characters that mean something in it are escaped.
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display().to_string().replace('%', "%25").replace('?', "%3F"))
}
