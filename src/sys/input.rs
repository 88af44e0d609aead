//! clsh's own stdin, read without ever blocking on a pipe or a terminal and without touching the flags of a descriptor that is shared
//! with other programs: as in `stdio`, by an open file of clsh's own, or by asking poll(2) first.

use super::Got;
use super::stdio::{kind, reopen};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{SFlag, fstat};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Where bytes come from.
enum Way {
    /// A regular file, or a device that is no terminal: reading waits for nobody.
    Plain,
    /// An open file of our own, non-blocking.
    Own(OwnedFd),
    /// Shared, blocking: polled before each read.
    Shared,
}

/// Standard input.
pub struct Input {
    shared: OwnedFd,
    way: Way,
    terminal: bool,
}

impl Input {
    /// From a standard descriptor, of which it keeps a copy.
    pub fn new(standard: impl AsFd + IsTerminal) -> io::Result<Self> {
        let terminal = standard.is_terminal();
        let shared = standard.as_fd().try_clone_to_owned()?;
        let own = || reopen(&shared, OFlag::O_RDONLY).map_or(Way::Shared, Way::Own);
        let way = match kind(&fstat(&shared)?) {
            SFlag::S_IFIFO => own(),
            SFlag::S_IFCHR if terminal => own(),
            SFlag::S_IFSOCK => Way::Shared,
            _ => Way::Plain,
        };
        Ok(Self {
            shared,
            way,
            terminal,
        })
    }

    /// Whether a person types.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The descriptor as clsh was given it.
    pub fn shared(&self) -> BorrowedFd<'_> {
        self.shared.as_fd()
    }

    /// The descriptor to watch; `None` when there is always something to read.
    pub fn watchable(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Plain => None,
            Way::Own(own) => Some(own.as_fd()),
            Way::Shared => Some(self.shared.as_fd()),
        }
    }

    /// Reads what there is now.
    pub fn read(&self, buffer: &mut [u8]) -> Got {
        match &self.way {
            Way::Plain => super::read(self.shared.as_fd(), buffer),
            Way::Own(own) => super::read(own.as_fd(), buffer),
            Way::Shared if !has_something(self.shared.as_fd()) => Got::Dry,
            Way::Shared => super::read(self.shared.as_fd(), buffer),
        }
    }
}

fn has_something(fd: BorrowedFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    // A broken descriptor counts as having something: the read tells what is wrong with it.
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1))
}
