//! What one node is to read: texts of its own, then its share of what all nodes get; and how far it is.

use std::collections::VecDeque;
use std::rc::Rc;

/// One node's input, first in, first out.
#[derive(Debug, Default)]
pub struct Input {
    texts: VecDeque<Rc<[u8]>>,
    /// Bytes of the first text that are written.
    written: usize,
    /// Bytes it has got of what all nodes get.
    pub offset: u64,
    /// Its turn to be written is to come.
    pub queued: bool,
    /// Nothing more is taken just now.
    pub blocked: bool,
    /// Nothing is taken ever again.
    pub closed: bool,
}

impl Input {
    /// What comes next of its own texts; empty when all is written.
    pub fn pending(&self) -> &[u8] {
        self.texts.front().map_or(&[], |text| &text[self.written..])
    }

    /// Appends a text.
    pub fn push(&mut self, text: Rc<[u8]>) {
        if !self.closed && !text.is_empty() {
            self.texts.push_back(text);
        }
    }

    /// So many bytes were written: of its own texts, as long as there are some.
    pub fn consume(&mut self, bytes: usize) {
        if self.texts.is_empty() {
            self.offset += bytes as u64;
            return;
        }
        self.written += bytes;
        if self.pending().is_empty() {
            self.texts.pop_front();
            self.written = 0;
        }
    }

    /// Nothing is taken any more.
    pub fn close(&mut self) {
        *self = Self {
            closed: true,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_leave_whole_and_in_order_however_they_are_cut() {
        let mut input = Input::default();
        let texts: [&[u8]; 3] = [b"one", b"", b"three"];
        for text in texts {
            input.push(text.into());
        }
        let mut left = Vec::new();
        while !input.pending().is_empty() {
            let bytes = input.pending().len().min(2);
            left.extend_from_slice(&input.pending()[..bytes]);
            input.consume(bytes);
        }
        assert_eq!(left, texts.concat());
        assert_eq!(input.offset, 0);
        input.consume(5);
        assert_eq!(input.offset, 5);
    }

    #[test]
    fn a_closed_input_takes_nothing() {
        let mut input = Input::default();
        input.push((*b"a").into());
        input.close();
        input.push((*b"b").into());
        assert!(input.pending().is_empty());
    }
}
