//! clsh's own stdout and stderr, written without ever blocking on a pipe or a terminal and without touching the flags of descriptors
//! that are shared with other programs.
//!
//! `O_NONBLOCK` belongs to the open file, which clsh shares with the user's shell. So a pipe or a terminal is opened once more through
//! `/proc/self/fd`, for an open file of clsh's own. Where that is not possible (no /proc, another user's pipe, a socket) clsh asks
//! poll(2) first and writes no more than fits for certain.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::write;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// What a poll(2) that says "writable" promises for pipes, terminals and sockets (pipe(7), `PIPE_BUF`).
const CERTAIN_BYTES: usize = 4096;

/// Where bytes go.
enum Way {
    /// A regular file, or a device that is no terminal: writing waits for nobody.
    Plain,
    /// An open file of our own, non-blocking.
    Own(OwnedFd),
    /// Shared, blocking: polled before each small write.
    Shared,
}

/// stdout or stderr.
pub struct Sink {
    shared: OwnedFd,
    way: Way,
    terminal: bool,
}

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
        let terminal = standard.is_terminal();
        let shared = standard.as_fd().try_clone_to_owned()?;
        let own = || reopen(&shared, OFlag::O_WRONLY).map_or(Way::Shared, Way::Own);
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

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The descriptor to watch for room; `None` when there is always room.
    pub fn watchable(&self) -> Option<BorrowedFd<'_>> {
        match &self.way {
            Way::Plain => None,
            Way::Own(own) => Some(own.as_fd()),
            Way::Shared => Some(self.shared.as_fd()),
        }
    }

    /// Writes what can be written now.
    pub fn write(&self, bytes: &[u8]) -> Written {
        loop {
            let result = match &self.way {
                Way::Plain => write(&self.shared, bytes),
                Way::Own(own) => write(own, bytes),
                Way::Shared if !has_room(self.shared.as_fd()) => return Written::Blocked,
                Way::Shared => write(&self.shared, &bytes[..bytes.len().min(CERTAIN_BYTES)]),
            };
            return match result {
                Ok(count) => Written::Bytes(count),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => Written::Blocked,
                // A terminal that was hung up answers EIO.
                Err(Errno::EPIPE | Errno::ECONNRESET) => Written::Closed,
                Err(Errno::EIO) if self.terminal => Written::Closed,
                Err(error) => Written::Failed(error.into()),
            };
        }
    }
}

/// What sort of file it is.
pub(super) fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Opens the same pipe or terminal once more, non-blocking.
pub(super) fn reopen(shared: &OwnedFd, way: OFlag) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let flags = way | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(path.as_str(), flags, Mode::empty()).ok()
}

fn has_room(fd: BorrowedFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    // A broken descriptor counts as having room: the write tells what is wrong with it.
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1))
}

/// Whether two sinks lead to the same pipe, terminal or file.
pub fn same_place(one: &Sink, other: &Sink) -> bool {
    match (fstat(&one.shared), fstat(&other.shared)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

/// Writes a short text to stdout, waiting for its reader.
pub fn print(text: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}
