//! The only room that touches the kernel. It decides nothing, and knows nothing of nodes: keys, descriptors, processes.

mod askpass;
mod clone;
mod closed;
mod descriptors;
mod files;
mod guardian;
mod history;
mod input;
mod memory;
mod password;
mod program;
mod reactor;
mod reap;
mod secret;
mod sessions;
mod sharing;
mod signals;
mod spawn;
mod standard;
mod stdio;
mod terminal;
mod work;

pub use askpass::{Askpass, Question, asked_for_ssh};
pub use closed::stdout_was_closed;
pub use descriptors::{Descriptors, descriptors};
pub use files::{Directory, Report, Scratch};
pub use guardian::Guardian;
pub use history::{load_history, remember};
pub use input::{Input, Kind};
pub use memory::give_back_memory;
pub use password::{Asked, ask_password, password_from_file, password_from_stdin};
pub use program::{Program, find_program};
pub use reactor::{Reactor, Ready};
pub use reap::{Ended, is_stopped, reap, reap_any, signal_group};
pub use secret::Secret;
pub use sessions::{Signalling, leads_session};
pub use sharing::carries_others;
pub use signals::{Signals, die_by, outlive_file_limits, stop_self};
pub use spawn::{Child, Ends, SpawnError, Spawner, Stdin};
pub use stdio::{Sink, Written, print, same_place};
pub use terminal::{Terminal, columns};
pub use work::{Work, work};

use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

// The unwinder's static form, which gcc always has. Its shared library, which nothing here ever calls unless clsh panics, is a fifth of the time
// of a short start.
#[cfg(all(target_env = "gnu", not(target_feature = "crt-static")))]
#[link(name = "gcc_eh")]
// SAFETY: nothing is declared.
unsafe extern "C" {}

/// Device number of the null device (major 1, minor 3), on every Linux.
const NULL_DEVICE: u64 = 1 << 8 | 3;

/// Random bytes from the kernel, for secrets.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    // getrandom(2) gives so few in one piece, and needs no /dev.
    // SAFETY: it writes at most as many bytes as it is told, to memory that is ours.
    let count = unsafe { nix::libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    Errno::result(count)?;
    Ok(bytes)
}

/// The name of the user who runs clsh, or their number where the system has no name for it.
pub fn user_name() -> String {
    let uid = nix::unistd::getuid();
    nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}

/// How many processors clsh and its children may run on; one where the system does not tell.
pub fn cores() -> usize {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::this());
    let allowed = |set: nix::sched::CpuSet| {
        let on = |&cpu: &usize| set.is_set(cpu).unwrap_or(false);
        (0..nix::sched::CpuSet::count()).filter(on).count()
    };
    set.map_or(1, allowed).max(1)
}

/// What the system calls an error, without its number.
pub fn error_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The same of an error number.
pub fn errno_text(error: Errno) -> String {
    error_text(&error.into())
}

/// What one read gave.
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Dry,
    /// The end, which includes every error: there is nothing more to come.
    Eof,
}

/// Writes once to a non-blocking pipe.
pub fn write(fd: impl AsFd, bytes: &[u8]) -> Written {
    loop {
        return match nix::unistd::write(&fd, bytes) {
            Ok(count) => Written::Bytes(count),
            Err(nix::errno::Errno::EINTR) => continue,
            Err(nix::errno::Errno::EAGAIN) => Written::Blocked,
            Err(nix::errno::Errno::EPIPE) => Written::Closed,
            Err(error) => Written::Failed(error.into()),
        };
    }
}

/// Reads once from a non-blocking descriptor.
pub fn read(fd: BorrowedFd, buffer: &mut [u8]) -> Got {
    loop {
        return match nix::unistd::read(fd, buffer) {
            Ok(0) => Got::Eof,
            Ok(count) => Got::Bytes(count),
            Err(nix::errno::Errno::EINTR) => continue,
            Err(nix::errno::Errno::EAGAIN) => Got::Dry,
            Err(_) => Got::Eof,
        };
    }
}
