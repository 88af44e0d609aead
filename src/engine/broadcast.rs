//! clsh's standard input on its way to every node: what is held of it, and where the rest can be had again.
//!
//! Bytes are counted from the first one. All before `base` stand in a file that can be read anywhere, or nobody needs them any more; all
//! from `base` to `head` are held in memory. Invariant: head - base < [`INPUT_HELD_MAX`] + one read, and no node is further behind what is
//! held than the file reaches.

use crate::limits::{INPUT_HELD_MAX, READ_BYTES_MAX};
use std::collections::VecDeque;

/// What a node can be given next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply<'a> {
    /// Nothing yet.
    Nothing,
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes of the file, from this offset on.
    Filed { offset: u64, bytes: usize },
    /// Nothing any more: it has everything.
    End,
}

/// The input of a run.
#[derive(Debug)]
pub struct Broadcast {
    /// Each [`READ_BYTES_MAX`] long but the last.
    chunks: VecDeque<Vec<u8>>,
    base: u64,
    head: u64,
    ended: bool,
    /// There may be something to read.
    pub readable: bool,
    /// No reading node has got less than this: grows when it is looked up.
    slowest: u64,
    /// Not read until something changes: a node is too far behind, or nobody reads.
    pub stalled: bool,
    /// It was not read at last because a node is too far behind, and others wait for more.
    pub held_back: bool,
}

impl Broadcast {
    /// A stream that is read once, as it comes.
    pub fn stream() -> Self {
        Self {
            chunks: VecDeque::new(),
            base: 0,
            head: 0,
            ended: false,
            readable: false,
            slowest: 0,
            stalled: false,
            held_back: false,
        }
    }

    /// A file of so many bytes, which each node is given by itself.
    pub fn file(bytes: u64) -> Self {
        Self {
            base: bytes,
            head: bytes,
            ended: true,
            ..Self::stream()
        }
    }

    /// What a node is given that has had the first `offset` bytes.
    pub fn supply(&self, offset: u64) -> Supply<'_> {
        if offset < self.base {
            let bytes = (self.base - offset).min(READ_BYTES_MAX as u64) as usize;
            return Supply::Filed { offset, bytes };
        }
        let past = (offset - self.base) as usize;
        match self.chunks.get(past / READ_BYTES_MAX) {
            Some(chunk) if past % READ_BYTES_MAX < chunk.len() => {
                Supply::Bytes(&chunk[past % READ_BYTES_MAX..])
            }
            _ if self.ended => Supply::End,
            _ => Supply::Nothing,
        }
    }

    /// Bytes that were read.
    pub fn append(&mut self, mut bytes: &[u8]) {
        self.head += bytes.len() as u64;
        while !bytes.is_empty() {
            if self
                .chunks
                .back()
                .is_none_or(|last| last.len() == READ_BYTES_MAX)
            {
                self.chunks.push_back(Vec::new());
            }
            let Some(last) = self.chunks.back_mut() else {
                return;
            };
            let (fits, rest) = bytes.split_at(bytes.len().min(READ_BYTES_MAX - last.len()));
            last.extend_from_slice(fits);
            bytes = rest;
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether it should be read now, as far as is known.
    pub fn is_hungry(&self) -> bool {
        self.readable && !self.ended && !self.stalled
    }

    /// Whether a node that has got only what all have got for certain would be too far behind after another read.
    pub fn is_ahead(&self) -> bool {
        self.head - self.slowest >= INPUT_HELD_MAX
    }

    /// Whether a node that has had the first `offset` bytes has all that was read.
    pub fn is_all(&self, offset: u64) -> bool {
        offset == self.head
    }

    /// Whether no more fits into memory.
    pub fn is_full(&self) -> bool {
        self.head - self.base >= INPUT_HELD_MAX
    }

    /// No reading node has got less than this.
    pub fn set_slowest(&mut self, offset: u64) {
        self.slowest = offset;
    }

    /// Drops what no node will need again: none starts any more.
    pub fn trim(&mut self) {
        while self.base + READ_BYTES_MAX as u64 <= self.slowest.min(self.head)
            && self.chunks.pop_front().is_some()
        {
            self.base += READ_BYTES_MAX as u64;
        }
    }

    /// What should go into the file next, and at which offset; empty when all is there.
    pub fn unfiled(&self) -> (u64, &[u8]) {
        (self.base, self.chunks.front().map_or(&[], Vec::as_slice))
    }

    /// All of [`Broadcast::unfiled`] went into the file.
    pub fn filed(&mut self) {
        let chunk = self.chunks.pop_front();
        self.base += chunk.map_or(0, |chunk| chunk.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a node is given from `offset` on, with `file` for what is not in memory.
    fn rest(input: &Broadcast, mut offset: u64, file: &[u8]) -> (Vec<u8>, bool) {
        let mut got = Vec::new();
        loop {
            let next = match input.supply(offset) {
                Supply::Nothing => return (got, false),
                Supply::End => return (got, true),
                Supply::Bytes(bytes) => bytes,
                Supply::Filed { offset, bytes } => &file[offset as usize..][..bytes],
            };
            got.extend_from_slice(next);
            offset += next.len() as u64;
        }
    }

    fn text(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn every_node_gets_all_of_it_from_wherever_it_stands() {
        let text = text(3 * READ_BYTES_MAX + 1000);
        for cut in [1, 999, READ_BYTES_MAX, READ_BYTES_MAX + 1, text.len()] {
            let mut input = Broadcast::stream();
            let mut file = Vec::new();
            for (number, part) in text.chunks(cut.max(100)).enumerate() {
                input.append(part);
                // Now and then what is held goes into the file.
                while number % 7 == 3 && !input.unfiled().1.is_empty() {
                    assert_eq!(input.unfiled().0, file.len() as u64);
                    file.extend_from_slice(input.unfiled().1);
                    input.filed();
                }
            }
            for offset in [0, 1, READ_BYTES_MAX as u64, text.len() as u64] {
                let expected = &text[offset as usize..];
                assert_eq!(rest(&input, offset, &file), (expected.to_vec(), false));
            }
            input.end();
            assert_eq!(rest(&input, 0, &file), (text.clone(), true));
        }
    }

    #[test]
    fn what_all_have_got_is_dropped_and_no_more() {
        let text = text(INPUT_HELD_MAX as usize);
        let mut input = Broadcast::stream();
        input.append(&text);
        assert!(input.is_full() && input.is_ahead());
        let slowest = READ_BYTES_MAX as u64 * 2 + 5;
        input.set_slowest(slowest);
        input.trim();
        assert!(!input.is_full() && !input.is_ahead());
        let (left, _) = rest(&input, slowest, &[]);
        assert_eq!(left, text[slowest as usize..]);
        input.set_slowest(text.len() as u64);
        input.trim();
        assert_eq!(rest(&input, text.len() as u64, &[]), (Vec::new(), false));
    }

    #[test]
    fn a_file_is_given_out_whole_and_ends() {
        let text = text(READ_BYTES_MAX + 7);
        let input = Broadcast::file(text.len() as u64);
        assert_eq!(rest(&input, 0, &text), (text, true));
        assert!(!input.is_hungry());
    }
}
