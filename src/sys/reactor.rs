//! Readiness of descriptors, through mio, edge-triggered.
//!
//! An edge comes once: whoever does not read or write until the kernel says "no more" has to remember that there is more.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Most events taken from the kernel in one turn; the rest come in the next.
const EVENTS_PER_TURN: usize = 1024;

/// What became known of the descriptor that was registered under `key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// As given at registration.
    pub key: usize,
    /// The other side is gone, or the descriptor is broken: no further edge will come. A closed, empty pipe says this alone.
    pub hung_up: bool,
}

/// The one place where clsh sleeps.
pub struct Reactor {
    poll: Poll,
    events: Events,
}

impl Reactor {
    /// A new epoll instance.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_PER_TURN),
        })
    }

    /// Watches a descriptor for something to read. Closing it ends the watch.
    pub fn watch_reads(&self, fd: BorrowedFd, key: usize) -> io::Result<()> {
        self.poll.registry().register(
            &mut SourceFd(&fd.as_raw_fd()),
            Token(key),
            Interest::READABLE,
        )
    }

    /// Watches a descriptor for room to write. Regular files refuse (EPERM): they never block.
    pub fn watch_writes(&self, fd: BorrowedFd, key: usize) -> io::Result<()> {
        self.poll.registry().register(
            &mut SourceFd(&fd.as_raw_fd()),
            Token(key),
            Interest::WRITABLE,
        )
    }

    /// Watches the signals.
    pub fn watch_signals(&self, signals: &mut super::Signals, key: usize) -> io::Result<()> {
        signals.register(self.poll.registry(), Token(key))
    }

    /// Sleeps until something is ready, or for that long. A signal wakes it, with or without anything ready.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let mut result = self.poll.poll(&mut self.events, timeout);
        if is_interrupted(&result) {
            // A handler ran, or clsh was stopped and goes on. What is ready is asked for all the same, because the time may be up, and
            // nobody is to be judged by it whose news waits to be read.
            result = self.poll.poll(&mut self.events, Some(Duration::ZERO));
        }
        if is_interrupted(&result) {
            self.events.clear();
            return Ok(());
        }
        result
    }

    /// What the last wait found.
    pub fn ready(&self) -> impl Iterator<Item = Ready> {
        self.events.iter().map(|event| Ready {
            key: event.token().0,
            hung_up: event.is_read_closed() || event.is_error(),
        })
    }
}

fn is_interrupted(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::Interrupted)
}
