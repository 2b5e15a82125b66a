//! `.br` and `.gz` beside every file, made once here so that the server never compresses an asset.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    thread,
};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use super::Files;
use crate::outcome::Outcome;

/// Compresses all files of `folder`. What `previous` (the folder before this one) holds unchanged is copied: the
/// best brotli of the wasm takes 12 s.
pub(super) fn all(files: &Files, folder: &Path, previous: Option<&Path>) -> Outcome {
    thread::scope(|scope| {
        let tasks: Vec<_> = files
            .iter()
            .flat_map(|(name, contents)| [(name, contents, "br"), (name, contents, "gz")])
            .map(|(name, contents, kind)| scope.spawn(move || one(name, contents, kind, folder, previous)))
            .collect();
        tasks.into_iter().try_for_each(|task| task.join().map_err(|_| "compression panicked")?.map_err(Into::into))
    })
}

fn one(name: &str, contents: &[u8], kind: &str, folder: &Path, previous: Option<&Path>) -> io::Result<()> {
    let packed = format!("{name}.{kind}");
    if let Some(previous) = previous
        && previous.join(&packed).is_file()
        && fs::read(previous.join(name)).is_ok_and(|old| old == contents)
    {
        fs::copy(previous.join(&packed), folder.join(&packed))?;
        return Ok(());
    }
    let bytes = if kind == "br" { brotli(contents)? } else { gzip(contents)? };
    fs::write(folder.join(packed), bytes)
}

fn brotli(mut contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    // The window of 2^22 bytes holds any file whole.
    let params = BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: contents.len(), ..Default::default() };
    brotli::BrotliCompress(&mut contents, &mut packed, &params)?;
    Ok(packed)
}

fn gzip(contents: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn both_kinds_unpack_to_what_went_in() {
        let text = "the same line again and again\n".repeat(100);
        let mut back = String::new();
        flate2::read::GzDecoder::new(&*gzip(text.as_bytes()).unwrap()).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);

        let packed = brotli(text.as_bytes()).unwrap();
        assert!(packed.len() < 100);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &*packed, &mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }
}
