//! What holds after every turn, whatever came.

use super::node::Process;
use super::{Engine, Slot};
use crate::limits::SHORT_LINE_BYTES;
use crate::outcome::Outcome;

impl Engine {
    /// Asserts the invariants.
    pub fn check(&self) {
        assert_eq!(
            self.window.waiting() + self.window.running() + self.done,
            self.slots.len()
        );
        let (mut alive, mut ending, mut failed, mut unfinished) = (0, 0, 0, 0);
        for slot in &self.slots {
            match slot {
                Slot::Live(node) => {
                    assert!(node.halves.iter().all(|half| half.lines.is_consistent()));
                    assert!(!node.is_joined());
                    let taken = node.halves.iter().map(|half| half.lines.taken());
                    let long = taken.filter(|&bytes| bytes > SHORT_LINE_BYTES);
                    unfinished += long.sum::<usize>();
                    let runs = matches!(node.process, Process::Running(_));
                    alive += usize::from(runs);
                    ending += usize::from(runs && node.cause.is_some());
                }
                Slot::Done(outcome) => failed += usize::from(*outcome != Outcome::Exited(0)),
                Slot::Waiting => {}
            }
        }
        assert_eq!((alive, ending), (self.alive, self.ending));
        assert_eq!(self.unfinished.taken(), unfinished);
        assert_eq!(self.unfinished.excess(), None);
        // A session's nodes come back.
        assert!(failed == self.failed || self.plan.session);
        assert!(self.connecting.is_consistent());
        assert!(self.connecting.len() <= self.window.running());
        assert!(!self.is_over() || self.effects.is_empty());
        assert!(self.deadlines.first().is_none_or(|time| time >= self.now));
    }
}
