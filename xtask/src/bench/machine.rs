//! Where and when the figures were measured: single runs on a shared machine, so it belongs to them.

use std::{fmt, fs, process::Command, thread};

use crate::{outcome::Outcome, process, workspace::root};

#[derive(Debug)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: f64,
    system: String,
    rust: String,
    commit: String,
    date: String,
}

impl Machine {
    pub(super) fn here() -> Outcome<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: f64 = field(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        let git = |args: &[&str]| process::read(Command::new("git").args(args).current_dir(root()));
        // A folder that is no checkout, or one without a commit yet, can be measured too.
        let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|_| "no commit".to_owned());
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_ok_and(|lines| !lines.is_empty());
        Ok(Self {
            processor: field(&cpus, "model name").to_owned(),
            cores: thread::available_parallelism()?.get(),
            memory_gib: kib / 1024.0 / 1024.0,
            system: process::read(Command::new("uname").arg("-sr"))?,
            rust: process::read(Command::new("rustc").arg("--version"))?,
            commit: if changed { format!("{commit} with changes") } else { commit },
            date: process::read(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?,
        })
    }
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.map_or("unknown", str::trim)
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_gib, system, rust, commit, date } = self;
        write!(f, "{date}, commit {commit}; {processor}, {cores} cores, {memory_gib:.0} GiB, {system}; {rust}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc() {
        assert_eq!(field("processor\t: 0\nmodel name\t: AMD EPYC\n", "model name"), "AMD EPYC");
        assert_eq!(field("MemTotal:       24683836 kB\n", "MemTotal"), "24683836 kB");
        assert_eq!(field("", "MemTotal"), "unknown");
    }
}
