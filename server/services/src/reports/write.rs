//! A report as a file: a workbook, comma-separated values, or a page to print.

use std::{fmt::Write, fs::File, path::Path};

use bytes::Bytes;
use domain::{ApiError, reports::Form};
use html_escape::encode_safe;
use rust_xlsxwriter::{Format as Style, Worksheet, XlsxError};
use tokio::{io::AsyncReadExt, sync::mpsc, task::JoinHandle};

use super::{rows::Row, sums::Summary};
use crate::{
    csv,
    files::Making,
    sheets::{Cell, Sheets},
};

/// Bytes of a workbook put into the storage at once.
const PIECE: usize = 64 * 1024;
/// Rows of a page to print, and groups of each of its sums: more is nothing to print.
const PRINTED: usize = 1_000;
const GROUPS: usize = 50;

type Columns = &'static [&'static str];

/// One file as it is written. Memory stays the same however many rows there are.
pub(super) enum Writer {
    Csv,
    Page { columns: Columns, first: Vec<Row>, more: usize },
    Book { give: mpsc::Sender<Part>, writing: JoinHandle<Result<File, XlsxError>> },
}

/// What a workbook is made of, in this order.
pub(super) enum Part {
    Rows(Vec<Row>),
    Summary(Box<Summary>),
}

impl Writer {
    pub(super) async fn open(form: Form, columns: Columns, folder: &Path, into: &mut Making) -> Result<Self, ApiError> {
        Ok(match form {
            Form::Csv => {
                into.write(csv::lines([columns.iter().map(|c| (*c).to_owned())]).into()).await?;
                Self::Csv
            }
            Form::Html => Self::Page { columns, first: vec![], more: 0 },
            Form::Xlsx => {
                let ((give, mut take), folder) = (mpsc::channel(2), folder.to_owned());
                Self::Book { give, writing: tokio::task::spawn_blocking(move || book(columns, &folder, &mut take)) }
            }
        })
    }

    pub(super) async fn rows(&mut self, rows: Vec<Row>, into: &mut Making) -> Result<(), ApiError> {
        match self {
            Self::Csv => into.write(csv::lines(rows.into_iter().map(|r| r.into_iter().map(text))).into()).await?,
            Self::Page { first, more, .. } => {
                let room = PRINTED - first.len();
                *more += rows.len().saturating_sub(room);
                first.extend(rows.into_iter().take(room));
            }
            // Nobody takes them where it broke, which `finish` tells.
            Self::Book { give, .. } => drop(give.send(Part::Rows(rows)).await),
        }
        Ok(())
    }

    /// All rows were written, and this is what they come to.
    pub(super) async fn finish(self, summary: Summary, into: &mut Making) -> Result<(), ApiError> {
        match self {
            Self::Csv => Ok(()),
            Self::Page { columns, first, more } => into.write(page(&summary, columns, &first, more).into()).await,
            Self::Book { give, writing } => {
                let _ = give.send(Part::Summary(Box::new(summary))).await;
                drop(give);
                let broken = |e: &dyn std::fmt::Display| {
                    tracing::error!(error = %e, "a workbook could not be written");
                    ApiError::internal()
                };
                let file = writing.await.map_err(|e| broken(&e))?.map_err(|e| broken(&e))?;
                let mut file = tokio::fs::File::from_std(file);
                loop {
                    let mut piece = vec![0; PIECE];
                    let n = file.read(&mut piece).await.map_err(|e| broken(&e))?;
                    if n == 0 {
                        return Ok(());
                    }
                    piece.truncate(n);
                    into.write(Bytes::from(piece)).await?;
                }
            }
        }
    }
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => text,
        Cell::Number(n) => n.to_string(),
    }
}

/// The sums first, then the rows. Where whoever gives goes away, there is no file.
fn book(columns: Columns, folder: &Path, parts: &mut mpsc::Receiver<Part>) -> Result<File, XlsxError> {
    let mut sheets = Sheets::with_summary(columns, folder)?;
    while let Some(part) = parts.blocking_recv() {
        match part {
            Part::Rows(rows) => rows.into_iter().try_for_each(|row| sheets.row(row))?,
            Part::Summary(summary) => {
                sums_sheet(sheets.summary()?, &summary)?;
                return sheets.finish(summary.title);
            }
        }
    }
    Err(XlsxError::CustomError("nobody wants it any more".to_owned()))
}

fn sums_sheet(sheet: &mut Worksheet, summary: &Summary) -> Result<(), XlsxError> {
    let bold = &Style::new().set_bold();
    sheet.set_column_width(0, 36)?.set_column_width(1, 24)?;
    sheet.write_string_with_format(0, 0, summary.title, bold)?;
    let mut line = 1;
    for (name, value) in &summary.facts {
        sheet.write_string(line, 0, *name)?;
        sheet.write_string(line, 1, value)?;
        line += 1;
    }
    for sums in &summary.sums {
        line += 1;
        sheet.write_string_with_format(line, 0, sums.title, bold)?;
        for (column, measure) in (1..).zip(&sums.measures) {
            sheet.write_string_with_format(line, column, *measure, bold)?;
        }
        line += 1;
        for (group, numbers) in sums.rows() {
            sheet.write_string(line, 0, group)?;
            for (column, n) in (1..).zip(numbers) {
                sheet.write_number(line, column, *n as f64)?;
            }
            line += 1;
        }
    }
    Ok(())
}

/// How the page looks, on paper and on a screen.
const STYLE: &str = "body{font:10pt/1.4 system-ui,sans-serif;color:#111;background:#fff;margin:2rem auto;max-width:60rem;\
                     padding:0 1rem}h1{font-size:18pt;margin:0 0 .5rem}h2{font-size:12pt;margin:1.5rem 0 .25rem}\
                     table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .5rem .2rem 0;\
                     border-bottom:1px solid #ccc;vertical-align:top;overflow-wrap:anywhere}thead{display:table-header-group}\
                     .sums :is(th,td)+:is(th,td){text-align:right;font-variant-numeric:tabular-nums}dl{display:grid;\
                     grid-template-columns:max-content 1fr;gap:.1rem 1rem}dd{margin:0}tr{break-inside:avoid}\
                     .rows{font-size:8pt;overflow-x:auto}@media print{body{margin:0;max-width:none}.rows{overflow:visible}}";

/// A page of its own: nothing in it is fetched from anywhere.
fn page(summary: &Summary, columns: Columns, first: &[Row], more: usize) -> String {
    let (mut out, title) = (String::new(), summary.title);
    let _ = write!(
        out,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1><dl>"
    );
    for (name, value) in &summary.facts {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", encode_safe(value));
    }
    out.push_str("</dl>");
    for sums in &summary.sums {
        let rows = sums.rows();
        let heads = [sums.of].into_iter().chain(sums.measures.iter().copied());
        let shown = rows.iter().take(GROUPS).map(|(group, numbers)| {
            [(*group).to_owned()].into_iter().chain(numbers.iter().map(ToString::to_string)).collect()
        });
        let _ = write!(out, "<h2>{}</h2>", sums.title);
        table(&mut out, "sums", heads, shown);
        let left = rows.len().saturating_sub(GROUPS);
        if rows.is_empty() {
            out.push_str("<p>None.</p>");
        } else if left > 0 {
            let _ = write!(out, "<p>And {left} more; the workbook has them all.</p>");
        }
    }
    out.push_str("<h2>Rows</h2>");
    let heads = columns.iter().map(|c| c.replace('_', " "));
    table(&mut out, "rows", heads, first.iter().map(|row| row.iter().cloned().map(text).collect()));
    if more > 0 {
        let _ = write!(out, "<p>And {more} more rows; the other formats have them all.</p>");
    }
    out.push_str("</body></html>\n");
    out
}

fn table(
    out: &mut String,
    class: &str,
    heads: impl Iterator<Item = impl AsRef<str>>,
    rows: impl Iterator<Item = Vec<String>>,
) {
    let _ = write!(out, "<div class=\"{class}\"><table><thead><tr>");
    for head in heads {
        let _ = write!(out, "<th scope=\"col\">{}</th>", encode_safe(head.as_ref()));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}</td>", encode_safe(&cell));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_texts_and_no_markup_of_others() {
        let summary = Summary { title: "Activity", facts: vec![("Of", "<b>North</b>".to_owned())], sums: vec![] };
        let row = vec![Cell::from("<script>alert(1)</script>"), Cell::Number(7)];
        let page = page(&summary, &["a", "b_c"], &[row], 3);
        assert!(
            page.contains("&lt;b&gt;North") && !page.contains("<script") && page.contains("<th scope=\"col\">b c</th>")
        );
        assert!(page.contains("And 3 more rows"));
    }
}
