//! A pipe as epoll shows it: bounded, and edges only when something changes.

use std::ops::Range;

#[derive(Debug)]
pub struct Pipe {
    capacity: usize,
    edge_each_write: bool,
    /// Everything that ever entered, so that the oracle can look at it; what is in the pipe begins at `read`.
    pub written: Vec<u8>,
    read: usize,
    /// Processes that hold the writing end.
    pub writers: usize,
    /// Not reported yet.
    pub edge: bool,
    /// The reading end is open.
    pub open: bool,
    /// What had entered when the node's process died: this much must be shown.
    pub before_death: Option<usize>,
}

/// What one read gave.
pub enum Got {
    Bytes(Range<usize>),
    Dry,
    Eof,
}

impl Pipe {
    pub fn new(capacity: usize, edge_each_write: bool, writers: usize) -> Self {
        Self {
            capacity,
            edge_each_write,
            written: Vec::new(),
            read: 0,
            writers,
            edge: false,
            open: true,
            before_death: None,
        }
    }

    pub fn held(&self) -> usize {
        self.written.len() - self.read
    }

    /// Takes as many as fit and says how many.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.capacity - self.held());
        if count > 0 {
            self.edge |= self.edge_each_write || self.held() == 0;
            self.written.extend_from_slice(&bytes[..count]);
        }
        count
    }

    pub fn release(&mut self) {
        self.writers -= 1;
        self.edge |= self.writers == 0;
    }

    /// Never short while there is more, as read(2) on a pipe.
    pub fn read(&mut self, limit: usize) -> Got {
        let count = self.held().min(limit);
        match (count, self.writers) {
            (0, 0) => Got::Eof,
            (0, _) => Got::Dry,
            _ => {
                let from = self.read;
                self.read += count;
                Got::Bytes(from..self.read)
            }
        }
    }

    /// Whether epoll has something to say.
    pub fn is_ready(&self) -> bool {
        self.open && self.edge && (self.held() > 0 || self.writers == 0)
    }

    /// How much was ever read.
    pub fn delivered(&self) -> usize {
        self.read
    }
}
