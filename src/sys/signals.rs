//! Signals to clsh itself.

use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction, sigprocmask,
};
use nix::unistd::{getpgrp, tcgetpgrp};
use signal_hook_mio::v1_0::Signals as Pipe;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals clsh waits for. They arrive in the reactor, not in a handler.
pub struct Signals {
    pipe: Pipe,
}

impl Signals {
    /// Takes over `wanted`, but for those that [stay ignored](stays_ignored), and unblocks all signals.
    pub fn new(wanted: &[i32]) -> io::Result<Self> {
        let wanted = wanted.iter().copied();
        let mine = wanted.filter(|&signal| !stays_ignored(signal));
        let pipe = Pipe::new(mine)?;
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        Ok(Self { pipe })
    }

    pub(super) fn register(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
    ) -> io::Result<()> {
        registry.register(&mut self.pipe, token, mio::Interest::READABLE)
    }

    /// The signals that came since the last call, each once however often it came.
    pub fn pending(&mut self) -> impl Iterator<Item = i32> {
        self.pipe.pending()
    }
}

/// Whether a signal that was ignored when clsh started stays so, as with ssh. SIGHUP does: that is what nohup(1) asks for. SIGINT and
/// SIGQUIT do as well, which a script ignores by `trap '' INT`, and a shell without job control for what it starts with `&`; unless clsh
/// is in the foreground of its terminal, where whoever types Ctrl-C means it.
pub(super) fn stays_ignored(signal: i32) -> bool {
    let ignored = action(signal) == libc::SIG_IGN;
    match signal {
        libc::SIGHUP => ignored,
        libc::SIGINT | libc::SIGQUIT => ignored && !is_in_foreground(),
        _ => false,
    }
}

/// Whether the group of this process is in the foreground of its terminal. Without a terminal it is not.
fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(&terminal) == Ok(getpgrp()))
}

/// Whether a function of this process is called when this signal comes.
pub(super) fn is_handled(signal: i32) -> bool {
    ![libc::SIG_IGN, libc::SIG_DFL].contains(&action(signal))
}

// 350 bytes wherever it is inlined.
#[inline(never)]
fn action(signal: i32) -> libc::sighandler_t {
    // SAFETY: sigaction(2) with a null new action only writes the old one, to memory that is ours.
    let action = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action);
        action
    };
    action.sa_sigaction
}

/// From now on a write past the limit on the size of files (`ulimit -f`) is an error that can be told with the file's name, and no signal
/// that ends clsh in the middle (SIGXFSZ, setrlimit(2)). Children get the signal as clsh got it.
pub fn outlive_file_limits() {
    if action(libc::SIGXFSZ) == libc::SIG_IGN {
        return;
    }
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: to ignore a signal runs no code of ours.
    if unsafe { sigaction(Signal::SIGXFSZ, &ignore) }.is_ok() {
        OUTLIVED.store(true, Ordering::Relaxed);
    }
}

/// Whether clsh ignores this signal for itself alone, so that a child is to have its default action.
pub(super) fn is_ignored_here(signal: i32) -> bool {
    // Rust's runtime ignores SIGPIPE in every program of its own.
    signal == libc::SIGPIPE || signal == libc::SIGXFSZ && OUTLIVED.load(Ordering::Relaxed)
}

/// SIGXFSZ was not ignored before.
static OUTLIVED: AtomicBool = AtomicBool::new(false);

/// Ends the process by `signal`, so that whoever waits for it sees that, without a core file. Comes back only for signals that do not
/// end a process.
pub fn die_by(signal: i32) {
    let Ok(signal) = Signal::try_from(signal) else {
        return;
    };
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { sigaction(signal, &default) };
    let _ = raise(signal);
}

/// Stops the process as a terminal's Ctrl-Z does, and returns when it is continued; or at once where its process group is orphaned, as behind
/// `ssh -t` or `docker exec`: no shell is there to continue it, and the kernel stops nobody then (POSIX, 11.1.4; SIGSTOP would stop it for
/// good).
pub fn stop_self() {
    let stop = Signal::SIGTSTP;
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours, and what stands there now is put back below.
    let Ok(action) = (unsafe { sigaction(stop, &default) }) else {
        return;
    };
    let (mut only, mut before) = (SigSet::empty(), SigSet::empty());
    only.add(stop);
    let _ = raise(stop);
    // Where it is blocked, it comes now.
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&only), Some(&mut before));
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    // SAFETY: the action is the one that stood there before.
    let _ = unsafe { sigaction(stop, &action) };
}
