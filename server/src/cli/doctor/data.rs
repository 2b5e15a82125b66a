//! What is in the database: who can administrate, what waits, what should be gone, what opens, and whether the log is whole.

use domain::{
    settings::Settings,
    time::{HOUR, Millis, human},
};
use services::{
    Checkup, Clock, Tried, VaultError, Verified,
    checkup::{Admin, Outbox},
    files::{StorageError, Strays},
};

use super::Finding;
use crate::{cli::out::count, settings::ServeSettings};

pub(super) async fn data(settings: &ServeSettings, now: &Settings) -> Vec<Finding> {
    let key_file = &settings.secret_key_file;
    match Checkup::of(&settings.database_url, &settings.storage_url, key_file, now, &Clock::System).await {
        Ok(c) => vec![
            administrators(c.anybody, &c.admins),
            second_factors(&c.admins),
            outbox(&c.outbox, settings.smtp.is_some()),
            clean_up(c.expired, c.kept),
            sealed(&c.keys),
            audit(&c.audit),
            strays(&c.strays),
        ],
        Err(e) => vec![Finding::bad(
            "contents",
            format!("the database could not be read: {e}"),
            "what is in it was not looked at",
            "see the lines above, and try again",
        )],
    }
}

fn administrators(anybody: bool, admins: &[Admin]) -> Finding {
    const NAME: &str = "admins";
    let why = "nobody can let people in, sign them out or change settings";
    if !anybody {
        let mend = "open the link that `rollcall serve` prints, or: rollcall user add --role admin --username NAME";
        return Finding::warn(NAME, "nobody has an account yet", "nobody can sign in", mend);
    }
    let (enabled, disabled): (Vec<&Admin>, Vec<&Admin>) = admins.iter().partition(|a| a.enabled);
    match (enabled.iter().filter(|a| a.has_password).count() as u64, enabled.first(), disabled.first()) {
        (0, Some(invited), _) => Finding::bad(
            NAME,
            "no administrator has chosen a password yet",
            why,
            format!("rollcall user reset-link {}", invited.username),
        ),
        (0, None, Some(off)) => {
            Finding::bad(NAME, "all administrators are disabled", why, format!("rollcall user enable {}", off.username))
        }
        (0, None, None) => Finding::bad(
            NAME,
            "there is no administrator",
            why,
            "rollcall user edit USERNAME --role admin, or: rollcall user add --role admin --username NAME",
        ),
        (n, ..) => Finding::ok(NAME, format!("{} can sign in", count(n, "administrator"))),
    }
}

/// Named are so many at most.
const NAMED: usize = 5;

fn second_factors(admins: &[Admin]) -> Finding {
    const NAME: &str = "two factors";
    let without: Vec<&str> =
        admins.iter().filter(|a| a.enabled && !a.second_factor).map(|a| a.username.as_str()).collect();
    if without.is_empty() {
        return Finding::ok(NAME, "every administrator has a second factor");
    }
    let names = without.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = match without.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Finding::info(
        NAME,
        format!("{} without a second factor: {names}{more}", count(without.len() as u64, "administrator")),
        "whoever learns such a password may do everything",
        "each sets it up under /account/second-factor; to require it: rollcall settings set second_factor_roles admin",
    )
}

/// A mail is on its way within seconds, and after its first failures within an hour.
const STUCK: Millis = HOUR;

fn outbox(o: &Outbox, configured: bool) -> Finding {
    const NAME: &str = "outbox";
    let said = o.last_error.as_ref().map(|e| format!("; the last error: {e}")).unwrap_or_default();
    let why = "people wait for links and notices that do not come";
    if o.given_up > 0 {
        let found = format!("{} given up{said}", count(o.given_up, "mail"));
        let mend = "when the mail server is right: rollcall mail retry --all; else: rollcall mail drop --all";
        return Finding::warn(NAME, found, why, mend);
    }
    if o.waiting > 0 && o.waiting_for > STUCK {
        let found = format!("{} waiting, the first for {}{said}", count(o.waiting, "mail"), human(o.waiting_for));
        let mend = if configured {
            "see that `rollcall serve` runs, then: rollcall mail list"
        } else {
            "set ROLLCALL_SMTP_URL and ROLLCALL_MAIL_FROM; or: rollcall mail drop --all"
        };
        return Finding::warn(NAME, found, why, mend);
    }
    Finding::ok(NAME, format!("{} waiting", count(o.waiting, "mail")))
}

fn clean_up(expired: u64, kept: u64) -> Finding {
    const NAME: &str = "clean-up";
    let mend = "see that `rollcall serve` runs, which does it every hour; or: rollcall sessions cleanup";
    match (expired, kept) {
        (0, 0) => Finding::ok(NAME, "nothing is overdue"),
        (n, 0) => Finding::warn(
            NAME,
            format!("{} over for hours and not marked as ended", count(n, "session")),
            "nobody gets in by them, but lists and numbers grow, and addresses are kept longer than promised",
            mend,
        ),
        (_, n) => Finding::warn(
            NAME,
            format!("{} kept longer than ROLLCALL_RETENTION_SESSIONS says", count(n, "session")),
            "where people were and when is kept longer than was promised to them",
            mend,
        ),
    }
}

fn sealed(keys: &Result<Tried, VaultError>) -> Finding {
    const NAME: &str = "sealed";
    match keys {
        Err(e) => Finding::bad(
            NAME,
            e.to_string(),
            "the server does not start, and second factors, waiting mails and session data cannot be read",
            "put the key file of this database back from your backup; only if it is lost: rollcall keys reset --yes",
        ),
        Ok(tried) => match tried.broken.first() {
            None if tried.keys == 0 => Finding::ok(NAME, "nothing is sealed yet"),
            None => {
                Finding::ok(NAME, format!("the keys open what they sealed: {} tried", count(tried.values, "value")))
            }
            Some(first) => Finding::bad(
                NAME,
                format!("values that do not open: {} of {} tried, such as {first}", tried.broken.len(), tried.values),
                "somebody changed them, or moved them to other rows, outside of this program",
                "restore the database from your backup; a second factor: rollcall user second-factor-off USERNAME",
            ),
        },
    }
}

fn audit(v: &Verified) -> Finding {
    const NAME: &str = "audit log";
    match &v.fault {
        None if v.entries == 1 => Finding::ok(NAME, "1 entry, unbroken"),
        None => Finding::ok(NAME, format!("{} entries, unbroken", v.entries)),
        Some(fault) => Finding::bad(
            NAME,
            fault.says.clone(),
            "somebody changed the log outside of this program: from that row on it proves nothing",
            "keep a copy of the database as evidence, compare it with your backups, and find out who could write to it",
        ),
    }
}

fn strays(found: &Result<Strays, StorageError>) -> Finding {
    const NAME: &str = "files";
    match found {
        Err(_) => Finding::warn(
            NAME,
            "they could not be compared with the database",
            "a file may be lost, or nobody's, and nobody knows",
            "see what is said of the storage, and try again",
        ),
        Ok(Strays { files: 0, rows: 0 }) => Finding::ok(NAME, "each has its row, and each row its file"),
        Ok(Strays { files, rows: 0 }) => Finding::warn(
            NAME,
            format!("{} in the storage without a row", count(*files as u64, "file")),
            "the database does not know whose they are, so nobody is shown them and they take up room",
            "if this database is not an older copy, move away what has an id as its name and no row",
        ),
        Ok(Strays { rows, .. }) => Finding::bad(
            NAME,
            format!("the content of {} is gone", count(*rows as u64, "file")),
            "people see them in their lists, and cannot download them",
            "check that the storage is the right one and mounted, or restore it from your backup",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn admin(username: &str, enabled: bool, has_password: bool, second_factor: bool) -> Admin {
        Admin { username: username.to_owned(), enabled, has_password, second_factor }
    }

    #[test]
    fn somebody_must_be_able_to_administrate() {
        let said = |anybody, admins: &[Admin]| {
            let f = administrators(anybody, admins);
            (f.verdict, f.mend.unwrap_or(f.found))
        };
        let (ada, off) = (admin("ada", true, true, false), admin("off", false, true, true));
        let invited = admin("ivy", true, false, false);
        assert_eq!(said(false, &[]).0, Verdict::Warn);
        assert!(said(true, &[]).1.contains("--role admin"));
        assert_eq!(said(true, std::slice::from_ref(&off)), (Verdict::Bad, "rollcall user enable off".to_owned()));
        assert_eq!(said(true, &[off.clone(), invited]), (Verdict::Bad, "rollcall user reset-link ivy".to_owned()));
        assert_eq!(said(true, &[off.clone(), ada.clone()]), (Verdict::Ok, "1 administrator can sign in".to_owned()));
        let many: Vec<Admin> = (0..7).map(|n| admin(&format!("a{n}"), true, true, false)).collect();
        assert!(second_factors(&many).found.ends_with("a4 and 2 more"), "{:?}", second_factors(&many));
        assert_eq!((second_factors(&[ada]).verdict, second_factors(&[off]).verdict), (Verdict::Info, Verdict::Ok));
    }

    #[test]
    fn what_waits_for_long_is_said() {
        let with = |waiting, waiting_for, given_up| Outbox { waiting, waiting_for, given_up, last_error: None };
        assert_eq!(outbox(&with(0, 0, 0), true).verdict, Verdict::Ok);
        assert_eq!(outbox(&with(3, STUCK, 0), true).verdict, Verdict::Ok);
        let stuck = outbox(&with(3, STUCK + 1, 0), false);
        assert!(stuck.verdict == Verdict::Warn && stuck.found.starts_with("3 mails waiting, the first for 1 h"));
        assert!(stuck.mend.is_some_and(|m| m.contains("ROLLCALL_SMTP_URL")));
        let error = Some("550 no".to_owned());
        let given_up = outbox(&Outbox { last_error: error, ..with(0, 0, 1) }, true);
        assert_eq!(given_up.found, "1 mail given up; the last error: 550 no");
        assert_eq!((clean_up(0, 0).verdict, clean_up(2, 0).verdict), (Verdict::Ok, Verdict::Warn));
        assert!(clean_up(2, 1).found.contains("RETENTION"));
    }
}
