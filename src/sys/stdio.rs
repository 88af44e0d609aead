//! clsh's own stdout and stderr. Where they are shared with other programs clsh writes no more at once than fits for certain.

use super::standard::{Standard, Way};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::fstat;
use nix::unistd::write;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};

/// What a poll(2) that says "writable" promises for pipes, terminals and sockets (pipe(7), `PIPE_BUF`).
const CERTAIN_BYTES: usize = 4096;

/// stdout or stderr.
pub struct Sink(Standard);

/// What became of a write.
#[derive(Debug)]
pub enum Written {
    /// So many bytes went out.
    Bytes(usize),
    /// Nobody takes more now.
    Blocked,
    /// Nobody will ever take more.
    Closed,
    /// It failed.
    Failed(io::Error),
}

impl Sink {
    /// From a standard descriptor, of which it keeps a copy.
    pub fn new(standard: impl AsFd + IsTerminal) -> io::Result<Self> {
        Standard::new(standard, OFlag::O_WRONLY).map(Self)
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.0.terminal
    }

    /// Whether somebody else reads it, or nobody: a pipe or a socket.
    pub fn is_pipe(&self) -> bool {
        !self.0.terminal && self.0.watchable().is_some()
    }

    /// How wide the terminal is; 0 when it does not know.
    pub fn columns(&self) -> usize {
        super::columns(&self.0.shared)
    }

    /// The descriptor to watch for room; `None` when there is always room.
    pub fn watchable(&self) -> Option<BorrowedFd<'_>> {
        self.0.watchable()
    }

    /// Returns once it may take something again, or is broken, which the next write tells.
    fn wait_for_room(&self) -> io::Result<()> {
        let fd = self.watchable().unwrap_or(self.as_fd());
        let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what can be written now.
    pub fn write(&self, bytes: &[u8]) -> Written {
        loop {
            let result = match &self.0.way {
                Way::Plain => write(&self.0.shared, bytes),
                Way::Own(own) => write(own, bytes),
                Way::Shared if !self.0.is_ready(PollFlags::POLLOUT) => return Written::Blocked,
                Way::Shared => write(&self.0.shared, &bytes[..bytes.len().min(CERTAIN_BYTES)]),
            };
            return match result {
                Ok(count) => Written::Bytes(count),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => Written::Blocked,
                // A terminal that was hung up answers EIO.
                Err(Errno::EPIPE | Errno::ECONNRESET) => Written::Closed,
                Err(Errno::EIO) if self.0.terminal => Written::Closed,
                Err(error) => Written::Failed(error.into()),
            };
        }
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.shared.as_fd()
    }
}

/// Whether two descriptors lead to the same pipe, terminal or file.
pub fn same_place(one: impl AsFd, other: impl AsFd) -> bool {
    match (fstat(one), fstat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

/// Writes all of a text to stdout, waiting for its reader as long as that takes, even where somebody else made stdout non-blocking.
///
/// # Errors
/// `BrokenPipe` when nobody reads it any more; else what the system says, a full disk for one.
pub fn print(text: &[u8]) -> io::Result<()> {
    let sink = Sink::new(io::stdout())?;
    let mut rest = text;
    while !rest.is_empty() {
        match sink.write(rest) {
            Written::Bytes(count) => rest = &rest[count..],
            Written::Blocked => sink.wait_for_room()?,
            Written::Closed => return Err(io::ErrorKind::BrokenPipe.into()),
            Written::Failed(error) => return Err(error),
        }
    }
    Ok(())
}
