//! Every sentence the pages show, apart from those the domain says. Plain words, what happened, what to do.

use std::collections::BTreeMap;

use domain::{
    ApiError, ErrorCode,
    presence::Choice,
    session::EndReason,
    time::{Millis, human},
};

pub(crate) const PRODUCT: &str = "Rollcall";
pub(crate) const NETWORK: &str = "The server was not reached. Check your connection and try again.";
pub(crate) const MARKED: &str = "Check what is marked below.";
pub(crate) const NEEDS_MANAGER: &str = "You need the manager role.";

/// The document's title.
#[expect(clippy::needless_pass_by_value, reason = "the form leptos asks for")]
pub(crate) fn title(page: String) -> String {
    let title = if page.is_empty() { PRODUCT.to_owned() } else { format!("{page} · {PRODUCT}") };
    // leptos_meta puts it into the document as it is, and a title may say what somebody typed.
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}

/// What to say of an error that came back in the address bar. Anybody can write an address, so only its code and the
/// names of its fields count, never its words.
pub(crate) fn error_by_code(e: &ApiError) -> ApiError {
    let fields: BTreeMap<String, String> =
        e.fields.keys().filter_map(|f| field_rule(f).map(|rule| (f.clone(), rule.to_owned()))).collect();
    let message = match e.code {
        _ if !fields.is_empty() => MARKED.to_owned(),
        ErrorCode::InvalidCredentials => ApiError::invalid_credentials().message,
        ErrorCode::TooManyRequests => ApiError::too_many(e.retry_after.unwrap_or(60).min(86_400)).message,
        ErrorCode::SecondFactorRequired => "Your code is wanted too.".to_owned(),
        ErrorCode::NewPasswordRequired => {
            "Your role asks for a longer password. Ask for a link to choose one, here or from an administrator."
                .to_owned()
        }
        ErrorCode::ReauthRequired => ApiError::reauth_required().message,
        ErrorCode::SecondFactorMissing => ApiError::second_factor_missing().message,
        ErrorCode::Forbidden => ApiError::forbidden().message,
        ErrorCode::Unauthenticated => ApiError::unauthenticated().message,
        ErrorCode::NotFound => ApiError::not_found().message,
        ErrorCode::Unavailable => ApiError::unavailable().message,
        ErrorCode::Network => NETWORK.to_owned(),
        ErrorCode::TooLarge => "This is larger than it may be, or than the room that is left.".to_owned(),
        ErrorCode::Invalid | ErrorCode::BadRequest => MARKED.to_owned(),
        ErrorCode::Conflict => "This is already so, or was changed meanwhile. Look again and repeat it.".to_owned(),
        _ => ApiError::internal().message,
    };
    ApiError { code: e.code, message, fields, retry_after: e.retry_after }
}

fn field_rule(field: &str) -> Option<&'static str> {
    Some(match field {
        "username" => "Use 1 to 64 letters, digits or . _ - @ +, beginning with a letter or a digit.",
        "name" => "Use 1 to 100 characters on one line.",
        "password" | "new" => {
            "Use at least 12 characters (15 for administrators), nothing common and nothing with your name in it."
        }
        "email" => "Use an address such as ada@example.org.",
        "who" => "Write your username or your e-mail address.",
        "code" => "Use a code that is shown now, or a back-up code; each works once.",
        "current" => "This is not your current password.",
        "message" => "Use at most 140 characters on one line.",
        "confirm" => "Type the word that is asked for.",
        _ if field.starts_with("values[") => "Use what is said below this field.",
        "file" => "Choose a file, and give it the ending of what it is.",
        "workflow" => "Use at most 60 characters that can be seen.",
        #[cfg(feature = "ssr")]
        "at" => "Use a time of day such as 08:00.",
        #[cfg(feature = "ssr")]
        "organisation" => "There is no such organisation.",
        "until" => "Use a time in the future, or none.",
        _ => return None,
    })
}

/// `admin` → `Admin`
pub(crate) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// `1 session`, `2 sessions`
pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `1 person`, `2 people`
pub(crate) fn people(n: u32) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{n} people") }
}

/// The letters in the round mark of a person.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|w| w.chars().next());
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(feature = "ssr")]
pub(crate) fn level(level: domain::Level) -> &'static str {
    match level {
        domain::Level::Admin => "Sees and manages everything",
        domain::Level::Manager => "Sees and manages the own organisation",
        domain::Level::Member => "Sees own data",
    }
}

/// The headline numbers, defined with the limits in force.
pub(crate) fn define_online() -> &'static str {
    "People with a live connection who are busy, active or idle. Away and unknown people are not counted, and neither \
     are visitors without a session or bots. A person with several tabs or devices counts once."
}

pub(crate) fn define_active(limit: Millis) -> String {
    format!(
        "Online people whose last input (key, pointer, touch, scroll, navigation) is at most {} old, busy ones \
         included. Timers and heartbeats are not input.",
        human(limit)
    )
}

pub(crate) fn choice(choice: Choice) -> (&'static str, &'static str) {
    match choice {
        Choice::Available => ("Automatic", "Active, idle or away, by what you do"),
        Choice::Busy => ("Busy", "Here, please do not disturb"),
        Choice::Away => ("Away", "Shown as away whatever you do"),
        Choice::Invisible => {
            ("Invisible", "Offline to others; administrators see you, marked, and managers your sessions")
        }
    }
}

/// Why the browser was thrown out, for the dialog.
pub(crate) fn ended(reason: Option<EndReason>, idle: Millis) -> String {
    match reason {
        Some(EndReason::IdleTimeout) => format!("You were signed out after {} of inactivity.", human(idle)),
        Some(EndReason::AbsoluteTimeout) => "This session reached its longest time. Sign in again to go on.".to_owned(),
        Some(EndReason::Logout) => "You signed out in another window.".to_owned(),
        Some(EndReason::Revoked) => "This session was ended from another device or by an administrator.".to_owned(),
        Some(EndReason::Limit) => {
            "You signed in on another device, and this was the least recently used one.".to_owned()
        }
        Some(EndReason::Relogin) => "You signed in again in this browser.".to_owned(),
        Some(EndReason::PasswordChange) => "The password was changed. Sign in with the new one.".to_owned(),
        Some(EndReason::RoleChange) => "Your role was changed. Sign in again to go on.".to_owned(),
        Some(EndReason::UserDisabled | EndReason::UserDeleted) => {
            "This account is closed. Ask an administrator.".to_owned()
        }
        None => "This session is over. Sign in again to go on.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_the_address_bar_are_not_repeated() {
        let mut e = ApiError::invalid("username", "Call 555-0100");
        e.fields.insert("x".into(), "Call 555-0100".into());
        let said = error_by_code(&e);
        assert!(!format!("{said:?}").contains("555"));
        assert_eq!(said.fields.len(), 1);
    }

    #[test]
    fn small_words() {
        assert_eq!(initials("Ada Lovelace"), "AL");
        assert_eq!(initials("Ada King Lovelace"), "AL");
        assert_eq!(initials("ada"), "A");
        assert_eq!(capital("admin"), "Admin");
        assert_eq!((count(1, "session"), count(0, "session")), ("1 session".into(), "0 sessions".into()));
    }
}
