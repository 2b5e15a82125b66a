//! What our mails say. Subjects are fixed: nothing anybody typed is in a header.

use domain::{
    Time,
    account::UserCard,
    files::{File, bytes_text},
    time::{DAY, Millis, human},
    useragent::Device,
};

/// A mail, written.
pub(crate) struct Letter {
    pub(crate) kind: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) body: String,
    /// How long it is worth reading; afterwards it is given up, sent or not.
    pub(crate) good_for: Millis,
}

/// What happened is news for a week: longer than a mail is tried, so this is for those that no server takes.
const NOTICE: Millis = 7 * DAY;

/// The link to choose a new password, which is a secret.
pub(crate) fn password_reset(to: &UserCard, link: &str, good_for: Millis) -> Letter {
    Letter {
        kind: "password_reset",
        subject: "Choose a new password",
        body: letter(
            to,
            &format!(
                "Somebody, most likely you, asked for a new password for the account {}. Choose one here, once, within \
                 {}:\n\n{link}\n\nIf it was not you, do nothing: the old password stays.",
                to.username,
                human(good_for)
            ),
        ),
        good_for,
    }
}

/// A sign-in with a browser, a system or from a network that the account has not been used with.
pub(crate) fn new_device(to: &UserCard, device: &Device, ip: &str, at: Time, link: &str) -> Letter {
    Letter {
        kind: "new_device",
        subject: "A new device signed in",
        body: letter(
            to,
            &format!(
                "Your account {} was used on a device we have not seen before:\n\n  {}\n  address {ip}\n  {} UTC\n\nIf it \
                 was you, there is nothing to do. If not, end it and change your password:\n\n{link}",
                to.username,
                named(device),
                at.exact()
            ),
        ),
        good_for: NOTICE,
    }
}

/// The password is another one now.
pub(crate) fn password_changed(to: &UserCard, at: Time, link: &str) -> Letter {
    Letter {
        kind: "password_changed",
        subject: "Your password was changed",
        body: letter(
            to,
            &format!(
                "The password of your account {} was changed at {} UTC.\n\nIf it was not you, choose a new one at \
                 once:\n\n{link}",
                to.username,
                at.exact()
            ),
        ),
        good_for: NOTICE,
    }
}

/// The e-mail address is another one now: said to the old one.
pub(crate) fn email_changed(to: &UserCard, by_themselves: bool, at: Time) -> Letter {
    let who = if by_themselves { "from your account" } else { "by an administrator" };
    Letter {
        kind: "email_changed",
        subject: "Your e-mail address was changed",
        body: letter(
            to,
            &format!(
                "The e-mail address of your account {} was changed {who} at {} UTC. This one is not written to any \
                 more.\n\nIf you do not know of it, tell an administrator at once.",
                to.username,
                at.exact()
            ),
        ),
        good_for: NOTICE,
    }
}

/// The link that makes this address the account's: said to the new one.
pub(crate) fn confirm_email(to: &UserCard, link: &str, good_for: Millis) -> Letter {
    Letter {
        kind: "confirm_email",
        subject: "Confirm your e-mail address",
        body: letter(
            to,
            &format!(
                "The account {} asked to use this e-mail address. It counts once you open this, signed in, within                  {}:\n\n{link}\n\nIf you do not know of it, do nothing.",
                to.username,
                human(good_for)
            ),
        ),
        good_for,
    }
}

/// The link by which somebody new chooses a password, which is a secret.
pub(crate) fn invitation(to: &UserCard, link: &str, good_for: Millis) -> Letter {
    Letter {
        kind: "invitation",
        subject: "Your account is ready",
        body: letter(
            to,
            &format!(
                "There is an account for you, with the username {}. Choose a password here, once, within \
                 {}:\n\n{link}",
                to.username,
                human(good_for)
            ),
        ),
        good_for,
    }
}

/// The kind of a mail that tells of uploads.
pub(crate) const UPLOADS: &str = "uploads";

/// Uploads that somebody asked to be told of; what it says is written when it is sent.
pub(crate) fn uploads() -> Letter {
    Letter { kind: UPLOADS, subject: "New uploads", body: String::new(), good_for: NOTICE }
}

/// What it says: the first of `all` uploads, and where to see the others.
pub(crate) fn of_uploads(to: &UserCard, first: &[File], all: u64, link: &str) -> String {
    let lines: Vec<String> = first
        .iter()
        .map(|f| {
            let workflow = f.label.as_ref().map(|w| format!(", workflow {w}")).unwrap_or_default();
            let (size, at) = (bytes_text(f.size), f.created_at.exact());
            format!("  {}\n    {size}, by {} ({}){workflow}, {at} UTC", f.name, f.user_name, f.username)
        })
        .collect();
    let more = match all.saturating_sub(first.len() as u64) {
        0 => String::new(),
        n => format!("\n\nAnd {n} more."),
    };
    letter(
        to,
        &format!(
            "These files were uploaded:\n\n{}{more}\n\nSee them, or choose what you are told of:\n\n{link}",
            lines.join("\n")
        ),
    )
}

/// A report is made: what it comes to, and where it is. The file itself stays here, where who may have it is asked each time.
pub(crate) fn report(to: &UserCard, name: &str, facts: &[(&str, String)], link: &str) -> Letter {
    let lines: Vec<String> = facts.iter().map(|(what, value)| format!("  {what}: {value}")).collect();
    Letter {
        kind: "report",
        subject: "Your report is ready",
        body: letter(to, &format!("{name} is ready:\n\n{}\n\nFetch it here:\n\n{link}", lines.join("\n"))),
        good_for: NOTICE,
    }
}

/// The second factor was turned on or off, by whomever.
pub(crate) fn second_factor(to: &UserCard, what: &str, at: Time, link: &str) -> Letter {
    Letter {
        kind: "second_factor",
        subject: "Your second factor was changed",
        body: letter(
            to,
            &format!(
                "The second factor of your account {} was {what} at {} UTC.\n\nIf it was not you, change your password at \
                 once:\n\n{link}",
                to.username,
                at.exact()
            ),
        ),
        good_for: NOTICE,
    }
}

fn named(device: &Device) -> String {
    match (&*device.browser, &*device.os) {
        ("", "") => "an unknown browser".to_owned(),
        ("", os) => os.to_owned(),
        (browser, "") => browser.to_owned(),
        (browser, os) => format!("{browser} on {os}"),
    }
}

fn letter(to: &UserCard, text: &str) -> String {
    format!("Hello {},\n\n{text}\n\n-- \nRollcall\n", to.name)
}
