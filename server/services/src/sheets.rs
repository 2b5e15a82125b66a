//! Workbooks of any number of rows. A workbook is an archive with its contents at the end: it is made as a file of the
//! machine, row by row, in memory that does not grow with them.

use std::{
    fs::File,
    io::Seek,
    path::{Path, PathBuf},
};

use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

/// A sheet holds no more rows, the line of names included.
const ROWS_MAX: u32 = 1_048_576;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Written as a text, so that none is taken for a formula.
    Text(String),
    Number(u64),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A workbook being written; it takes its time, so on a thread that may be blocked.
pub struct Sheets {
    book: Workbook,
    columns: &'static [&'static str],
    folder: PathBuf,
    /// Those that are there, of which the ones before `first` hold no rows.
    count: usize,
    first: usize,
    line: u32,
}

impl Sheets {
    /// `folder` has room for all of it.
    pub fn new(columns: &'static [&'static str], folder: &Path) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        // A sheet may be larger than 4 GiB before it is packed.
        book.set_tempdir(folder)?.use_zip_large_file(true);
        Ok(Self { book, columns, folder: folder.to_owned(), count: 0, first: 0, line: ROWS_MAX })
    }

    /// With a sheet before the rows, for what is known once they are written.
    pub(crate) fn with_summary(columns: &'static [&'static str], folder: &Path) -> Result<Self, XlsxError> {
        let mut this = Self { count: 1, first: 1, ..Self::new(columns, folder)? };
        this.book.add_worksheet().set_name("Summary")?;
        Ok(this)
    }

    pub(crate) fn summary(&mut self) -> Result<&mut Worksheet, XlsxError> {
        self.book.worksheet_from_index(0)
    }

    /// The next row, on another sheet where this one is full.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<(), XlsxError> {
        if self.line == ROWS_MAX {
            self.begin()?;
        }
        let sheet = self.book.worksheet_from_index(self.count - 1)?;
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => drop(sheet.write_string(self.line, column, text)?),
                Cell::Number(n) => drop(sheet.write_number(self.line, column, n as f64)?),
            }
        }
        self.line += 1;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), XlsxError> {
        let (n, bold) = (self.count - self.first + 1, Format::new().set_bold());
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(if n == 1 { "Rows".to_owned() } else { format!("Rows {n}") })?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(self.columns) {
            sheet.write_string_with_format(0, column, *name, &bold)?;
        }
        (self.count, self.line) = (self.count + 1, 1);
        Ok(())
    }

    /// The file, from its beginning; it is gone when it is closed.
    pub fn finish(mut self, title: &str) -> Result<File, XlsxError> {
        if self.count == self.first {
            self.begin()?;
        }
        self.book.set_properties(&DocProperties::new().set_title(title));
        let mut file = tempfile::tempfile_in(&self.folder)?;
        self.book.save_to_writer(&mut file)?;
        file.rewind()?;
        Ok(file)
    }
}
