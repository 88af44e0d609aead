//! clsh's own stdin.

use super::Got;
use super::standard::{Standard, Way};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use nix::sys::stat::{SFlag, fstat};
use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};

/// Standard input.
pub struct Input(Standard);

/// What there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a person types.
    Terminal,
    /// Nothing, for certain.
    Empty,
    /// A file that can be read anywhere, with so many bytes to come.
    File { bytes: u64 },
    /// A directory, which can't be read at all.
    Directory,
    /// Whatever comes.
    Stream,
}

impl Input {
    /// From a standard descriptor, of which it keeps a copy.
    pub fn new(standard: impl AsFd + IsTerminal) -> io::Result<Self> {
        Standard::new(standard, OFlag::O_RDONLY).map(Self)
    }

    /// Whether a person types.
    pub fn is_terminal(&self) -> bool {
        self.0.terminal
    }

    /// What there is to read.
    pub fn kind(&self) -> io::Result<Kind> {
        if self.0.terminal {
            return Ok(Kind::Terminal);
        }
        let stat = fstat(self.shared())?;
        Ok(
            match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
                SFlag::S_IFDIR => Kind::Directory,
                SFlag::S_IFCHR if stat.st_rdev == super::NULL_DEVICE => Kind::Empty,
                SFlag::S_IFREG => self.file(stat.st_size.max(0) as u64)?,
                _ => Kind::Stream,
            },
        )
    }

    fn file(&self, size: u64) -> io::Result<Kind> {
        let start = lseek(self.shared(), 0, Whence::SeekCur)?.max(0) as u64;
        // Files of /proc have no size and yet something in them, those of /sys have less in them than their size.
        if size > start && self.read_at(&mut [0], size - 1) == Ok(1) {
            return Ok(Kind::File {
                bytes: size - start,
            });
        }
        match self.read_at(&mut [0], start) {
            Ok(0) => Ok(Kind::Empty),
            _ => Ok(Kind::Stream),
        }
    }

    /// Passes over so many bytes of a file, which count as read for whoever reads on after clsh. Gives where they begin.
    ///
    /// # Errors
    /// What the system says.
    pub fn consume(&self, bytes: u64) -> io::Result<u64> {
        let end = lseek(self.shared(), bytes as i64, Whence::SeekCur)?.max(0) as u64;
        Ok(end.saturating_sub(bytes))
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
    ///
    /// # Errors
    /// It can't be read: it is a directory, for one.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Got> {
        let fd = match &self.0.way {
            Way::Own(own) => own.as_fd(),
            Way::Shared if !self.0.is_ready(PollFlags::POLLIN) => return Ok(Got::Dry),
            Way::Plain | Way::Shared => self.shared(),
        };
        loop {
            return match nix::unistd::read(fd, buffer) {
                Ok(0) => Ok(Got::Eof),
                Ok(count) => Ok(Got::Bytes(count)),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => Ok(Got::Dry),
                // A terminal that was hung up answers EIO.
                Err(Errno::EIO) if self.0.terminal => Ok(Got::Eof),
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Reads a file at this offset, at most what fits; 0 at its end.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> nix::Result<usize> {
        loop {
            match pread(self.shared(), buffer, offset as i64) {
                Err(Errno::EINTR) => continue,
                result => return result,
            }
        }
    }
}
