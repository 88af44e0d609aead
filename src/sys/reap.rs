//! Children that ended, are stopped, or are told to.

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

/// Reaps one child that ended, if there is one.
pub fn reap_any() -> Option<(i32, Ended)> {
    wait(-1)
}

/// Reaps this child, if it ended.
pub fn reap(pid: i32) -> Option<Ended> {
    wait(pid).map(|(_, ended)| ended)
}

/// waitpid(2) itself, because nix's refuses the status of a child that a real-time signal killed after the kernel has given it away.
fn wait(pid: i32) -> Option<(i32, Ended)> {
    let mut status = 0;
    loop {
        // SAFETY: waitpid(2) writes one status, to memory that is ours.
        let result = unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) };
        return match Errno::result(result) {
            Err(Errno::EINTR) => continue,
            Err(_) | Ok(0) => None,
            Ok(pid) if libc::WIFSIGNALED(status) => {
                Some((pid, Ended::Signal(libc::WTERMSIG(status) as u8)))
            }
            // Without WUNTRACED and WCONTINUED there is nothing else.
            Ok(pid) => Some((pid, Ended::Code(libc::WEXITSTATUS(status) as u8))),
        };
    }
}

/// Whether this child was stopped since the last call. Reaps nothing.
pub fn is_stopped(pid: i32) -> bool {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG;
    matches!(
        waitid(Id::Pid(Pid::from_raw(pid)), flags),
        Ok(WaitStatus::Stopped(..))
    )
}

/// Signals every process of the group that `pid` leads. A group that is gone already is no error.
pub fn signal_group(pid: i32, signal: i32) {
    if let Ok(signal) = Signal::try_from(signal) {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}
