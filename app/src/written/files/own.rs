//! One's own files: sending, and what was sent and made.

use domain::{
    ApiError,
    files::{File, FileFilter, bytes_text},
};
use leptos::prelude::*;
use services::files::{Kind, Of};

use super::{
    super::{
        Asked, Written, page,
        part::{Called, confirm, pager, refusal, refused, summary, table, when},
    },
    LIMIT, link, size,
};
use crate::text;

pub(in super::super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (files, actor, none) = (&asked.services.files, asked.actor, FileFilter::default());
    let list = files.list(actor, Of::Own, Kind::Upload, &none, LIMIT, asked.query.get("cursor")).await?;
    let outputs = files.list(actor, Of::Own, Kind::Output, &none, 10, None).await?;
    let labels = files.labels(actor, Of::Own, Kind::Upload).await?;
    let (used, quota) = files.quota(actor).await?;
    let limit = asked.services.settings.now().upload_limit;
    let wrong = refusal(asked, "/rpc/upload");
    Ok(page("Files", || {
        let done = asked.query.get("done").and_then(|id| list.items.iter().find(|f| f.id.to_string() == id));
        let marked = |name: &str| wrong.as_ref().and_then(|e| e.fields.get(name).cloned());
        let said = if quota == 0 {
            format!("Your uploads have {}.", bytes_text(used))
        } else {
            format!("Your uploads have {} of {}.", bytes_text(used), bytes_text(quota))
        };
        let rows = list.items.iter().map(row).collect_view();
        view! {
            {confirm(asked)}
            {wrong.is_none().then(|| refused(asked))}
            {done.map(|f| view! { <p class="notice" role="status">{format!("{} is here.", f.name)}</p> })}
            <section class="card drop" aria-labelledby="send" data-drop="">
                <header><h2 id="send">"Send files"</h2></header>
                <form class="body" method="post" action="/rpc/upload" enctype="multipart/form-data" data-upload="" data-limit=limit.to_string()>
                    {summary(wrong.as_ref())}
                    <div class="field">
                        <label for="f-workflow">"Workflow "<span class="optional">"optional"</span></label>
                        <input id="f-workflow" name="workflow" list="workflows" maxlength="60" autocomplete="off" aria-describedby="f-workflow-hint" />
                        <p class="hint" id="f-workflow-hint">"What it belongs to, such as “month end”. Earlier ones are suggested."</p>
                        {marked("workflow").map(|m| view! { <p class="wrong">{m}</p> })}
                    </div>
                    <datalist id="workflows" data-part="labels">{labels.into_iter().map(|l| view! { <option value=l></option> }).collect_view()}</datalist>
                    <div class="field">
                        <label for="f-file">"File"</label>
                        <input id="f-file" name="file" type="file" required aria-describedby="f-file-hint" />
                        <p class="hint" id="f-file-hint">{format!("Up to {} each. ", bytes_text(limit))}<span class="needs-script">"Choose several, or drop them here."</span></p>
                        {marked("file").map(|m| view! { <p class="wrong">{m}</p> })}
                    </div>
                    <button class="button primary">"Upload"</button>
                </form>
                <ul class="queue" data-queue="" aria-label="Being sent"></ul>
            </section>
            <p class="muted after" data-part="usage">{said}</p>
            <section class="card" data-part="list" aria-labelledby="sent">
                <header><h2 id="sent">"Uploads"</h2></header>
                {table("Table of uploads", Called::As("sent".to_owned()), &["Name", "Size", "Workflow", "Type", "Sent", ""], rows.into_any())}
                {list.items.is_empty().then(|| view! { <p class="empty">"No uploads yet. Send a file above."</p> })}
                {pager(asked, list.items.len(), list.total, "upload", list.next.as_deref())}
            </section>
            <div data-part="dialogs">{list.items.iter().map(delete_dialog).collect_view()}</div>
            <section class="card after" data-part="outputs" aria-labelledby="made">
                <header><h2 id="made">"Made for you"</h2></header>
                {if outputs.items.is_empty() {
                    view! { <p class="empty">"Reports and exports you ask for will be here."</p> }.into_any()
                } else {
                    view! { <ul class="words body">{outputs.items.iter().map(output).collect_view()}</ul> }.into_any()
                }}
            </section>
        }
    }))
}

fn row(f: &File) -> impl IntoView + use<> {
    let dialog = format!("delete-{}", f.id);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{link("uploads", f.id, &f.name)}</th>
            <td role="cell" data-label="Size">{size(f.size)}</td>
            <td role="cell" data-label=f.label.is_some().then_some("Workflow")>{f.label.clone()}</td>
            <td role="cell" data-label="Type">{f.content_type.clone()}</td>
            <td role="cell" data-label="Sent">{when(f.created_at, true)}</td>
            <td role="cell" class="act">
                <button type="button" class="button" command="show-modal" commandfor=dialog aria-label=format!("Delete {}", f.name)>"Delete"</button>
            </td>
        </tr>
    }
}

fn delete_dialog(f: &File) -> impl IntoView + use<> {
    let id = format!("delete-{}", f.id);
    let heading = format!("{id}-heading");
    view! {
        <dialog id=id.clone() class="dialog" aria-labelledby=heading.clone()>
            <form method="post" action="/rpc/delete_upload">
                <h2 id=heading.clone()>{format!("Delete {}?", f.name)}</h2>
                <p>{format!("{} are gone for good: undo is impossible.", text::count(f.size, "byte"))}</p>
                <input type="hidden" name="id" value=f.id.to_string() />
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor=id.clone()>"Keep it"</button>
                    <button class="button danger">"Delete"</button>
                </div>
            </form>
        </dialog>
    }
}

fn output(f: &File) -> impl IntoView + use<> {
    let source = f.label.clone().map(|s| format!(", by {s}"));
    view! { <li>{link("outputs", f.id, &f.name)}" "<small class="muted">{size(f.size)}{source}", "{when(f.created_at, true)}</small></li> }
}
