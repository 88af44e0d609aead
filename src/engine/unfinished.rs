//! The memory of unfinished lines: one budget for all nodes and streams together.
//!
//! When it is spent, the longest of them are printed as far as they go, as pieces. So no node ever waits for the end of another's line,
//! and what a run takes does not depend on what the commands write.
//!
//! Lines of up to [`SHORT_LINE_BYTES`] are neither counted nor cut: they are a part of what a node takes, and a share of the budget would
//! become absurdly small where there are many nodes.

use super::Source;
use crate::limits::{GIVE_BACK_BYTES, GIVE_BACK_PEAK_BYTES, SHORT_LINE_BYTES};
use std::collections::BTreeSet;

/// What unfinished lines take, and which of them are the longest.
#[derive(Debug)]
pub struct Unfinished {
    /// Memory that long lines may take together, in bytes.
    budget: usize,
    /// Each of them, by the memory that it takes.
    long: BTreeSet<(usize, Source)>,
    taken: usize,
    /// What was freed since memory was given back last, and the most that was taken since.
    freed: usize,
    peak: usize,
}

impl Unfinished {
    /// No line yet. `budget` is in bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            long: BTreeSet::new(),
            taken: 0,
            freed: 0,
            peak: 0,
        }
    }

    /// The unfinished line of a source took so many bytes of memory `before`, and takes so many `now`.
    pub fn changed(&mut self, source: Source, before: usize, now: usize) {
        if before == now {
            return;
        }
        if before > SHORT_LINE_BYTES {
            self.long.remove(&(before, source));
            self.taken -= before;
            // Also where it grew: that may have moved it.
            self.freed += before;
        }
        if now > SHORT_LINE_BYTES {
            self.long.insert((now, source));
            self.taken += now;
        }
        self.peak = self.peak.max(self.taken);
    }

    /// The source whose line has to be cut, because all together are beyond the budget and it is the longest.
    pub fn excess(&self) -> Option<Source> {
        let beyond = self.taken > self.budget;
        self.long
            .last()
            .filter(|_| beyond)
            .map(|&(_, source)| source)
    }

    /// Whether so much was freed that the allocator should hand it back: by itself it keeps what lies between other memory. Not
    /// where little was taken at any time, because it will be taken again at once.
    pub fn gives_back(&mut self) -> bool {
        let much = self.freed >= GIVE_BACK_BYTES && self.peak >= GIVE_BACK_PEAK_BYTES;
        if much {
            (self.freed, self.peak) = (0, self.taken);
        }
        much
    }

    /// Bytes that long unfinished lines take.
    pub fn taken(&self) -> usize {
        self.taken
    }
}
