//! Children that ended, are stopped, or are told to.

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
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
    wait(None)
}

/// Reaps this child, if it ended.
pub fn reap(pid: i32) -> Option<Ended> {
    wait(Some(Pid::from_raw(pid))).map(|(_, ended)| ended)
}

fn wait(pid: Option<Pid>) -> Option<(i32, Ended)> {
    loop {
        return match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => Some((pid.as_raw(), Ended::Code(code as u8))),
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                Some((pid.as_raw(), Ended::Signal(signal as u8)))
            }
            Err(Errno::EINTR) => continue,
            Ok(_) | Err(_) => None,
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
