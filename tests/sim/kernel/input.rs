//! Input: clsh's own, and that of the nodes, each a bounded pipe whose writing end clsh holds.

use super::{Kernel, Written};
use crate::script::{SourceStep, Step};
use clsh::engine::Time;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// The longest way from a write to the reader that waited for it.
const WAKE_MAX: Duration = Duration::from_micros(200);

/// What there is of clsh's own stdin.
#[derive(Debug, Default)]
pub struct Supplier {
    script: VecDeque<SourceStep>,
    /// Bytes that ever came, and how many of them were read.
    pub came: usize,
    pub read: usize,
    ended: bool,
    failed: bool,
    /// Not reported yet.
    pub edge: bool,
}

/// What one read of stdin gave.
pub enum Given {
    Bytes(Range<usize>),
    Dry,
    End,
    Failed,
}

impl Supplier {
    pub fn new(steps: Vec<SourceStep>) -> Self {
        Self {
            script: steps.into(),
            ..Self::default()
        }
    }

    /// Acts until it waits; gives how long.
    pub fn act(&mut self) -> Option<Time> {
        loop {
            match self.script.pop_front()? {
                SourceStep::Wait(time) => return Some(time),
                SourceStep::Give(bytes) => self.came += bytes,
                SourceStep::End => self.ended = true,
                SourceStep::Fail => self.failed = true,
            }
            self.edge = true;
        }
    }

    pub fn take(&mut self, limit: usize) -> Given {
        let from = self.read;
        self.read = self.came.min(from + limit);
        match (self.read > from, self.failed, self.ended) {
            (true, _, _) => Given::Bytes(from..self.read),
            (_, true, _) => Given::Failed,
            (_, _, true) => Given::End,
            _ => Given::Dry,
        }
    }

    /// Whether a read would say that nothing more comes.
    pub fn is_at_end(&self) -> bool {
        self.ended && self.read == self.came
    }
}

/// A node's stdin.
#[derive(Debug)]
pub struct Intake {
    capacity: usize,
    /// All that ever entered, and how much of it was read.
    pub written: Vec<u8>,
    pub read: usize,
    /// Processes that hold the reading end.
    pub readers: usize,
    /// clsh's end.
    pub open: bool,
    watched: bool,
    /// Not reported yet.
    edge: bool,
    /// A reader met the end.
    pub saw_end: bool,
}

impl Intake {
    pub fn new(capacity: usize, readers: usize) -> Self {
        Self {
            capacity,
            written: Vec::new(),
            read: 0,
            readers,
            open: true,
            watched: false,
            edge: false,
            saw_end: false,
        }
    }

    fn room(&self) -> usize {
        self.capacity - (self.written.len() - self.read)
    }

    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Whether epoll has something to say.
    pub fn is_ready(&self) -> bool {
        self.watched && self.open && self.edge
    }

    fn release(&mut self) {
        self.readers -= 1;
        self.edge |= self.readers == 0;
    }
}

impl Kernel {
    /// clsh writes to a node.
    pub fn feed(&mut self, node: usize, bytes: &[u8]) -> Written {
        let intake = self.intakes[node].as_mut().expect("started");
        assert!(intake.open, "writes to what it closed");
        if intake.readers == 0 {
            return Written::Closed;
        }
        let most = bytes.len().min(intake.room());
        if most == 0 {
            return Written::Blocked;
        }
        let count = match self.quirks.short_writes {
            true => self.random.between(1, most),
            false => most,
        };
        intake.written.extend_from_slice(&bytes[..count]);
        self.wake_readers(node);
        Written::Bytes(count)
    }

    /// From now on room is reported; what is there already is, too.
    pub fn watch_input(&mut self, node: usize) {
        let intake = self.intakes[node].as_mut().expect("started");
        if !std::mem::replace(&mut intake.watched, true) {
            intake.edge |= intake.room() > 0 || intake.readers == 0;
        }
    }

    pub fn hang_up(&mut self, node: usize) {
        if let Some(intake) = self.intakes[node].as_mut() {
            intake.open = false;
            self.wake_readers(node);
        }
    }

    /// Takes the nodes that have room again.
    pub fn inputs_ready(&mut self) -> Vec<usize> {
        let mut ready = Vec::new();
        for (node, intake) in self.intakes.iter_mut().enumerate() {
            if let Some(intake) = intake.as_mut().filter(|intake| intake.is_ready()) {
                intake.edge = false;
                ready.push(node);
            }
        }
        ready
    }

    pub fn intake(&self, node: usize) -> Option<&Intake> {
        self.intakes[node].as_ref()
    }

    /// Whether this node's own process waits for input that is not there.
    pub fn is_reading(&self, node: usize) -> bool {
        let own = self.nodes[node].as_ref().map(|slot| slot.0);
        own.is_some_and(|index| self.processes[index].reading)
    }

    /// Whether it is reading to the end, and nobody told it to stop.
    pub fn drains(&self, node: usize) -> bool {
        let own = self.nodes[node].as_ref().map(|slot| slot.0);
        own.is_some_and(|index| {
            let next = self.processes[index].script.front();
            matches!(next, Some(Step::Drain(..)))
        })
    }

    /// A process reads once. Whether it goes on at once.
    pub fn take(&mut self, index: usize, step: Step) -> bool {
        let node = self.processes[index].node;
        let intake = self.intakes[node].as_mut().expect("started");
        let most = match step {
            Step::Take(most) | Step::Drink(most) | Step::Drain(most, _) => most,
            _ => return true,
        };
        let count = most.min(intake.written.len() - intake.read);
        if count == 0 && intake.open {
            let process = &mut self.processes[index];
            process.script.push_front(step);
            process.reading = true;
            return false;
        }
        intake.edge |= intake.room() == 0;
        intake.read += count;
        intake.saw_end |= count == 0;
        match step {
            Step::Drain(_, pause) if count > 0 => {
                self.processes[index].script.push_front(step);
                self.wake(index, self.now + pause);
                false
            }
            Step::Drink(most) if 0 < count && count < most => {
                let rest = Step::Drink(most - count);
                self.processes[index].script.push_front(rest);
                self.wake(index, self.now);
                false
            }
            _ => true,
        }
    }

    pub fn release_input(&mut self, index: usize) {
        let process = &mut self.processes[index];
        if std::mem::take(&mut process.holds_input)
            && let Some(intake) = self.intakes[process.node].as_mut()
        {
            intake.release();
        }
    }

    fn wake_readers(&mut self, node: usize) {
        for index in 0..self.processes.len() {
            let process = &mut self.processes[index];
            if process.node == node && std::mem::take(&mut process.reading) {
                let at = self.now + self.random.time(WAKE_MAX);
                self.wake(index, at);
            }
        }
    }
}
