//! The limit on open files.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

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
