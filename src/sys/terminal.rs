//! The terminal at which a session is typed: its modes, its width, and who is in its foreground.
//!
//! Invariant: however clsh returns from a run, the terminal has the modes it had before.

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Whose the terminal is just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foreground {
    Mine,
    Another,
}

/// A terminal whose modes clsh changes. Errors mean nothing here: a terminal that is gone has no modes any more.
pub struct Terminal {
    fd: OwnedFd,
    before: Termios,
    keys: bool,
    lent: bool,
}

impl Terminal {
    /// Remembers the modes as they are.
    pub fn new(fd: impl AsFd) -> io::Result<Self> {
        let fd = fd.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&fd)?;
        Ok(Self {
            fd,
            before,
            keys: false,
            lent: false,
        })
    }

    /// Every key comes at once, unechoed and as a byte, Ctrl-C included. What is printed is still treated as text.
    pub fn read_keys(&mut self) {
        let mut modes = self.before.clone();
        modes.local_flags &=
            !(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN | LocalFlags::ISIG);
        modes.input_flags &= !(InputFlags::IXON | InputFlags::ICRNL | InputFlags::INLCR);
        modes.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        modes.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        // In the background this stops clsh, as it should: the terminal is another's then.
        let _ = tcsetattr(&self.fd, SetArg::TCSADRAIN, &modes);
        self.keys = true;
    }

    /// The modes of before. In the background they are not clsh's to change.
    pub fn restore(&mut self) {
        if std::mem::take(&mut self.keys) && self.foreground() != Foreground::Another {
            let _ = tcsetattr(&self.fd, SetArg::TCSADRAIN, &self.before);
        }
    }

    /// The modes of before, for a command that runs here and becomes the foreground.
    pub fn lend(&mut self) {
        self.restore();
        self.lent = true;
    }

    /// Sees to it that the command which `pid` leads is the foreground. False where the terminal is another's.
    pub fn give(&self, pid: i32) -> bool {
        match tcgetpgrp(&self.fd) {
            Ok(group) if group.as_raw() == pid => true,
            Ok(group) if group == getpgrp() => tcsetpgrp(&self.fd, Pid::from_raw(pid)).is_ok(),
            Ok(_) => false,
            Err(_) => true,
        }
    }

    /// Takes the foreground back, if it was lent.
    pub fn reclaim(&mut self) {
        if !std::mem::take(&mut self.lent) || self.foreground() == Foreground::Mine {
            return;
        }
        // A process in the background is stopped when it does this, unless it blocks SIGTTOU.
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTTOU);
        let mut before = SigSet::empty();
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&stop), Some(&mut before));
        let _ = tcsetpgrp(&self.fd, getpgrp());
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    }

    fn foreground(&self) -> Foreground {
        match tcgetpgrp(&self.fd) {
            Ok(group) if group != getpgrp() => Foreground::Another,
            // A terminal that is not the controlling one has no foreground.
            Ok(_) | Err(_) => Foreground::Mine,
        }
    }

    /// Its width; 0 when it does not know.
    pub fn columns(&self) -> usize {
        columns(&self.fd)
    }
}

/// How wide a terminal is; 0 when it does not know.
pub fn columns(fd: impl AsFd) -> usize {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ writes one winsize, to memory that is ours.
    unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &mut size) };
    size.ws_col.into()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.reclaim();
        self.restore();
    }
}
