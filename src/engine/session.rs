//! What a session asks of the engine beyond one run: further slots, commands for shells that stay, and news of them.
//!
//! Invariant: each command that was given to a node is answered by one [`Notice::Done`] or by the node's [`Notice::Gone`].

use super::node::{Cause, Command, Half, Interrupt, Node, Process};
use super::shape::Keeping;
use super::teardown::Demand;
use super::{Engine, Notice, Order, Protocol, Slot, Source};
use crate::limits::INTERRUPT_AGAIN;
use crate::outcome::{Outcome, Reason};
use crate::output::{Footer, Gather, Stream};
use std::rc::Rc;

impl Engine {
    /// The next thing the session should know, until there is none.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// A further slot for a node, which starts when its turn comes.
    pub fn add(&mut self, label: &str) -> u32 {
        let slot = self.slots.len() as u32;
        self.slots.push(Slot::Waiting);
        self.plan.labels.push(label.into());
        self.window.grow();
        self.connecting.grow();
        slot
    }

    /// A further slot for a command that runs here.
    pub fn add_local(&mut self, label: &str) -> u32 {
        let slot = self.add(label);
        self.locals.push(slot);
        slot
    }

    /// Gives a node a command: `text` makes its shell run it under this number.
    pub fn command(&mut self, node: u32, number: u32, text: Rc<[u8]>) {
        let until = self.plan.time_limit.map(|limit| self.now + limit);
        let Some(live) = self.live(node) else { return };
        live.command = Some(Command {
            number,
            begun: false,
            interrupt: None,
            again: None,
            until,
            done: [false; 2],
        });
        self.await_command(node);
        self.feed(node, text);
    }

    /// Interrupts the command of a node, as soon as its shell has begun it.
    pub fn interrupt(&mut self, node: u32, interrupt: Interrupt) {
        let now = self.now;
        let Some(Node {
            command: Some(command),
            ..
        }) = self.live(node)
        else {
            return;
        };
        if !command.begun {
            command.interrupt = Some(interrupt);
            return;
        }
        let first = interrupt.first.clone();
        command.again = Some((now + INTERRUPT_AGAIN, interrupt));
        self.await_command(node);
        self.feed(node, first);
    }

    /// The deadline of a node that runs a command, or none. One that is ending keeps the deadline of that.
    fn await_command(&mut self, node: u32) {
        let Some(live) = self.live(node) else { return };
        if live.is_ending() {
            return;
        }
        let next = live.command.as_ref().and_then(|command| {
            let again = command.again.as_ref().map(|&(time, _)| time);
            again.into_iter().chain(command.until).min()
        });
        self.set_deadline(node, next);
    }

    /// A deadline came: was it only to see whether an interrupt was missed?
    pub(super) fn interrupted_again(&mut self, node: u32) -> bool {
        let now = self.now;
        let Some(live) = self.live(node) else {
            return false;
        };
        if live.is_ending() {
            return false;
        }
        let again = live
            .command
            .as_mut()
            .and_then(|command| command.again.take());
        let Some((_, interrupt)) = again.filter(|&(time, _)| time <= now) else {
            return false;
        };
        self.await_command(node);
        self.feed(node, interrupt.again);
        true
    }

    /// Signals a command that runs here.
    pub fn signal(&mut self, node: u32, order: Order) {
        self.order(node, order);
    }

    /// Ends one node.
    pub fn part(&mut self, node: u32) {
        if let Some(Node {
            process: Process::Running(_),
            cause: None,
            ..
        }) = self.live(node)
        {
            self.terminate(node, Cause::Teardown);
        }
    }

    /// Ends the run.
    pub fn end(&mut self, reason: Reason) {
        self.demand(Demand::End(reason));
    }

    /// Queues whole lines for one sink.
    pub fn tell(&mut self, sink: Stream, text: &str) {
        self.output.tell(sink, text.as_bytes());
    }

    /// What stands below all lines from now on.
    pub fn set_footer(&mut self, footer: Option<Footer>) {
        self.output.set_footer(footer);
    }

    /// Takes the footer away and leaves these bytes in its place.
    pub fn replace_footer(&mut self, sink: Stream, bytes: &[u8]) {
        self.output.set_footer(None);
        self.output.tell(sink, bytes);
    }

    /// Leaves the footer where it stands, `tail` behind it.
    pub fn keep_footer(&mut self, tail: &[u8]) {
        self.output.keep_footer(tail);
    }

    /// The terminal has rearranged the footer.
    pub fn reshape_footer(&mut self, erase: Vec<u8>) {
        self.output.reshape_footer(erase);
    }

    /// The screen was another's meanwhile.
    pub fn forget_footer(&mut self) {
        self.output.forget_footer();
    }

    /// Whether the session has something to learn.
    pub fn has_notices(&self) -> bool {
        !self.notices.is_empty()
    }

    /// What these nodes say is kept from now on, until [`Engine::show_gathered`].
    pub fn gather(&mut self, nodes: impl Iterator<Item = u32>) {
        let mut gather = Gather::new(self.plan.seed, self.slots.len());
        nodes.for_each(|node| gather.begin(node));
        self.keeping = Keeping::Gather(Box::new(gather));
    }

    /// One of them is done.
    pub fn gathered(&mut self, node: u32, outcome: Outcome) {
        if let Keeping::Gather(gather) = &mut self.keeping {
            gather.finish(node, Some(outcome));
        }
    }

    /// Shows what was gathered by groups, nodes in this order. [`Notice::Shown`] says when all of it is on its way.
    pub fn show_gathered(&mut self, order: &[u32]) {
        let mut places = vec![u32::MAX; self.slots.len()];
        for (&node, place) in order.iter().zip(0..) {
            places[node as usize] = place;
        }
        self.show_groups(&|node| places[node as usize]);
        if !self.replay.is_active() {
            self.replayed();
        }
    }

    /// Ends the run at once.
    pub fn end_at_once(&mut self, reason: Reason) {
        self.demand(Demand::Kill(reason));
    }

    pub(super) fn protocol(&self, node: u32) -> &Protocol {
        match self.locals.contains(&node) {
            true => &Protocol::Local,
            false => &self.plan.protocol,
        }
    }

    /// A shell began a command, or ended it.
    pub(super) fn reported(&mut self, source: Source, number: u32, status: Option<u8>) {
        let Some(live) = self.live(source.node) else {
            return;
        };
        let Some(command) = live.command.as_mut().filter(|held| held.number == number) else {
            return;
        };
        command.begun = true;
        let Some(status) = status else {
            if let Some(interrupt) = command.interrupt.take() {
                self.interrupt(source.node, interrupt);
            }
            return;
        };
        command.done[source.stream as usize] = true;
        let done = command.done;
        // A stream that a startup file led elsewhere tells nothing.
        let told = |(half, done): (&Half, bool)| done || !half.greeted;
        if !live.halves.iter().zip(done).all(told) {
            return;
        }
        live.command = None;
        self.await_command(source.node);
        self.notices.push_back(Notice::Done {
            node: source.node,
            command: number,
            status,
        });
    }
}
