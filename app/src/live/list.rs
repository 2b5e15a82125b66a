//! Which people are asked for, as the address of the page says it: `?state=&role=&org=&team=&page=&q=&sort=&offset=&open=`,
//! or of a moment gone by, `?to=&back=`.

use domain::{
    Time,
    presence::{Query, Sort, State, live::Window},
    time::{MINUTE, human},
};
use leptos_router::params::ParamsMap;
use uuid::Uuid;

use crate::{routes::escape, text::capital};

/// Rows on one page.
pub(crate) const LIMIT: u32 = 50;

/// The list in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) query: Query,
    pub(crate) offset: u32,
}

impl List {
    /// What cannot be understood is left out rather than refused: an address is typed by people.
    pub(crate) fn of(params: &ParamsMap) -> Self {
        // The last one counts: the button that sorts comes after the form's own choice.
        let last =
            |name: &str| params.get_all(name).and_then(|all| all.last().cloned()).filter(|v| !v.trim().is_empty());
        Self {
            query: Query {
                state: last("state").and_then(|s| State::parse(&s)),
                role: last("role"),
                org: last("org"),
                team: last("team"),
                q: last("q"),
                page: last("page"),
                sort: last("sort").and_then(|s| Sort::parse(&s)).unwrap_or_default(),
            },
            offset: last("offset").and_then(|n| n.parse().ok()).unwrap_or_default(),
        }
    }

    pub(crate) fn window(&self) -> Window {
        Window { filter: self.query.clone(), limit: LIMIT, offset: self.offset, ..Window::default() }
    }

    /// How many filters are on.
    pub(crate) fn filters(&self) -> usize {
        let q = &self.query;
        usize::from(q.state.is_some())
            + [&q.role, &q.org, &q.team, &q.page, &q.q].into_iter().filter(|f| f.is_some()).count()
    }

    /// Whether everybody is asked for, from the first on: only then does leaving the list mean leaving.
    pub(crate) fn is_everybody(&self) -> bool {
        self.filters() == 0 && self.offset == 0
    }

    /// The address of this list, with the drawer of `open`.
    pub(crate) fn href(&self, open: Option<Uuid>) -> String {
        let q = &self.query;
        let sort = (q.sort != Sort::default()).then(|| q.sort.as_str().to_owned());
        let offset = (self.offset > 0).then(|| self.offset.to_string());
        let pairs = [
            ("state", q.state.map(|s| s.as_str().to_owned())),
            ("role", q.role.clone()),
            ("org", q.org.clone()),
            ("team", q.team.clone()),
            ("page", q.page.clone()),
            ("q", q.q.clone()),
            ("sort", sort),
            ("offset", offset),
            ("open", open.map(|id| id.to_string())),
        ];
        let pairs: Vec<String> =
            pairs.into_iter().filter_map(|(k, v)| v.map(|v| format!("{k}={}", escape(&v)))).collect();
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }
}

const PATH: &str = "/admin/live";

/// A moment gone by, as the slider says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Where the slider ends; now, where it is not said.
    pub(crate) to: Option<Time>,
    /// Minutes before that.
    pub(crate) back: u32,
}

/// The slider is this long, in minutes.
pub(crate) const BACK_MAX: u32 = 24 * 60;

impl Moment {
    pub(crate) fn of(params: &ParamsMap) -> Option<Self> {
        let to = params.get("to").and_then(|t| Time::parse(&t));
        let back: Option<u32> = params.get("back").and_then(|n| n.parse().ok());
        (to.is_some() || back.is_some()).then(|| Self { to, back: back.unwrap_or_default().min(BACK_MAX) })
    }

    /// "57 min ago", "57 min before", where the slider's end is said beside it.
    pub(crate) fn words(self) -> String {
        match (self.back, self.to.is_some()) {
            (0, false) => "now".to_owned(),
            (0, true) => "at the end".to_owned(),
            (n, false) => format!("{} ago", human(i64::from(n) * MINUTE)),
            (n, true) => format!("{} before", human(i64::from(n) * MINUTE)),
        }
    }

    pub(crate) fn href(self) -> String {
        let to = self.to.map(|t| format!("to={}&", escape(&t.to_string()))).unwrap_or_default();
        format!("{PATH}?{to}back={}", self.back)
    }
}

/// The title of what the address asks for: "Idle · Teacher · Live".
pub(crate) fn title(params: &ParamsMap) -> String {
    let q = List::of(params).query;
    let moment = Moment::of(params);
    let words = match moment {
        Some(m) => [Some(m.words()), m.to.map(|t| t.exact() + " UTC"), None, None, None, None],
        None => [q.state.map(|s| s.as_str().to_owned()), q.role, q.org, q.team, q.page, q.q.map(|q| format!("“{q}”"))],
    };
    words.into_iter().flatten().map(|w| capital(&w) + " · ").collect::<String>() + "Live"
}

/// The person whose drawer is open.
pub(crate) fn open(params: &ParamsMap) -> Option<Uuid> {
    params.get("open").and_then(|id| id.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&'static str, &str)]) -> ParamsMap {
        pairs.iter().map(|(k, v)| (*k, (*v).to_owned())).collect()
    }

    #[test]
    fn an_address_says_the_list() {
        let list = List::of(&params(&[
            ("state", "idle"),
            ("q", "ada l"),
            ("sort", "started"),
            ("sort", "name"),
            ("role", ""),
            ("page", "/Orders"),
        ]));
        assert_eq!(list.query.state, Some(State::Idle));
        assert_eq!(list.query.sort, Sort::Name);
        assert_eq!(list.query.role, None);
        assert_eq!(list.filters(), 3);
        assert_eq!(list.href(None), "/admin/live?state=idle&page=%2FOrders&q=ada%20l&sort=name");
    }

    #[test]
    fn the_title_says_what_is_shown() {
        let filters = [("state", "idle"), ("role", "teacher"), ("page", "/orders"), ("q", "ada"), ("sort", "name")];
        for (address, said) in [
            (&[][..], "Live"),
            (&filters[..], "Idle · Teacher · /orders · “ada” · Live"),
            (&[("back", "57"), ("state", "idle")], "57 min ago · Live"),
            (&[("to", "2023-11-14T22:13:20Z"), ("back", "90")], "1 h 30 min before · 2023-11-14 22:13:20 UTC · Live"),
        ] {
            assert_eq!(title(&params(address)), said);
        }
    }

    #[test]
    fn a_moment_is_in_the_address() {
        let moment = Moment::of(&params(&[("back", "57")])).unwrap();
        assert_eq!(moment, Moment { to: None, back: 57 });
        assert_eq!(moment.href(), "/admin/live?back=57");
        let fixed = Moment { to: Some(Time(1_700_000_000_000)), back: 0 };
        assert_eq!(fixed.href(), "/admin/live?to=2023-11-14T22%3A13%3A20.000Z&back=0");
        assert_eq!(Moment::of(&params(&[("to", "2023-11-14T22:13:20Z"), ("back", "0")])), Some(fixed));
        assert_eq!(Moment::of(&params(&[("back", "99999")])), Some(Moment { to: None, back: BACK_MAX }));
        assert_eq!(Moment::of(&params(&[("back", "soon"), ("q", "ada")])), None);
    }

    #[test]
    fn nonsense_is_everybody() {
        let list = List::of(&params(&[("state", "asleep"), ("sort", "password"), ("offset", "-1")]));
        assert_eq!(list, List::default());
        assert!(list.is_everybody());
        assert_eq!(list.href(Some(Uuid::nil())), "/admin/live?open=00000000-0000-0000-0000-000000000000");
    }
}
