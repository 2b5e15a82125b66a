//! The query of a page's address: what is empty is not there.

use crate::routes::escape;

/// Longer values are nobody's: the longest is a link with a long e-mail address in it.
const VALUE_MAX: usize = 400;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let full = pairs.filter(|(_, v)| !v.trim().is_empty());
        Self(full.map(|(k, v)| (k.into_owned(), v.trim().chars().take(VALUE_MAX).collect())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| &**v)
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The value by its word; one that is none is as if it were not there.
    pub(crate) fn word<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.get(name).and_then(parse)
    }

    /// How many of `names` are there.
    pub(crate) fn count(&self, names: &[&str]) -> usize {
        names.iter().filter(|n| self.get(n).is_some()).count()
    }

    /// The address of `path` with this query, but for `name`, which becomes `value`; the page begins anew.
    pub(crate) fn with(&self, path: &str, name: &str, value: Option<&str>) -> String {
        let kept = self.0.iter().map(|(k, v)| (&**k, &**v));
        let kept = kept.filter(|(k, _)| *k != name && !["cursor", "done"].contains(k) && !k.starts_with("__"));
        let pairs: Vec<String> =
            kept.chain(value.map(|v| (name, v))).map(|(k, v)| format!("{k}={}", escape(v))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_not_there() {
        let q = Query::parse("q=ada+l%26&role=&state=live&cursor=x&q=second");
        assert_eq!((q.get("q"), q.get("role"), q.count(&["q", "role", "state"])), (Some("ada l&"), None, 2));
        assert_eq!(q.with("/p", "state", None), "/p?q=ada%20l%26&q=second");
        assert_eq!(Query::default().with("/p", "state", None), "/p");
        assert_eq!(Query::parse("state=live").with("/p", "state", Some("ended")), "/p?state=ended");
    }
}
