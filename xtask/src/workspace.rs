//! Where things are in this checkout.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The checkout's top folder: the one cargo runs us for, which need not be the one we were compiled in where clones share
/// a target folder.
pub(crate) fn root() -> &'static Path {
    static OURS: LazyLock<PathBuf> =
        LazyLock::new(|| env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into());
    OURS.parent().unwrap_or(Path::new("."))
}

/// Cargo's target folder, absolute. Given to every cargo started from here, so that both sides agree on it.
pub(crate) fn target() -> PathBuf {
    let chosen = env::var_os("CARGO_TARGET_DIR").or_else(|| env::var_os("CARGO_BUILD_TARGET_DIR"));
    chosen.map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The folder the server embeds: always the checkout's own, wherever cargo's target folder is.
pub(crate) fn site() -> PathBuf {
    root().join("target/site")
}

/// The cargo that started us (rustup's choice of toolchain is kept), in the checkout's top folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// A program of this name in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}
