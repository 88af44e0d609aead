//! Which sources are read next: the run queue, and the seats for long lines.
//!
//! A seat is the right to hold more than [`LONG_LINE_BYTES`] of an unfinished line. Seats bound the memory that unfinished lines of all
//! nodes take together; a source without one is not read until a seat is free, and its node waits in a full pipe.

use super::{Source, Time};
use crate::limits::{LONG_LINE_BYTES, LONG_LINE_WAIT, LONG_LINES_MAX};
use std::collections::VecDeque;

/// How a source stands towards being read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Turn {
    /// Nothing to read as far as is known.
    #[default]
    Idle,
    /// In the run queue.
    Queued,
    /// Has something to read and waits for a seat.
    Parked,
}

/// Whether a source may hold a long line.
pub type Seated = bool;

/// The run queue and the seats.
#[derive(Debug, Default)]
pub struct Reading {
    queue: VecDeque<Source>,
    parked: VecDeque<Source>,
    taken: usize,
    extra_at: Option<Time>,
}

impl Reading {
    /// Sources in the run queue.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Puts a source that has something to read in its place, given how much it holds.
    pub fn enqueue(&mut self, source: Source, held: usize, seated: &mut Seated, now: Time) -> Turn {
        if held >= LONG_LINE_BYTES && !*seated {
            if self.taken >= LONG_LINES_MAX {
                self.parked.push_back(source);
                self.extra_at.get_or_insert(now + LONG_LINE_WAIT);
                return Turn::Parked;
            }
            self.taken += 1;
            *seated = true;
        }
        self.queue.push_back(source);
        Turn::Queued
    }

    /// Takes the next source to read.
    pub fn next(&mut self) -> Option<Source> {
        self.queue.pop_front()
    }

    /// A seated source holds `held` bytes now. Gives the source that gets its seat, if it gave it up: that one is queued.
    pub fn settle(&mut self, held: usize, seated: &mut Seated) -> Option<Source> {
        if !*seated || held >= LONG_LINE_BYTES {
            return None;
        }
        *seated = false;
        self.taken -= 1;
        self.admit()
    }

    /// When a parked source gets a seat beyond the bound.
    pub fn extra_at(&self) -> Option<Time> {
        self.extra_at
    }

    /// Nobody was read for a while, so silence means nothing: the wait for an extra seat begins anew.
    pub fn postpone(&mut self, now: Time) {
        self.extra_at = self.extra_at.map(|_| now + LONG_LINE_WAIT);
    }

    /// Time has passed. Gives the source that is seated beyond the bound, because those who sit fell silent: that one is queued.
    pub fn on_timeout(&mut self, now: Time) -> Option<Source> {
        self.extra_at.filter(|&time| time <= now)?;
        self.extra_at = Some(now + LONG_LINE_WAIT);
        self.admit()
    }

    fn admit(&mut self) -> Option<Source> {
        let source = self.parked.pop_front();
        if let Some(source) = source {
            self.taken += 1;
            self.queue.push_back(source);
        }
        if self.parked.is_empty() {
            self.extra_at = None;
        }
        source
    }
}
