//! Which node has to be looked at when: at most one deadline a node.

use super::Time;
use std::collections::BTreeSet;

/// Deadlines in order. Setting and clearing cost O(log n).
#[derive(Debug, Default)]
pub struct Deadlines {
    ordered: BTreeSet<(Time, u32)>,
}

impl Deadlines {
    /// Replaces `slot`, the deadline the node keeps itself, by `next`.
    pub fn set(&mut self, node: u32, slot: &mut Option<Time>, next: Option<Time>) {
        if let Some(before) = std::mem::replace(slot, next) {
            self.ordered.remove(&(before, node));
        }
        self.ordered.extend(next.map(|time| (time, node)));
    }

    /// The nearest deadline.
    pub fn first(&self) -> Option<Time> {
        self.ordered.first().map(|&(time, _)| time)
    }

    /// Takes one deadline that is due.
    pub fn pop(&mut self, now: Time) -> Option<u32> {
        let first = self
            .ordered
            .first()
            .copied()
            .filter(|&(time, _)| time <= now)?;
        self.ordered.remove(&first);
        Some(first.1)
    }
}
