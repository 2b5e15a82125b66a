//! What people did as a file: comma-separated values, JSON Lines, or a workbook, made while it is read.

use axum::body::Bytes;
use domain::{ApiError, activity::EventRow};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use rust_xlsxwriter::{DocProperties, Format as Style, Workbook, XlsxError};
use services::{Activity, Export};
use tokio::{io::AsyncReadExt, sync::mpsc};

use services::csv;

/// A sheet holds no more, the line of names included.
const SHEET_MAX: u32 = 1_048_576;
/// Bytes of a file sent at once.
const PIECE: usize = 64 * 1024;

const COLUMNS: [&str; 14] = [
    "seq",
    "id",
    "at",
    "kind",
    "username",
    "name",
    "role",
    "organisation",
    "session_id",
    "page",
    "action",
    "ip",
    "device",
    "details",
];

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    /// An event a line.
    Json,
    Xlsx,
}

impl Format {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        if self == Self::Json { "jsonl" } else { self.word() }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// The file, piece by piece: as much in memory as the reader takes next.
pub(crate) fn stream(
    activity: Activity,
    export: Export,
    format: Format,
) -> BoxStream<'static, Result<Bytes, ApiError>> {
    if format == Format::Xlsx {
        return stream::once(workbook(activity, export)).try_flatten().boxed();
    }
    let head = if format == Format::Csv { csv::lines([COLUMNS.map(str::to_owned)]) } else { vec![] };
    let rows = stream::try_unfold((activity, export), move |(activity, mut export)| async move {
        let rows = activity.export_next(&mut export).await?;
        if rows.is_empty() {
            export.complete();
            return Ok(None);
        }
        Ok::<_, ApiError>(Some((Bytes::from(text(&rows, format)), (activity, export))))
    });
    stream::once(async move { Ok(Bytes::from(head)) }).chain(rows).boxed()
}

fn text(rows: &[EventRow], format: Format) -> Vec<u8> {
    if format == Format::Csv {
        return csv::lines(rows.iter().map(cells));
    }
    let mut lines = vec![];
    for row in rows {
        lines.extend(serde_json::to_vec(row).unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}

fn cells(r: &EventRow) -> [String; 14] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        r.seq.to_string(),
        r.id.to_string(),
        r.at.to_string(),
        r.kind.clone(),
        text(&r.username),
        text(&r.name),
        text(&r.role),
        text(&r.organisation),
        r.session_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&r.page),
        text(&r.action),
        text(&r.ip),
        text(&r.device),
        r.details.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

/// A workbook is an archive with its contents at the end: it is made as a file, row by row, and sent when it is whole.
async fn workbook(
    activity: Activity,
    mut export: Export,
) -> Result<BoxStream<'static, Result<Bytes, ApiError>>, ApiError> {
    let (give, mut take) = mpsc::channel::<Vec<EventRow>>(2);
    let writing = tokio::task::spawn_blocking(move || write(&mut take));
    loop {
        let rows = activity.export_next(&mut export).await?;
        if rows.is_empty() || give.send(rows).await.is_err() {
            break;
        }
    }
    drop(give);
    let broken = |e: &dyn std::fmt::Display| {
        tracing::error!(error = %e, "a workbook could not be written");
        ApiError::internal()
    };
    let file = writing.await.map_err(|e| broken(&e))?.map_err(|e| broken(&e))?;
    let pieces = stream::try_unfold((tokio::fs::File::from_std(file), export), |(mut file, export)| async move {
        export.check()?;
        let mut piece = vec![0; PIECE];
        let n = file.read(&mut piece).await.map_err(|e| {
            tracing::error!(error = %e, "a workbook could not be read");
            ApiError::internal()
        })?;
        if n == 0 {
            export.complete();
            return Ok(None);
        }
        piece.truncate(n);
        Ok(Some((Bytes::from(piece), (file, export))))
    });
    Ok(pieces.boxed())
}

/// Texts are written as texts, so none is taken for a formula. Memory stays the same however many rows there are.
fn write(rows: &mut mpsc::Receiver<Vec<EventRow>>) -> Result<std::fs::File, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_title("Activity"));
    let bold = Style::new().set_bold();
    let mut sheets = 0;
    let mut line = SHEET_MAX;
    while let Some(rows) = rows.blocking_recv() {
        for row in rows {
            if line == SHEET_MAX {
                let sheet = book.add_worksheet_with_constant_memory()?;
                sheet.set_freeze_panes(1, 0)?;
                for (column, name) in (0..).zip(COLUMNS) {
                    sheet.write_string_with_format(0, column, name, &bold)?;
                }
                (line, sheets) = (1, sheets + 1);
            }
            let sheet = book.worksheet_from_index(sheets - 1)?;
            for (column, cell) in (0..).zip(cells(&row)) {
                sheet.write_string(line, column, cell)?;
            }
            line += 1;
        }
    }
    if sheets == 0 {
        let sheet = book.add_worksheet();
        for (column, name) in (0..).zip(COLUMNS) {
            sheet.write_string_with_format(0, column, name, &bold)?;
        }
    }
    let mut file = tempfile::tempfile()?;
    book.save_to_writer(&mut file)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}
