//! The far side of clsh's stdout or stderr.

use super::script::SinkStep;
use clsh::engine::Time;
use std::collections::VecDeque;

/// More room than any run needs.
const UNUSED_MAX: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Well,
    Closed,
    Failed,
}

#[derive(Debug)]
pub struct Sink {
    script: VecDeque<SinkStep>,
    pub collected: Vec<u8>,
    pub room: usize,
    pub health: Health,
    /// Writability not reported yet.
    pub edge: bool,
}

impl Sink {
    pub fn new(script: Vec<SinkStep>) -> Self {
        Self {
            script: script.into(),
            collected: Vec::new(),
            room: 0,
            health: Health::Well,
            // Registration gives an edge of its own.
            edge: true,
        }
    }

    /// Acts until it waits; gives how long.
    pub fn act(&mut self) -> Option<Time> {
        loop {
            // A writer is woken when a full pipe gets room, and when the reader goes.
            self.edge |= self.room == 0;
            match self.script.pop_front()? {
                SinkStep::Wait(time) => return Some(time),
                SinkStep::Take(count) => self.room = self.room.saturating_add(count),
                SinkStep::Free => self.room = usize::MAX,
                SinkStep::Drip(count, period) => {
                    self.room = self.room.saturating_add(count);
                    if self.room >= UNUSED_MAX {
                        // Nobody writes any more: without this the world would never stand still, and a hang not show.
                        return None;
                    }
                    self.script.push_front(SinkStep::Drip(count, period));
                    return Some(period);
                }
                SinkStep::Close => (self.health, self.edge) = (Health::Closed, true),
                SinkStep::Fail => (self.health, self.edge) = (Health::Failed, true),
            }
        }
    }

    /// Takes so many of these bytes at most.
    pub fn write(&mut self, bytes: &[u8], at_most: usize) -> usize {
        let count = bytes.len().min(self.room).min(at_most);
        if self.room != usize::MAX {
            self.room -= count;
        }
        self.collected.extend_from_slice(&bytes[..count]);
        count
    }
}
