//! Signals to everything that stems from a child.
//!
//! Each child but one that is given the terminal leads a session of its own (setsid(2)). What it starts may make process groups of its own,
//! as timeout(1) and every shell with job control do, and killpg(2) on the child's group misses those. They stay in the child's session,
//! though, unless they leave it by setsid(2), which is how a daemon says that it is to stay. /proc tells which groups a session has.
//!
//! Numbers: that of a session is given to nobody else as long as one process of it lives, or its leader is not reaped; whoever reaps the
//! leader does so after [`Signalling::finish`]. A group is signalled in the moment it is found, so its number could only be a stranger's if
//! the kernel had used up all of its numbers in between.

use super::reap::signal_group;
use nix::libc::SIGKILL;
use nix::unistd::{Pid, getsid};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;

/// Most looks at all processes for what was started while SIGKILL went out. Two are enough unless new groups are made faster than they end.
const LOOKS_MAX: usize = 16;
/// What is read of /proc/PID/stat: the fields that count come first (proc(5)).
const STAT_BYTES: usize = 256;

/// Signals on their way to sessions.
#[derive(Debug, Default)]
pub struct Signalling {
    /// Leaders whose own group has got these signals, but not yet the other groups of their sessions.
    due: HashMap<i32, &'static [i32]>,
}

impl Signalling {
    /// Signals the process group of a child at once. What else its session holds gets the same from [`Signalling::finish`], for all
    /// children together, because that is a look at all processes of the system.
    pub fn send(&mut self, pid: i32, signals: &'static [i32]) {
        for &signal in signals {
            signal_group(pid, signal);
        }
        if leads_session(pid) {
            self.due.insert(pid, signals);
        }
    }

    /// Kills a session, whether its leader still lives or not.
    pub(super) fn kill_session(&mut self, leader: i32) {
        signal_group(leader, SIGKILL);
        self.due.insert(leader, &[SIGKILL]);
    }

    /// Whether [`Signalling::finish`] has something to do.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Signals the other groups. To be called before any of the children that were signalled is reaped.
    pub fn finish(&mut self) {
        let due = std::mem::take(&mut self.due);
        let mut signalled = HashSet::new();
        for _ in 0..LOOKS_MAX {
            let found = look(&due, &mut signalled);
            // Who got another signal may start what it likes.
            if !found || !due.values().any(|signals| signals.contains(&SIGKILL)) {
                break;
            }
        }
    }
}

/// One look at all processes: signals each group of these sessions that was not signalled before, and says whether there was one.
fn look(due: &HashMap<i32, &'static [i32]>, signalled: &mut HashSet<i32>) -> bool {
    let mut found = false;
    each_process(|process| {
        if let Some(signals) = due.get(&process.session)
            && process.is_alive
            && process.group != process.session
            && signalled.insert(process.group)
        {
            found = true;
            for &signal in *signals {
                signal_group(process.group, signal);
            }
        }
    });
    found
}

/// Whether this child, which may have ended and not be reaped, leads a session of its own.
pub fn leads_session(pid: i32) -> bool {
    let pid = Pid::from_raw(pid);
    getsid(Some(pid)) == Ok(pid)
}

/// What /proc tells of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub pid: i32,
    pub group: i32,
    pub session: i32,
    /// It is no zombie.
    pub is_alive: bool,
}

/// Calls `visit` with every process that /proc shows; with none where there is no /proc.
pub(super) fn each_process(mut visit: impl FnMut(Process)) {
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    let mut buffer = [0; STAT_BYTES];
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = File::open(entry.path().join("stat"));
        // It may be gone by now.
        if let Ok(count) = stat.and_then(|mut stat| stat.read(&mut buffer))
            && let Some(process) = parse(pid, &buffer[..count])
        {
            visit(process);
        }
    }
}

/// Reads the beginning of /proc/PID/stat (proc(5)): `PID (NAME) STATE PARENT GROUP SESSION ...`, where the name may hold anything.
fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let text = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    Some(Process {
        pid,
        group,
        session,
        is_alive: !matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_what_it_likes() {
        for name in ["sleep", "a b", "x) R 1 2 3 (y", ") Z 1 9 9", "\u{fc}("] {
            let stat = format!("7 ({name}) S 5 6 7 0 -1 4194304 100");
            let process = Process {
                pid: 7,
                group: 6,
                session: 7,
                is_alive: true,
            };
            assert_eq!(parse(7, stat.as_bytes()), Some(process), "{name}");
        }
        assert!(parse(7, b"7 (sh) Z 5 6 7 0").is_some_and(|process| !process.is_alive));
        assert_eq!(parse(7, b""), None);
        assert_eq!(parse(7, b"7 (sh) S 5"), None);
    }

    #[test]
    fn this_process_is_found() {
        let me = std::process::id() as i32;
        let mut found = None;
        each_process(|process| found = found.or((process.pid == me).then_some(process)));
        let group = nix::unistd::getpgrp().as_raw();
        assert_eq!(found.map(|process| process.group), Some(group));
    }
}
