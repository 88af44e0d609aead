//! Bytes on their way to one sink, first in, first out.

/// A queue of bytes. Its memory is given back when it has grown and runs empty.
#[derive(Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
    sent: usize,
}

/// Memory an empty queue keeps.
const KEPT_BYTES: usize = 512 * 1024;

impl Queue {
    /// What waits, oldest first.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends what `write` appends to the vector it is given.
    pub fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
    }

    /// Drops the first `count` bytes: they were written.
    pub fn consume(&mut self, count: usize) {
        self.sent += count.min(self.len());
        if self.is_empty() {
            self.bytes.clear();
            self.sent = 0;
            self.bytes.shrink_to(KEPT_BYTES);
        } else if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        self.consume(self.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_they_came_however_they_are_cut() {
        let mut queue = Queue::default();
        let mut left = Vec::new();
        for round in 0..50_u8 {
            queue.append(|bytes| bytes.extend([round; 7]));
            let count = usize::from(round % 11);
            left.extend_from_slice(&queue.pending()[..count.min(queue.len())]);
            queue.consume(count);
        }
        left.extend_from_slice(queue.pending());
        queue.clear();
        assert!(queue.is_empty());
        assert_eq!(
            left,
            (0..50).flat_map(|round| [round; 7]).collect::<Vec<u8>>()
        );
    }
}
