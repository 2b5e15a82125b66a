//! Time as the browser shows it. While the server renders, and until the browser has taken over, there is no "now":
//! what is shown is exact, in UTC, and the same on both sides. Then one ticker per page turns it into local and
//! relative time.

use std::time::Duration;

use domain::{
    Time,
    time::{DAY, HOUR, MINUTE, human},
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::components::switch::Switch;

/// The page's clock; in context everywhere.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// In steps of ten seconds; nothing before the browser has taken over.
    now: RwSignal<Option<Time>>,
    /// In steps of a second, for countdowns and for people who have just left.
    second: RwSignal<Option<Time>>,
    /// Instants are said exactly, also where "3 min ago" would do.
    pub(crate) exact: Switch,
    skew: StoredValue<i64>,
}

impl Clock {
    /// `server` is the server's time when it wrote the page.
    pub(crate) fn new(server: Time) -> Self {
        let clock = Self {
            now: RwSignal::new(None),
            second: RwSignal::new(None),
            exact: Switch::new("exact-times", false),
            skew: StoredValue::new(0),
        };
        Effect::new(move |_| clock.start(server));
        clock
    }

    fn start(self, server: Time) {
        let arrived = page_arrived();
        self.skew.set_value(server.0 - arrived);
        self.tick();
        self.exact.recall();
        // A tap on one of them turns all: a title shows nothing to a finger.
        let tapped = window_event_listener_untyped("click", move |e| {
            if is_time(&e) {
                self.exact.set(!self.exact.is_on_now());
            }
        });
        on_cleanup(move || tapped.remove());
        let each_second = move || {
            let _ = self.second.try_set(Some(self.read()));
            let old = self.now.try_get_untracked().flatten().unwrap_or_default();
            if self.read().since(old) >= 10_000 {
                let _ = self.now.try_set(Some(self.read()));
            }
        };
        if let Ok(ticker) = set_interval_with_handle(each_second, Duration::from_secs(1)) {
            on_cleanup(move || ticker.clear());
        }
    }

    /// Brings the shown time up to date at once, as after a data change.
    pub(crate) fn tick(self) {
        self.now.set(Some(self.read()));
        self.second.set(Some(self.read()));
    }

    /// The server's time, as far as this browser can tell. For handlers and effects, never while rendering.
    pub(crate) fn read(self) -> Time {
        Time(js_sys::Date::now() as i64 + self.skew.try_get_value().unwrap_or_default())
    }

    /// "Now" for what is shown; nothing until the browser has taken over.
    pub(crate) fn now(self) -> Option<Time> {
        self.now.get()
    }

    /// The same, each second.
    pub(crate) fn second(self) -> Option<Time> {
        self.second.get()
    }
}

pub(crate) fn clock() -> Clock {
    expect_context()
}

/// Whether an instant was tapped that is no part of something else to press, and not marked to be copied.
fn is_time(e: &web_sys::Event) -> bool {
    let closest = |selector: &str| {
        let target = e.target().and_then(|t| t.dyn_into::<Element>().ok());
        target.is_some_and(|t| t.closest(selector).ok().flatten().is_some())
    };
    let marking = window().get_selection().ok().flatten().is_some_and(|s| !s.is_collapsed());
    closest("time") && !closest("a, button, label, summary") && !marking
}

/// When the first byte of this page came, in this browser's time: what the server's time in the page is compared with.
fn page_arrived() -> i64 {
    let get = |object: &js_sys::Object, name: &str| {
        js_sys::Reflect::get(object, &name.into()).ok().and_then(|v| v.as_f64()).filter(|v| *v > 0.0)
    };
    let arrived = || {
        let performance = window().performance()?;
        let entry: js_sys::Object = performance.get_entries_by_type("navigation").get(0).into();
        Some(get(performance.as_ref(), "timeOrigin")? + get(&entry, "responseStart")?)
    };
    arrived().unwrap_or_else(js_sys::Date::now) as i64
}

/// How long ago, within a week: "just now", "3 min ago", "2 h ago", "yesterday", "4 days ago".
pub(crate) fn ago(now: Time, then: Time) -> Option<String> {
    let ms = now.since(then);
    Some(match ms {
        _ if ms < MINUTE => "just now".to_owned(),
        _ if ms < HOUR => format!("{} min ago", ms / MINUTE),
        _ if ms < DAY => format!("{} h ago", ms / HOUR),
        _ if ms < 2 * DAY => "yesterday".to_owned(),
        _ if ms < 7 * DAY => format!("{} days ago", ms / DAY),
        _ => return None,
    })
}

/// How long something lasts so far.
pub(crate) fn lasting(now: Time, since: Time) -> String {
    let ms = now.since(since).max(0);
    if ms < MINUTE { "under 1 min".to_owned() } else { human(ms) }
}

/// What the scripts of the written pages know of times as well.
mod script {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen(raw_module = "./agent/times.mjs")]
    extern "C" {
        pub(super) fn sentence(text: &str, base: Option<f64>, now: f64) -> String;
    }
}

/// A sentence of the server's: its instants in the browser's zone, once it has taken over. Those without a day are the
/// last before `base`, or before the first instant that has one.
pub(crate) fn localised(text: String, base: Option<Time>) -> impl Fn() -> String {
    let clock = clock();
    move || match clock.now() {
        Some(now) => script::sentence(&text, base.map(|t| t.0 as f64), now.0 as f64),
        None => text.clone(),
    }
}

/// An instant in the browser's own zone.
pub(crate) struct Local(js_sys::Date);

impl Local {
    pub(crate) fn of(t: Time) -> Self {
        Self(js_sys::Date::new(&(t.0 as f64).into()))
    }

    /// `14:02`
    pub(crate) fn minute(&self) -> String {
        format!("{:02}:{:02}", self.0.get_hours(), self.0.get_minutes())
    }

    /// `14:02:11`
    pub(crate) fn clock(&self) -> String {
        format!("{}:{:02}", self.minute(), self.0.get_seconds())
    }

    fn day(&self) -> (u32, u32, u32) {
        (self.0.get_full_year(), self.0.get_month(), self.0.get_date())
    }

    /// `14:02` today, `2 Mar, 14:02` this year, `2 Mar 2025, 14:02` before and after.
    pub(crate) fn short(&self, now: Time) -> String {
        let today = Self::of(now);
        let (year, month, date) = self.day();
        if self.day() == today.day() {
            self.minute()
        } else if year == today.day().0 {
            format!("{date} {}, {}", MONTHS[month as usize % 12], self.minute())
        } else {
            format!("{date} {} {year}, {}", MONTHS[month as usize % 12], self.minute())
        }
    }

    /// `14:02:11` today, else with its date.
    pub(crate) fn precise(&self, now: Time) -> String {
        if self.day() == Self::of(now).day() { self.clock() } else { self.short(now) }
    }

    /// `Mon, 2 Mar 2026, 14:02:11 (13:02:11 UTC)`
    pub(crate) fn full(&self, t: Time) -> String {
        let (year, month, date) = self.day();
        let weekday = WEEKDAYS[self.0.get_day() as usize % 7];
        format!("{weekday}, {date} {} {year}, {} ({} UTC)", MONTHS[month as usize % 12], self.clock(), t.clock())
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_well() {
        let now = Time(30 * DAY);
        let cases = [
            (-5, Some("just now")),
            (59_999, Some("just now")),
            (3 * MINUTE, Some("3 min ago")),
            (HOUR, Some("1 h ago")),
            (DAY, Some("yesterday")),
            (6 * DAY, Some("6 days ago")),
            (7 * DAY, None),
        ];
        for (ms, said) in cases {
            assert_eq!(ago(now, now.plus(-ms)).as_deref(), said);
        }
        assert_eq!(lasting(now, now.plus(-161 * MINUTE)), "2 h 41 min");
        assert_eq!(lasting(now, now), "under 1 min");
    }
}
