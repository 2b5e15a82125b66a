//! What people do on a day, as the console's first page shows it.

/// Today so far, and the day before beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// People who did something.
    pub active: u64,
    /// The same of yesterday, which is whole.
    pub active_before: u64,
    /// People who opened a page; they may be in several rows of `pages`.
    pub readers: u64,
    /// Those that most people opened first.
    pub pages: Vec<PopularPage>,
}

/// A page, by its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopularPage {
    pub path: String,
    pub people: u64,
    /// How often it was opened; not known of a part of the people.
    pub views: Option<u64>,
}
