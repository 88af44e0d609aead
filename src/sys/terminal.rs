//! The terminal at which a session is typed: its modes, its width, and who is in its foreground.
//!
//! Invariant: however clsh returns from a run, the terminal has the modes it had before.

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{getpgrp, tcsetpgrp};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// A terminal whose modes clsh changes.
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
        self.set(&modes);
        self.keys = true;
    }

    /// The modes of before.
    pub fn restore(&mut self) {
        if std::mem::take(&mut self.keys) {
            let before = self.before.clone();
            self.set(&before);
        }
    }

    /// The modes of before, for a command that runs here and becomes the foreground.
    pub fn lend(&mut self) {
        self.restore();
        self.lent = true;
    }

    /// Takes the foreground back, if it was lent.
    pub fn reclaim(&mut self) {
        if std::mem::take(&mut self.lent) {
            without_stopping(|| tcsetpgrp(&self.fd, getpgrp()));
        }
    }

    /// Its width; 0 when it does not know.
    pub fn columns(&self) -> usize {
        let mut size = libc::winsize {
            ws_row: 0,
            ws_col: 0,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: TIOCGWINSZ writes one winsize, to memory that is ours.
        unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::TIOCGWINSZ, &mut size) };
        size.ws_col.into()
    }

    fn set(&self, modes: &Termios) {
        without_stopping(|| tcsetattr(&self.fd, SetArg::TCSADRAIN, modes));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.reclaim();
        self.restore();
    }
}

/// A process in the background is stopped when it changes its terminal (SIGTTOU), unless it blocks that. A terminal that is gone has no
/// modes any more, so errors mean nothing.
fn without_stopping<T>(change: impl Fn() -> nix::Result<T>) {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTTOU);
    let mut before = SigSet::empty();
    let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&stop), Some(&mut before));
    let _ = change();
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
}
