//! Lines in the order of the nodes: those of the first node that is not done go straight on, those of later ones are kept.
//!
//! Invariant: what is kept of a node is shown before any later line of it, and after all lines of the nodes before it.

use super::Stream;
use super::store::{Kept, Store, Strand};
use std::collections::VecDeque;

/// Stand before each kept line, for its stream.
pub const MARKS: [u8; 2] = [b'1', b'2'];

/// What is kept of a node.
#[derive(Debug)]
enum Said {
    /// More may come.
    Some(Strand),
    All(Kept),
}

/// The order of a run.
#[derive(Debug)]
pub struct Ordered {
    pub store: Store,
    /// What is kept of each node, from `next` on.
    said: VecDeque<Option<Said>>,
    /// The node whose turn it is.
    next: u32,
    /// Nothing that is kept has to be shown before the lines of that node.
    live: bool,
}

impl Ordered {
    /// For nodes of which at most `at_once` run at a time. `key` is for the store's digests.
    pub fn new(key: u64, at_once: usize) -> Self {
        Self {
            store: Store::new(key, at_once),
            said: VecDeque::new(),
            next: 0,
            live: true,
        }
    }

    /// Whether lines of this node go straight on. None do once something could not be kept: a line before it may be missing.
    pub fn passes(&self, node: u32) -> bool {
        self.is_turn(node) && !self.store.is_full()
    }

    /// Whether nothing that is kept has to be shown before what this node says.
    fn is_turn(&self, node: u32) -> bool {
        self.live && node == self.next
    }

    fn place(&mut self, node: u32) -> usize {
        let at = node.saturating_sub(self.next) as usize;
        if self.said.len() <= at {
            self.said.resize_with(at + 1, || None);
        }
        at
    }

    /// Keeps a line.
    pub fn keep(&mut self, node: u32, stream: Stream, line: &[u8]) {
        let at = self.place(node);
        let said = self.said[at].get_or_insert_with(|| Said::Some(self.store.strand()));
        if let Said::Some(strand) = said {
            self.store.append(strand, &[MARKS[stream as usize]]);
            self.store.append(strand, line);
            self.store.append(strand, b"\n");
        }
    }

    /// A node has said all. Says whether [`Ordered::advance`] should be asked.
    pub fn finish(&mut self, node: u32) -> bool {
        let at = self.place(node);
        let strand = match self.said[at].take() {
            Some(Said::Some(strand)) => strand,
            _ => self.store.strand(),
        };
        self.said[at] = Some(Said::All(self.store.finish(strand)));
        self.is_turn(node)
    }

    /// All that was to be shown is: what is next, and of which node.
    pub fn advance(&mut self) -> Option<(u32, Kept)> {
        self.live = false;
        while let Some(said) = self.said.front_mut().and_then(Option::take) {
            let node = self.next;
            let kept = match said {
                Said::Some(strand) => self.store.finish(strand),
                Said::All(kept) => {
                    self.next += 1;
                    self.said.pop_front();
                    kept
                }
            };
            if !kept.is_empty() {
                return Some((node, kept));
            }
        }
        self.live = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_node_waits_and_the_first_one_passes() {
        let mut ordered = Ordered::new(1, 4);
        assert!(ordered.passes(0) && !ordered.passes(1));
        ordered.keep(1, Stream::Out, b"one");
        ordered.keep(3, Stream::Err, b"three");
        assert!(!ordered.finish(2) && !ordered.finish(1));
        assert!(ordered.finish(0));
        let (node, kept) = ordered.advance().expect("one is complete");
        assert_eq!((node, kept.bytes()), (1, 5));
        // While that is shown, nothing passes.
        assert!(!ordered.passes(2) && !ordered.passes(3));
        ordered.keep(3, Stream::Out, b"more");
        let (node, kept) = ordered.advance().expect("what three has said so far");
        assert_eq!((node, kept.bytes()), (3, 7 + 6));
        ordered.keep(3, Stream::Out, b"even more");
        assert_eq!(ordered.advance().map(|(node, _)| node), Some(3));
        assert!(ordered.advance().is_none() && ordered.passes(3));
        assert!(ordered.finish(3) && ordered.advance().is_none());
        assert!(ordered.passes(4));
    }
}
