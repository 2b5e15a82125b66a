//! Where the bytes are: exactly one object per row, under the row's id. What is still coming is elsewhere, so that
//! whoever looks at the folder sees whole files only.

use std::{io, ops::Range, path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, buffered::BufWriter, local::LocalFileSystem, path::Path,
};
use uuid::Uuid;

/// A part of a file on its way to the storage: at most two of them are in memory.
const PART: usize = 256 * 1024;

/// Why the storage could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("The storage of files takes file:///PATH; this is none.")]
    Url,
    #[error("The storage of files could not be opened at {0}; check that it can be written: {1}")]
    Folder(PathBuf, io::Error),
    #[error("The storage of files could not be opened: {0}")]
    Store(#[from] object_store::Error),
}

/// The storage; a cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Folders within it: of whole files, and of those that are coming.
    whole: Path,
    partial: Path,
    /// The latter as a path of this machine.
    partial_folder: PathBuf,
}

impl Storage {
    /// Opens `file:///PATH`; partial files are beside it, on the same file system, in `PATH.partial`.
    pub(crate) fn open(url: &str) -> Result<Self, StorageError> {
        let folder = PathBuf::from(url.strip_prefix("file://").ok_or(StorageError::Url)?);
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(|n| n.to_str())) else {
            return Err(StorageError::Url);
        };
        let partial_folder = parent.join(format!("{name}.partial"));
        for made in [&folder, &partial_folder] {
            make(made).map_err(|e| StorageError::Folder(made.clone(), e))?;
        }
        // Without fsync a power cut could leave a row whose file is empty.
        let store = LocalFileSystem::new_with_prefix(parent)?.with_fsync(true);
        let (whole, partial) = (Path::from(name), Path::from(format!("{name}.partial")));
        Ok(Self { store: Arc::new(store), whole, partial, partial_folder })
    }

    fn at(folder: &Path, id: Uuid) -> Path {
        folder.clone().join(id.to_string())
    }

    /// Takes a file in, out of sight.
    pub(super) fn write(&self, id: Uuid) -> BufWriter {
        let to = Self::at(&self.partial, id);
        BufWriter::with_capacity(Arc::clone(&self.store), to, PART).with_max_concurrency(1)
    }

    /// Puts a file that came whole in its place.
    pub(super) async fn place(&self, id: Uuid) -> object_store::Result<()> {
        self.store.rename(&Self::at(&self.partial, id), &Self::at(&self.whole, id)).await
    }

    /// Removes a file, wherever it is; one that is not there is no error.
    pub(super) async fn remove(&self, id: Uuid) -> object_store::Result<()> {
        for folder in [&self.partial, &self.whole] {
            match self.store.delete(&Self::at(folder, id)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// The bytes of a file, or of a part of it.
    pub(super) async fn read(
        &self,
        id: Uuid,
        part: Option<Range<u64>>,
    ) -> object_store::Result<BoxStream<'static, io::Result<Bytes>>> {
        let options = GetOptions { range: part.map(GetRange::Bounded), ..GetOptions::default() };
        let got = self.store.get_opts(&Self::at(&self.whole, id), options).await?;
        Ok(got.into_stream().map_err(io::Error::other).boxed())
    }

    /// The ids of all whole files; what has another name is not ours.
    pub(super) async fn ids(&self) -> object_store::Result<Vec<Uuid>> {
        let all = self.store.list(Some(&self.whole));
        let id = |o: object_store::ObjectMeta| o.location.filename().and_then(|n| Uuid::try_parse(n).ok());
        all.try_filter_map(|o| std::future::ready(Ok(id(o)))).try_collect().await
    }

    /// Removes what was still coming when the process before this one ended. Parts of a file have names that are no ids.
    pub(super) async fn clear_partial(&self) -> io::Result<usize> {
        let (mut entries, mut n) = (tokio::fs::read_dir(&self.partial_folder).await?, 0);
        while let Some(entry) = entries.next_entry().await? {
            if entry.file_type().await?.is_file() {
                tokio::fs::remove_file(entry.path()).await?;
                n += 1;
            }
        }
        Ok(n)
    }
}

/// A folder for its owner alone.
fn make(folder: &std::path::Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
