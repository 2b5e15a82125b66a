//! Where the bytes are: exactly one object per row, under the row's id. What is still coming is elsewhere, so that
//! whoever looks at the folder sees whole files only: in a folder beside it, or in an S3-compatible service as an upload
//! in parts, of which nothing is seen before it is completed.

use std::{
    io,
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, buffered::BufWriter, local::LocalFileSystem, path::Path,
};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::bucket::Bucket;

/// A part of a file on its way to the storage: at most two of them are in memory.
const PART: usize = 256 * 1024;
/// S3 takes no smaller ones, and so many at most.
const PART_S3: usize = 5 * 1024 * 1024;
const PARTS_S3: u64 = 10_000;
/// Files on their way at the same time: each holds two parts in memory, and a file or a connection open.
const AT_ONCE: usize = 256;
const AT_ONCE_S3: usize = 32;

/// Why the storage could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("The storage of files takes file:///PATH or s3://BUCKET/PREFIX; this is neither.")]
    Url,
    #[error(
        "AWS_ENDPOINT_URL is http://, so files would travel for all to read; use https://, or set AWS_ALLOW_HTTP=true"
    )]
    Plain,
    #[error("The storage of files could not be opened at {0}; check that it can be written: {1}")]
    Folder(PathBuf, io::Error),
    #[error("The storage of files failed: {}", said(.0))]
    Store(#[from] object_store::Error),
}

/// What a storage said. A service that refuses repeats in its answer who asked and what was signed, which is nobody's
/// business: of that only its code and its words.
pub(super) fn said(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let Some((before, answer)) = text.find('<').map(|at| text.split_at(at)) else { return text };
    let of = |name: &str| answer.split_once(&format!("<{name}>"))?.1.split('<').next();
    let told: Vec<&str> = ["Code", "Message"].into_iter().filter_map(of).collect();
    format!("{before}{}", told.join(": "))
}

/// Whether there is no such file. Where there is no bucket nothing is known of its files.
pub(super) fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket"))
}

/// The storage; a cheap clone.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    store: Arc<dyn ObjectStore>,
    /// The folder of whole files within it.
    whole: Path,
    coming: Coming,
}

/// Where files are while they come.
#[derive(Clone, Debug)]
enum Coming {
    /// In a folder within the store, which is this one of the machine.
    Folder(Path, PathBuf),
    /// In parts of the bucket.
    Parts(Bucket),
}

impl Storage {
    /// Opens `file:///PATH`, whose partial files are beside it, on the same file system, in `PATH.partial`; or
    /// `s3://BUCKET/PREFIX`. Folders are made; whether a bucket is there shows when it is used.
    pub(crate) fn open(url: &str) -> Result<Self, StorageError> {
        if let Some(folder) = url.strip_prefix("file://") {
            for made in [folder.to_owned(), format!("{folder}.partial")] {
                make(FilePath::new(&made)).map_err(|e| StorageError::Folder(made.into(), e))?;
            }
        }
        Self::at_url(url)
    }

    /// The same, to look: nothing is made.
    pub(crate) fn at_url(url: &str) -> Result<Self, StorageError> {
        if let Some(bucket) = url.strip_prefix("s3://") {
            let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
            let (whole, bucket) = (Path::parse(prefix).map_err(|_| StorageError::Url)?, Bucket::open(name)?);
            return Ok(Self { store: Arc::new(bucket.s3.clone()), whole, coming: Coming::Parts(bucket) });
        }
        let folder = PathBuf::from(url.strip_prefix("file://").ok_or(StorageError::Url)?);
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(|n| n.to_str())) else {
            return Err(StorageError::Url);
        };
        // Without fsync a power cut could leave a row whose file is empty.
        let store = LocalFileSystem::new_with_prefix(parent)?.with_fsync(true);
        let partial = format!("{name}.partial");
        let coming = Coming::Folder(Path::from(&*partial), parent.join(partial));
        Ok(Self { store: Arc::new(store), whole: Path::from(name), coming })
    }

    /// Another machine has the files: what was asked of it may happen after we stopped waiting.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.coming, Coming::Parts(_))
    }

    /// How many files may be on their way at the same time.
    pub(super) fn at_once(&self) -> usize {
        if self.is_remote() { AT_ONCE_S3 } else { AT_ONCE }
    }

    /// A larger file does not go in.
    pub(super) fn largest(&self) -> u64 {
        if self.is_remote() { PARTS_S3 * PART_S3 as u64 } else { u64::MAX }
    }

    /// A folder on the disk that files are on, where it is one of this machine.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match &self.coming {
            Coming::Folder(_, partial) => Some(partial.clone()),
            Coming::Parts(_) => None,
        }
    }

    fn at(&self, id: Uuid) -> Path {
        self.whole.clone().join(id.to_string())
    }

    /// Takes a file in, out of sight.
    pub(super) fn write(&self, id: Uuid) -> Writer {
        let (to, part) = match &self.coming {
            Coming::Folder(folder, _) => (folder.clone().join(id.to_string()), PART),
            Coming::Parts(_) => (self.at(id), PART_S3),
        };
        let writer = BufWriter::with_capacity(Arc::clone(&self.store), to, part).with_max_concurrency(1);
        Writer { parts: Some(writer), from: self.clone(), id }
    }

    /// Removes a file, wherever it is; one that is not there is no error.
    pub(super) async fn remove(&self, id: Uuid) -> object_store::Result<()> {
        let partial = match &self.coming {
            Coming::Folder(folder, _) => Some(folder.clone().join(id.to_string())),
            Coming::Parts(_) => None,
        };
        for path in partial.into_iter().chain([self.at(id)]) {
            match self.store.delete(&path).await {
                Ok(()) => {}
                Err(e) if is_missing(&e) => {}
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
        let got = self.store.get_opts(&self.at(id), options).await?;
        Ok(got.into_stream().map_err(io::Error::other).boxed())
    }

    /// Whether it answers.
    pub(super) async fn reach(&self) -> object_store::Result<()> {
        self.store.list(Some(&self.whole)).try_next().await.map(drop)
    }

    /// The ids of all whole files; what has another name is not ours.
    pub(super) async fn ids(&self) -> object_store::Result<Vec<Uuid>> {
        let all = self.store.list(Some(&self.whole));
        let id = |o: object_store::ObjectMeta| self.id(&o.location);
        all.try_filter_map(|o| std::future::ready(Ok(id(o)))).try_collect().await
    }

    fn id(&self, path: &Path) -> Option<Uuid> {
        path.filename().and_then(|n| Uuid::try_parse(n).ok()).filter(|id| self.at(*id) == *path)
    }

    /// Removes what was still coming when the process before this one ended, and what could not be given up; not what
    /// `comes` now. Parts of a file in a folder have names that are no ids: there it is all of them.
    pub(super) async fn clear_partial(&self, comes: impl Fn(Uuid) -> bool) -> object_store::Result<usize> {
        match &self.coming {
            Coming::Folder(_, folder) => {
                clear(folder).await.map_err(|e| object_store::Error::Generic { store: "folder", source: Box::new(e) })
            }
            Coming::Parts(bucket) => {
                let mut n = 0;
                loop {
                    let begun = bucket.begun(self.whole.as_ref()).await?;
                    let ours = |path| self.id(&path).is_some_and(|id| !comes(id));
                    let left: Vec<_> = begun.iter().filter(|b| b.path().is_some_and(ours)).collect();
                    for one in &left {
                        bucket.give_up(one).await?;
                    }
                    n += left.len();
                    // A full answer may not be all of them.
                    if left.is_empty() || begun.len() < 1_000 {
                        return Ok(n);
                    }
                }
            }
        }
    }
}

/// A file being written. Dropping it before it is there gives up what was written.
pub(super) struct Writer {
    parts: Option<BufWriter>,
    from: Storage,
    id: Uuid,
}

impl Writer {
    pub(super) async fn put(&mut self, bytes: Bytes) -> object_store::Result<()> {
        match &mut self.parts {
            Some(writer) => writer.put(bytes).await,
            None => Ok(()),
        }
    }

    /// All of it has come: it is whole, and in its place.
    pub(super) async fn place(mut self) -> io::Result<()> {
        // What fails from here on it gives up by itself.
        let Some(mut writer) = self.parts.take() else { return Ok(()) };
        writer.shutdown().await?;
        let Coming::Folder(folder, _) = &self.from.coming else { return Ok(()) };
        let partial = folder.clone().join(self.id.to_string());
        self.from.store.rename(&partial, &self.from.at(self.id)).await.map_err(io::Error::other)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (Some(mut writer), Ok(here)) = (self.parts.take(), tokio::runtime::Handle::try_current()) else { return };
        here.spawn(async move {
            if let Err(e) = writer.abort().await {
                tracing::warn!(
                    error = said(&e),
                    "a file that did not come whole could not be removed; trying again later"
                );
            }
        });
    }
}

async fn clear(folder: &FilePath) -> io::Result<usize> {
    let (mut entries, mut n) = (tokio::fs::read_dir(folder).await?, 0);
    while let Some(entry) = entries.next_entry().await? {
        if entry.file_type().await?.is_file() {
            tokio::fs::remove_file(entry.path()).await?;
            n += 1;
        }
    }
    Ok(n)
}

/// A folder for its owner alone.
fn make(folder: &FilePath) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(source: &str) -> object_store::Error {
        object_store::Error::NotFound { path: "a".into(), source: source.into() }
    }

    #[test]
    fn a_service_is_not_repeated_to_the_letter() {
        let answer = "403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>It does not \
                      match.</Message><AWSAccessKeyId>a-key-id</AWSAccessKeyId><SignatureProvided>ab12</SignatureProvided>\
                      </Error>";
        let told = said(&missing(answer));
        assert!(told.ends_with("403 Forbidden: SignatureDoesNotMatch: It does not match."), "{told}");
        assert!(said(&missing("refused")).ends_with("refused"));
        assert!(said(&missing("<html>Nothing to see")).ends_with(": "));
    }

    #[test]
    fn a_missing_bucket_is_no_missing_file() {
        assert!(is_missing(&missing("<Code>NoSuchKey</Code>")));
        assert!(!is_missing(&missing("<Code>NoSuchBucket</Code>")));
        assert!(!is_missing(&object_store::Error::NotImplemented {
            operation: String::new(),
            implementer: String::new()
        }));
    }
}
