//! Descriptors: how many there may be, and which numbers they have.
//!
//! The low numbers are kept free of what stays open as long as a node lives: what a child is given has one of them then, and the child needs a
//! copy of no other.

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// The kernel has room for so many in a process without further memory: to copy fewer saves nothing.
pub const LOW_DESCRIPTORS: RawFd = 64;

/// What open files there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// Most at once.
    pub limit: u64,
    /// Open now.
    pub open: u64,
    /// The soft limit as it was found, when it was raised: children get it back.
    pub inherited: Option<(u64, u64)>,
}

/// Assumed to be open where `/proc` does not tell.
const OPEN_GUESS: u64 = 16;

/// Makes room for `wanted` more open files, raising the soft limit as far as the hard one when that takes it.
pub fn descriptors(wanted: u64) -> Descriptors {
    // The directory that is read here is itself one of them.
    let open = std::fs::read_dir("/proc/self/fd").map_or(OPEN_GUESS, |entries| {
        entries.count().saturating_sub(1) as u64
    });
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return Descriptors {
            limit: 1024,
            open,
            inherited: None,
        };
    };
    let goal = (open + wanted).min(hard);
    if goal > soft && setrlimit(Resource::RLIMIT_NOFILE, goal, hard).is_ok() {
        return Descriptors {
            limit: goal,
            open,
            inherited: Some((soft, hard)),
        };
    }
    Descriptors {
        limit: soft,
        open,
        inherited: None,
    }
}

/// The same under a higher number, where the limit allows one.
pub fn out_of_the_way(low: OwnedFd) -> OwnedFd {
    match fcntl(&low, FcntlArg::F_DUPFD_CLOEXEC(LOW_DESCRIPTORS)) {
        // SAFETY: the kernel made it just now, and nobody else knows of it.
        Ok(high) => unsafe { OwnedFd::from_raw_fd(high) },
        Err(_) => low,
    }
}

/// The greatest number of a descriptor that clsh was given to pass on, where `/proc` tells.
pub fn last_inherited() -> Option<RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").ok()?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|&number| is_passed_on(number)).max()
}

fn is_passed_on(number: RawFd) -> bool {
    // SAFETY: fcntl(2) with F_GETFD changes nothing, and tells of a number that is not open.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}
