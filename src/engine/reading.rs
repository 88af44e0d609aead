//! Which sources are read next: the run queue.

use super::Source;
use std::collections::VecDeque;

/// Sources that have something to read as far as is known, each once: the one that waited longest is read first.
#[derive(Debug, Default)]
pub struct Reading {
    queue: VecDeque<Source>,
}

impl Reading {
    /// Sources in the run queue.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Puts a source that has something to read at the end of the run queue, unless it is `queued`, which it is then.
    pub fn enqueue(&mut self, source: Source, queued: &mut bool) {
        if !std::mem::replace(queued, true) {
            self.queue.push_back(source);
        }
    }

    /// Takes the next source to read.
    pub fn next(&mut self) -> Option<Source> {
        self.queue.pop_front()
    }
}
