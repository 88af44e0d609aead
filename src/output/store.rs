//! What nodes said, kept until it is printed: equal output once, in memory at first and in a file beyond that.
//!
//! A stream is cut into chunks at the same places whatever the reads were. A chunk is known by a digest of everything its stream said up to
//! its end, so streams that begin alike share chunks from the first one on, as they arrive. Invariant: equal streams have equal digests;
//! memory holds at most [`KEPT_MEMORY_MAX`] bytes of chunks, what is not yet in the file, and one unfinished chunk a stream.

use super::queue::Queue;
use crate::limits::{KEPT_CHUNK_MAX, KEPT_CHUNK_MIN, KEPT_MEMORY_MAX, KEPT_TAILS_MAX};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// Digests that are looked up for sharing, in two generations of so many: the older one is forgotten when the younger one is full.
const KNOWN_MAX: usize = 64 * 1024;
/// Chunks in memory stand in pages of this size.
const PAGE_BYTES: usize = 1024 * 1024;

/// A digest of all that a stream said. Two keyed hashes of 64 bits: nobody who does not know the key can make two streams look alike.
type Digest = [u64; 2];

/// The number of a chunk, and "none".
pub(super) type Number = u32;
const NONE: Number = Number::MAX;

/// Where a chunk is.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    /// The one before it in its stream.
    before: Number,
    bytes: u32,
    /// In memory below [`KEPT_MEMORY_MAX`], past that in the file.
    at: u64,
}

/// A stream that is being kept.
#[derive(Debug, Clone)]
pub struct Strand {
    last: Number,
    digest: Digest,
    tail: Vec<u8>,
    bytes: u64,
    ends_line: bool,
    /// Something of it was not kept, because there was no more room.
    is_cut: bool,
}

impl Strand {
    /// Whether something of it was not kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the last line is complete, as far as it goes.
    pub fn ends_line(&self) -> bool {
        self.ends_line
    }
}

/// A stream that is whole. Equal ones said the same.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    last: Number,
    digest: Digest,
    bytes: u64,
}

impl Kept {
    /// What tells it from others.
    pub fn identity(&self) -> (Digest, u64) {
        (self.digest, self.bytes)
    }

    /// Bytes in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// A part of a kept stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// It is here.
    Here(&'a [u8]),
    /// It is in the file: so many bytes at this offset.
    Filed { offset: u64, bytes: usize },
}

/// All chunks of a run.
#[derive(Debug)]
pub struct Store {
    key: u64,
    chunk_bytes: usize,
    chunks: Vec<Chunk>,
    pages: Vec<Vec<u8>>,
    young: HashMap<Digest, Number>,
    old: HashMap<Digest, Number>,
    /// What has to go into the file next, and how much is in it.
    unfiled: Queue,
    end: u64,
    memory_max: u64,
    /// Once the file takes no more: where it ends, and what was to come behind that. Nothing is added to it but what streams had begun.
    rest: Option<(u64, Vec<u8>)>,
}

impl Store {
    /// For streams of which at most `at_once` are unfinished at a time. `key` is for the digests.
    pub fn new(key: u64, at_once: usize) -> Self {
        let share = (KEPT_TAILS_MAX / at_once.max(1)).clamp(KEPT_CHUNK_MIN, KEPT_CHUNK_MAX);
        Self {
            key,
            chunk_bytes: 1 << share.ilog2(),
            chunks: Vec::new(),
            pages: Vec::new(),
            young: HashMap::new(),
            old: HashMap::new(),
            unfiled: Queue::default(),
            end: 0,
            memory_max: KEPT_MEMORY_MAX as u64,
            rest: None,
        }
    }

    /// The file takes no more: what is kept stays, what was on its way to the file stays in memory, and what comes is dropped.
    pub fn give_up(&mut self) {
        let (start, pending) = self.unfiled();
        let rest = pending.to_vec();
        self.unfiled.consume(rest.len());
        self.rest.get_or_insert((start, rest));
    }

    /// Whether what comes is dropped.
    pub fn is_full(&self) -> bool {
        self.rest.is_some()
    }

    /// An empty stream.
    pub fn strand(&self) -> Strand {
        Strand {
            last: NONE,
            digest: [self.key, !self.key],
            tail: Vec::new(),
            bytes: 0,
            ends_line: true,
            is_cut: false,
        }
    }

    /// A stream goes on.
    pub fn append(&mut self, strand: &mut Strand, mut bytes: &[u8]) {
        if self.is_full() {
            strand.is_cut |= !bytes.is_empty();
            return;
        }
        strand.bytes += bytes.len() as u64;
        strand.ends_line = bytes.last().map_or(strand.ends_line, |&last| last == b'\n');
        if !strand.tail.is_empty() {
            let (fits, rest) =
                bytes.split_at(bytes.len().min(self.chunk_bytes - strand.tail.len()));
            strand.tail.extend_from_slice(fits);
            bytes = rest;
            if strand.tail.len() == self.chunk_bytes {
                let tail = std::mem::take(&mut strand.tail);
                self.seal(strand, &tail);
            }
        }
        while let Some((chunk, rest)) = bytes.split_at_checked(self.chunk_bytes) {
            self.seal(strand, chunk);
            bytes = rest;
        }
        strand.tail.extend_from_slice(bytes);
    }

    /// A stream ended.
    pub fn finish(&mut self, mut strand: Strand) -> Kept {
        if !strand.tail.is_empty() {
            let tail = std::mem::take(&mut strand.tail);
            self.seal(&mut strand, &tail);
        }
        Kept {
            last: strand.last,
            digest: strand.digest,
            bytes: strand.bytes,
        }
    }

    /// The pieces of a stream, the last one first.
    pub(super) fn pieces(&self, kept: &Kept) -> Vec<Number> {
        let mut pieces = Vec::new();
        let mut next = kept.last;
        while let Some(chunk) = self.chunks.get(next as usize) {
            pieces.push(next);
            next = chunk.before;
        }
        pieces
    }

    /// One of them.
    pub(super) fn piece(&self, number: Number) -> Piece<'_> {
        let Some(chunk) = self.chunks.get(number as usize) else {
            return Piece::Here(&[]);
        };
        let bytes = chunk.bytes as usize;
        match (chunk.at.checked_sub(self.memory_max), &self.rest) {
            (Some(offset), Some((start, rest))) if offset >= *start => {
                let at = (offset - start) as usize;
                Piece::Here(&rest[at..at + bytes])
            }
            (Some(offset), _) => Piece::Filed { offset, bytes },
            (None, _) => {
                let (page, at) = (
                    chunk.at as usize / PAGE_BYTES,
                    chunk.at as usize % PAGE_BYTES,
                );
                Piece::Here(&self.pages[page][at..at + bytes])
            }
        }
    }

    /// What has to go into the file next, and at which offset; empty when all is there.
    pub fn unfiled(&self) -> (u64, &[u8]) {
        let pending = self.unfiled.pending();
        (self.end - pending.len() as u64, pending)
    }

    /// So much of it went there.
    pub fn filed(&mut self, bytes: usize) {
        self.unfiled.consume(bytes);
    }

    fn seal(&mut self, strand: &mut Strand, chunk: &[u8]) {
        strand.digest = [0, 1].map(|half| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(strand.digest[half]);
            hasher.write_u64(half as u64 ^ self.key);
            hasher.write(chunk);
            hasher.finish()
        });
        let known = self.young.get(&strand.digest);
        if let Some(&number) = known.or_else(|| self.old.get(&strand.digest)) {
            strand.last = number;
            return;
        }
        let at = self.place(chunk);
        self.chunks.push(Chunk {
            before: strand.last,
            bytes: chunk.len() as u32,
            at,
        });
        strand.last = (self.chunks.len() - 1) as Number;
        if self.young.len() == KNOWN_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(strand.digest, strand.last);
    }

    fn place(&mut self, chunk: &[u8]) -> u64 {
        let room = |page: &Vec<u8>| page.len() + chunk.len() <= PAGE_BYTES;
        let pages_max = self.memory_max as usize / PAGE_BYTES;
        if !self.pages.last().is_some_and(room) && self.pages.len() < pages_max {
            self.pages.push(Vec::with_capacity(PAGE_BYTES));
        }
        let number = self.pages.len().saturating_sub(1);
        match self.pages.last_mut().filter(|page| room(page)) {
            Some(page) => {
                page.extend_from_slice(chunk);
                (number * PAGE_BYTES + page.len() - chunk.len()) as u64
            }
            None => {
                match &mut self.rest {
                    Some((_, rest)) => rest.extend_from_slice(chunk),
                    None => self.unfiled.append(|out| out.extend_from_slice(chunk)),
                }
                self.end += chunk.len() as u64;
                self.memory_max + self.end - chunk.len() as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store with room for one page in memory, and its file.
    struct Small {
        store: Store,
        file: Vec<u8>,
    }

    impl Small {
        fn new() -> Self {
            let mut store = Store::new(7, 2);
            store.memory_max = PAGE_BYTES as u64;
            Self {
                store,
                file: Vec::new(),
            }
        }

        fn keep(&mut self, parts: &[&[u8]]) -> Kept {
            let mut strand = self.store.strand();
            for part in parts {
                self.store.append(&mut strand, part);
                self.write();
            }
            let kept = self.store.finish(strand);
            self.write();
            kept
        }

        fn write(&mut self) {
            let (offset, bytes) = self.store.unfiled();
            assert_eq!(offset, self.file.len() as u64);
            self.file.extend_from_slice(bytes);
            let bytes = bytes.len();
            self.store.filed(bytes);
        }

        fn read(&self, kept: &Kept) -> Vec<u8> {
            let mut text = Vec::new();
            for number in self.store.pieces(kept).into_iter().rev() {
                text.extend_from_slice(match self.store.piece(number) {
                    Piece::Here(bytes) => bytes,
                    Piece::Filed { offset, bytes } => &self.file[offset as usize..][..bytes],
                });
            }
            text
        }
    }

    #[test]
    fn without_more_room_what_is_kept_stays_and_what_comes_is_dropped() {
        let mut small = Small::new();
        let whole = small.keep(&[&text(1, 3 * PAGE_BYTES)]);
        let (early, late) = (text(2, PAGE_BYTES), text(3, 100));
        let mut strand = small.store.strand();
        small.store.append(&mut strand, &early);
        let mut tail = small.store.strand();
        small.store.append(&mut tail, &late);
        // The file did not take the last of it.
        assert!(!small.store.unfiled().1.is_empty());
        small.store.give_up();
        assert!(small.store.unfiled().1.is_empty() && small.store.is_full());
        small.store.append(&mut strand, b"more");
        small.store.append(&mut tail, b"");
        assert!(strand.is_cut() && !tail.is_cut());
        let kept = small.store.finish(strand);
        assert!(small.read(&kept) == early);
        let kept = small.store.finish(tail);
        assert!(small.read(&kept) == late);
        assert!(small.read(&whole) == text(1, 3 * PAGE_BYTES));
        assert!(small.store.unfiled().1.is_empty());
    }

    fn text(seed: u64, bytes: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn what_was_kept_is_read_back_from_memory_and_from_the_file() {
        let mut small = Small::new();
        let texts: Vec<Vec<u8>> = [0, 1, 65_535, 65_536, 65_537, 700_000, 3_000_000]
            .into_iter()
            .enumerate()
            .map(|(seed, bytes)| text(seed as u64, bytes))
            .collect();
        let kept: Vec<Kept> = texts
            .iter()
            .map(|text| small.keep(&text.chunks(50_021).collect::<Vec<_>>()))
            .collect();
        for (text, kept) in texts.iter().zip(&kept) {
            assert!(small.read(kept) == *text, "{} bytes", text.len());
            assert_eq!(kept.bytes(), text.len() as u64);
        }
        assert!(!small.file.is_empty());
    }

    #[test]
    fn equal_streams_are_stored_once_however_they_are_cut() {
        let mut small = Small::new();
        let text = text(1, 900_000);
        let one = small.keep(&[&text]);
        let chunks = small.store.chunks.len();
        for cut in [1000, 65_536, 99_999] {
            let other = small.keep(&text.chunks(cut).collect::<Vec<_>>());
            assert_eq!(other.identity(), one.identity());
        }
        assert_eq!(small.store.chunks.len(), chunks);
        // A beginning is shared, too.
        let other = small.keep(&[&text[..800_000], b"x"]);
        assert_ne!(other.identity(), one.identity());
        assert_eq!(small.store.chunks.len(), chunks + 1);
        assert!(small.file.is_empty());
    }

    #[test]
    fn streams_that_differ_anywhere_are_told_apart() {
        let mut small = Small::new();
        let text = text(3, 200_000);
        let one = small.keep(&[&text]);
        for at in [0, 65_535, 65_536, 199_999] {
            let mut other = text.clone();
            other[at] ^= 1;
            assert_ne!(small.keep(&[&other]).identity(), one.identity());
        }
        assert_ne!(small.keep(&[&text[1..]]).identity(), one.identity());
        assert_ne!(
            small.keep(&[b""]).identity(),
            small.keep(&[b"\0"]).identity()
        );
    }

    #[test]
    fn many_streams_at_once_have_small_chunks() {
        for (at_once, bytes) in [(1, 65_536), (128, 65_536), (2000, 4096), (19_800, 1024)] {
            assert_eq!(Store::new(0, at_once).chunk_bytes, bytes, "{at_once}");
        }
    }

    #[test]
    fn the_end_of_a_line_is_known() {
        let mut store = Store::new(0, 1);
        let mut strand = store.strand();
        assert!(strand.ends_line());
        store.append(&mut strand, b"a");
        assert!(!strand.ends_line());
        store.append(&mut strand, &[b'\n'; KEPT_CHUNK_MAX - 1]);
        store.append(&mut strand, b"");
        assert!(strand.ends_line() && strand.tail.is_empty());
    }
}
