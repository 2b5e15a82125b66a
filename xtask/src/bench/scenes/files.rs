//! Uploads: a large file, and a thousand small ones from four people at once.

use super::{
    super::{figures::Figure, rollcall::Rollcall},
    Scene, at, sum,
};
use crate::outcome::Outcome;

const MIB: f64 = 1_048_576.0;

pub(super) fn files(rollcall: &Rollcall) -> Outcome<Scene> {
    let few = rollcall.another(4, "member")?;
    few.set("upload_limit", "3GB")?;
    let server = few.serve()?;
    let raw = server.files("--large 2GB --files 1000 --small 100kB --clients 4")?;
    let grown = |of: &str| (at(&raw, &format!("/{of}/memory_most")) - at(&raw, &format!("/{of}/memory_before"))) / MIB;
    let missing = 1_001.0 - at(&raw, "/large/files") - at(&raw, "/small/files");
    let figures = vec![
        Figure::at_most("memory at most while 2 GB are uploaded, beyond that before", "MiB", grown("large"))
            .floor(16.0),
        Figure::at_least("the same upload", "MB/s", at(&raw, "/large/megabytes_per_second")),
        Figure::at_least(
            "files of 100 kB, four clients at once, 1,000 of them",
            "/s",
            at(&raw, "/small/files_per_second"),
        ),
        Figure::at_most("each of them, p99", "ms", at(&raw, "/small/latency/p99_ms")),
        Figure::at_most("memory at most meanwhile, beyond that before", "MiB", grown("small")),
        Figure::at_most("failed uploads", "", missing.max(sum(&raw, "/large/errors") + sum(&raw, "/small/errors")))
            .floor(0.0),
    ];
    Ok(Scene { figures, raw })
}
