//! What the server's process costs, as Linux counts it.

use std::fs;

use crate::cli::failure::Failure;

/// The unit of times in `/proc/PID/stat`, the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(pub(super) u32);

/// What it has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Memory that is in RAM now, in bytes.
    pub(super) memory: u64,
    /// Processor time of all its threads since the start, in seconds, in steps of 10 ms.
    pub(super) cpu: f64,
}

impl Process {
    pub(super) fn usage(self) -> Result<Usage, Failure> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.0));
        let (status, stat) = read("status")
            .and_then(|status| Ok((status, read("stat")?)))
            .map_err(|e| Failure::failed(format!("the server's process {} cannot be looked at: {e}", self.0)))?;
        let usage = memory(&status).zip(cpu(&stat)).map(|(memory, cpu)| Usage { memory, cpu });
        usage.ok_or_else(|| Failure::failed("this system's /proc is not understood: leave --pid out"))
    }
}

/// Reads `VmRSS:     5164 kB`.
fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Reads the 14th and 15th field; the second is the program's name in brackets, which may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut times = after_name.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    Some((times.next()? + times.next()?) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn procs_files_are_understood() {
        assert_eq!(memory("VmHWM:\t    6000 kB\nVmRSS:\t    5164 kB\n"), Some(5164 * 1024));
        assert_eq!(cpu("7 (a) b) S 1 7 7 0 -1 4194560 300 0 0 0 250 50 0 0 20 0 3 0 100"), Some(3.0));
    }
}
