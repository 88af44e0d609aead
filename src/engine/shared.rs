//! An ssh that other sessions go through (`ControlMaster` in its configuration, without `ControlPersist`): those of other nodes of the
//! run, or the user's own. ssh goes on for their sake when its own command is done, and ends by itself after the last of them.
//!
//! clsh waits for no such process, and does not signal it as long as the command can be ended in another way: the wrapper on the node ends
//! it when the lifeline is closed.

use super::node::{Node, Process};
use super::{Effect, Engine, Order, Protocol};

impl Engine {
    /// Orders a process that is to end to do so; one that may carry others only if it does not.
    pub(super) fn order_end(&mut self, node: u32, order: Order) {
        // A far side that reads what all nodes get, or a terminal, has no lifeline whose end it would see.
        let framed = matches!(self.protocol(node), Protocol::Framed(_));
        let ends_by_itself = framed && self.broadcast.is_none() && !self.plan.tty;
        let shared = self.plan.shared;
        let Some(live) = self.live(node) else { return };
        match live.process {
            Process::Running(pid) if shared && (ends_by_itself || live.is_complete()) => {
                self.effects.push_back(Effect::Part { node, pid, order });
            }
            _ => self.order(node, order),
        }
    }

    /// Other sessions go through a node's process, so it got no signal.
    pub(super) fn carries_others(&mut self, node: u32, order: Order) {
        let complete = self.live(node).is_some_and(|live| live.is_complete());
        // Else the far side has the same time as a process here to end what runs there.
        if complete || order == Order::Kill {
            self.leave(node);
        }
    }

    /// Leaves a process to itself.
    pub(super) fn leave(&mut self, node: u32) {
        let Some(&mut Node {
            process: Process::Running(pid),
            cause,
            ..
        }) = self.live(node)
        else {
            return;
        };
        self.effects.push_back(Effect::Leave { node, pid });
        if let Some(live) = self.live(node) {
            live.process = Process::Left;
        }
        self.alive -= 1;
        self.ending -= usize::from(cause.is_some());
        self.set_deadline(node, None);
        // It holds the streams for ever: what has arrived is read, and no more.
        self.drain(node);
        self.join(node);
        self.await_flush();
    }
}
