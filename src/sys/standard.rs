//! A standard descriptor of clsh's, used without ever blocking on a pipe or a terminal and without touching the flags of what is shared
//! with other programs.
//!
//! `O_NONBLOCK` belongs to the open file, which clsh shares with the user's shell. So a pipe or a terminal is opened once more through
//! `/proc/self/fd`, for an open file of clsh's own. Where that is not possible (no /proc, another user's pipe, a socket) clsh asks
//! poll(2) first.

use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{Mode, SFlag, fstat};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How it is used.
pub enum Way {
    /// A regular file, or a device that is always ready: it keeps nobody waiting.
    Plain,
    /// An open file of our own, non-blocking.
    Own(OwnedFd),
    /// Shared, blocking: polled before each use.
    Shared,
}

/// stdin, stdout or stderr.
pub struct Standard {
    /// As clsh was given it.
    pub shared: OwnedFd,
    pub way: Way,
    pub terminal: bool,
}

impl Standard {
    /// From a standard descriptor, of which it keeps a copy, for reading or writing.
    pub fn new(standard: impl AsFd + IsTerminal, direction: OFlag) -> io::Result<Self> {
        let terminal = standard.is_terminal();
        let shared = standard.as_fd().try_clone_to_owned()?;
        let own = || reopen(&shared, direction).map_or(Way::Shared, Way::Own);
        let way = match SFlag::from_bits_truncate(fstat(&shared)?.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFIFO => own(),
            SFlag::S_IFCHR if terminal => own(),
            SFlag::S_IFSOCK => Way::Shared,
            // To open a device once more could start it from its beginning, as it does with /dev/kmsg.
            SFlag::S_IFCHR if can_be_watched(&shared)? => Way::Shared,
            _ => Way::Plain,
        };
        Ok(Self {
            shared,
            way,
            terminal,
        })
    }

    /// The descriptor to watch; `None` when it is always ready.
    pub fn watchable(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Plain => None,
            Way::Own(own) => Some(own.as_fd()),
            Way::Shared => Some(self.shared.as_fd()),
        }
    }

    /// Whether the shared descriptor is ready. A broken one counts as ready: its use tells what is wrong with it.
    pub fn is_ready(&self, flags: PollFlags) -> bool {
        let mut fds = [PollFd::new(self.shared.as_fd(), flags)];
        matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1))
    }
}

/// Whether it may have to be waited for: the kernel refuses to watch what is always ready, such as the null device (epoll_ctl(2), EPERM).
fn can_be_watched(fd: &OwnedFd) -> io::Result<bool> {
    let poll = mio::Poll::new()?;
    let mut source = mio::unix::SourceFd(&fd.as_raw_fd());
    let watched = poll
        .registry()
        .register(&mut source, mio::Token(0), mio::Interest::READABLE);
    Ok(watched.is_ok())
}

/// Opens the same pipe or terminal once more, non-blocking.
fn reopen(shared: &OwnedFd, direction: OFlag) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let flags = direction | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(path.as_str(), flags, Mode::empty()).ok()
}
