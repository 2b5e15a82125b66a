//! What people did as a file: comma-separated values, JSON Lines, or a workbook, made while it is read.

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use domain::{ApiError, activity::EventRow};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use rust_xlsxwriter::XlsxError;
use services::{
    Activity, Export, Services, csv,
    sheets::{Cell, Sheets},
};
use tokio::{io::AsyncReadExt, sync::mpsc};

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
    services: &Services,
    export: Export,
    format: Format,
) -> BoxStream<'static, Result<Bytes, ApiError>> {
    let activity = services.activity.clone();
    if format == Format::Xlsx {
        return stream::once(workbook(activity, export, services.data_dir.clone())).try_flatten().boxed();
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

/// A workbook is made as a file, and sent when it is whole.
async fn workbook(
    activity: Activity,
    mut export: Export,
    folder: PathBuf,
) -> Result<BoxStream<'static, Result<Bytes, ApiError>>, ApiError> {
    let (give, mut take) = mpsc::channel::<Vec<EventRow>>(2);
    let writing = tokio::task::spawn_blocking(move || write(&folder, &mut take));
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

fn write(folder: &Path, rows: &mut mpsc::Receiver<Vec<EventRow>>) -> Result<std::fs::File, XlsxError> {
    let mut sheets = Sheets::new(&COLUMNS, folder)?;
    while let Some(rows) = rows.blocking_recv() {
        for row in rows {
            sheets.row(cells(&row).map(Cell::from))?;
        }
    }
    sheets.finish("Activity")
}
