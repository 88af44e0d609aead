//! When to ask the kernel which processes ended.
//!
//! Asked for any child that ended, the kernel looks at all of them. With thousands alive that would cost more than everything else, again for
//! every few that end: such walks keep a distance that grows with the number alive. In between, the few whose streams have closed are
//! asked for one by one, which costs the same however many there are.

use super::node::Process;
use super::{Effect, Engine, Slot, Time};
use crate::limits::{REAP_DISTANCE_PER_CHILD, REAP_SINGLY_MAX};

/// What is known of children that ended and are not reaped.
#[derive(Debug, Default)]
pub struct Reaping {
    /// No walk before this.
    next: Time,
    /// Some child ended since the last walk.
    due: bool,
    /// Nodes whose streams have closed since then.
    silent: Vec<u32>,
}

impl Reaping {
    /// When the walk that is put off takes place.
    pub fn at(&self) -> Option<Time> {
        self.due.then_some(self.next)
    }
}

impl Engine {
    pub(super) fn children_ended(&mut self) {
        self.reaping.due = true;
        if self.reaping.next <= self.now {
            return self.reap_all();
        }
        for node in std::mem::take(&mut self.reaping.silent) {
            self.reap(node);
            self.note_silent(node);
        }
    }

    /// The walk that was put off may be due.
    pub(super) fn reap_on_timeout(&mut self) {
        if self.reaping.at().is_some_and(|time| time <= self.now) {
            self.reap_all();
        }
    }

    /// A node's last stream has closed: its process may have ended, and may have been held back.
    pub(super) fn silenced(&mut self, node: u32) {
        if self.reaping.due || self.holds_back() {
            self.reap(node);
        }
        self.note_silent(node);
    }

    fn note_silent(&mut self, node: u32) {
        if self.reaping.silent.len() < REAP_SINGLY_MAX {
            self.reaping.silent.push(node);
        }
    }

    fn reap_all(&mut self) {
        self.reaping.due = false;
        self.reaping.silent.clear();
        let others = self.alive.saturating_sub(REAP_SINGLY_MAX) as u32;
        self.reaping.next = self.now + others * REAP_DISTANCE_PER_CHILD;
        if !self.holds_back() {
            return self.effects.push_back(Effect::ReapAny);
        }
        for node in 0..self.slots.len() as u32 {
            self.reap(node);
        }
    }

    /// A process may be reaped between the wish to signal it and the signal: then its number may be another's by now.
    pub(super) fn is_timely(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Signal { node, pid, .. }
            | Effect::Look { node, pid }
            | Effect::Part { node, pid, .. } => self
                .live(node)
                .is_some_and(|node| node.process == Process::Running(pid)),
            _ => true,
        }
    }

    /// Reaps this node's process, if it ended and may be reaped.
    pub(super) fn reap(&mut self, node: u32) {
        if let Some(Slot::Live(live)) = self.slots.get(node as usize)
            && let Process::Running(pid) = live.process
            && live.may_reap()
        {
            self.effects.push_back(Effect::Reap { node, pid });
        }
    }
}
