//! clsh's own stdin.

use super::Got;
use super::standard::{Standard, Way};
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};

/// Standard input.
pub struct Input(Standard);

impl Input {
    /// From a standard descriptor, of which it keeps a copy.
    pub fn new(standard: impl AsFd + IsTerminal) -> io::Result<Self> {
        Standard::new(standard, OFlag::O_RDONLY).map(Self)
    }

    /// Whether a person types.
    pub fn is_terminal(&self) -> bool {
        self.0.terminal
    }

    /// The descriptor as clsh was given it.
    pub fn shared(&self) -> BorrowedFd<'_> {
        self.0.shared.as_fd()
    }

    /// The descriptor to watch; `None` when there is always something to read.
    pub fn watchable(&self) -> Option<BorrowedFd<'_>> {
        self.0.watchable()
    }

    /// Reads what there is now.
    pub fn read(&self, buffer: &mut [u8]) -> Got {
        match &self.0.way {
            Way::Own(own) => super::read(own.as_fd(), buffer),
            Way::Shared if !self.0.is_ready(PollFlags::POLLIN) => Got::Dry,
            Way::Plain | Way::Shared => super::read(self.shared(), buffer),
        }
    }
}
