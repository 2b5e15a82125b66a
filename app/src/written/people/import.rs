//! Many people from a file: pasted or chosen, looked at, then added.

use domain::{ApiError, people::Import};
use leptos::prelude::*;

use crate::{
    text,
    written::{
        Asked, Written, page,
        part::{confirm, refused},
    },
};

#[expect(clippy::unnecessary_wraps, reason = "as all pages")]
pub(crate) fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    Ok(page("Import people", || {
        view! {
            {confirm(asked)}
            {refused(asked)}
            <section class="card" aria-labelledby="import-title">
                <header>
                    <h2 id="import-title">"A file of comma-separated values"</h2>
                    <a href="/admin/people">"People"</a>
                </header>
                <div class="body">
                    <p>
                        "The first line names the columns: " <b>"username"</b>
                        ", and any of name, email, role, organisation and teams. Teams are separated by semicolons. \
                         Organisations and teams that are not there are made. Everybody is added, or nobody."
                    </p>
                    <form method="post" action="/rpc/import_people">{fields(String::new())}</form>
                </div>
            </section>
        }
    }))
}

fn fields(content: String) -> impl IntoView {
    view! {
        <div class="field needs-script">
            <label for="file">"File" <span class="optional">" optional"</span></label>
            <input id="file" type="file" accept=".csv,text/csv" data-into="text" />
        </div>
        <div class="field">
            <label for="text">"Text"</label>
            <textarea id="text" name="text" class="mono" rows="10" required spellcheck="false"
                placeholder="username,name,email,role,organisation,teams">{content}</textarea>
        </div>
        <div class="actions"><button class="button" name="act" value="preview">"Preview"</button></div>
    }
}

/// Links for those who cannot be written to, shown once, in place of the form.
pub(crate) fn links(links: &[(String, String)]) -> impl IntoView + use<> {
    let lines: Vec<String> = links.iter().map(|(username, link)| format!("{username},{link}\r\n")).collect();
    let file = format!("username,link\r\n{}", lines.concat());
    let href = format!("data:text/csv;charset=utf-8,{}", crate::routes::escape(&file));
    view! {
        <div class="field">
            <label for="links">{format!("{}, shown this once only", text::count(links.len() as u64, "link"))}</label>
            <textarea id="links" class="mono" rows="10" readonly aria-describedby="links-hint">{file}</textarea>
            <p class="hint" id="links-hint">
                "Give each to its person yourself. They work once, for a week; a new one voids it."
            </p>
        </div>
        <div class="actions">
            <a class="button" download="invitations.csv" href=href>"Download as CSV"</a>
            <a class="button primary" href=super::NEWEST>"Done"</a>
        </div>
    }
}

/// What is said of a file that was looked at.
pub(crate) fn looked(import: &Import) -> String {
    match import.wrong {
        0 => format!("{} would be added.", text::count(import.people, "account")),
        n => format!("{} wrong.", text::count(n, "line")),
    }
}

/// What a file would do, with the way to do it, in place of the form it came from.
pub(crate) fn preview(import: &Import, content: String) -> impl IntoView + use<> {
    let errors =
        import.errors.iter().map(|e| view! { <li>{format!("Line {}: {}", e.line, e.message)}</li> }).collect_view();
    let made = |word: &str, names: &[String]| {
        let line = format!("{} made: {}.", text::count(names.len() as u64, word), names.join(", "));
        (!names.is_empty()).then(|| view! { <p>{line}</p> })
    };
    let good = import.wrong == 0 && import.people > 0;
    let rest = import.wrong.saturating_sub(import.errors.len() as u64);
    view! {
        <div class=if good { "" } else { "summary" } role="group" aria-label="Preview">
            <p><b>{looked(import)}</b></p>
            {made("organisation", &import.organisations)}
            {made("team", &import.teams)}
            <ul class="words">{errors}</ul>
            {(rest > 0).then(|| view! { <p>{format!("And {rest} more.")}</p> })}
        </div>
        {fields(content)}
        {good.then(|| view! {
            <label class="check">
                <input type="checkbox" name="invite" value="true" checked />
                "Invite them to choose a password: by mail where that can be, else by links you hand over"
            </label>
            <div class="actions">
                <button class="button primary" name="act" value="import">{format!("Add {}", text::count(import.people, "account"))}</button>
            </div>
        })}
    }
}
