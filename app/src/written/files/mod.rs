//! Files: one's own, everybody's uploads, and outputs.

mod admin;
mod outputs;
mod own;

use domain::{
    Time,
    files::{FileFilter, bytes_text},
    time::DAY,
};
use leptos::prelude::*;

pub(super) use self::{admin::write as admin, outputs::write as outputs, own::write as own};
use super::query::Query;

const LIMIT: u32 = 50;

/// Sizes to filter by, in bytes at least.
const SIZES: [(&str, &str, u64); 4] = [
    ("1mb", "over 1 MB", 1_000_000),
    ("10mb", "over 10 MB", 10_000_000),
    ("100mb", "over 100 MB", 100_000_000),
    ("1gb", "over 1 GB", 1_000_000_000),
];

/// Kinds to filter by.
const KINDS: [(&str, &str); 5] = [
    ("image", "pictures"),
    ("text", "texts"),
    ("application", "documents and data"),
    ("audio", "sound"),
    ("video", "films"),
];

/// The filter that a page's address asks for; `label` is the name of what files are filed under. Days are in UTC; the
/// last one is included.
fn filter_of(q: &Query, label: &str) -> FileFilter {
    FileFilter {
        user: q.owned("user"),
        label: q.owned(label),
        kind: q.owned("type"),
        min_size: q.word("size", |word| SIZES.iter().find(|(w, ..)| *w == word).map(|(_, _, n)| *n)),
        max_size: None,
        from: q.word("from", Time::of_day),
        to: q.word("to", Time::of_day).map(|day| day.plus(DAY)),
        q: q.owned("q"),
        organisation: None,
    }
}

/// A file's name, which fetches it. `noun` is the part of the path.
pub(super) fn link(noun: &str, id: uuid::Uuid, name: &str) -> impl IntoView + use<> {
    let href = format!("/api/v1/{noun}/{id}/content");
    view! { <a class="file" href=href rel="external" download=name.to_owned()>{name.to_owned()}</a> }
}

/// A size, and exactly what it is.
pub(super) fn size(n: u64) -> impl IntoView {
    let exact = format!("{n} bytes");
    view! { <span title=exact>{bytes_text(n)}</span> }
}
