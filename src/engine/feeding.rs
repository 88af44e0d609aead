//! Input for the nodes: how much of clsh's own is read, and whose turn it is to get some.
//!
//! Reading keeps the pace of the slowest node that reads. What nodes need that start later is kept in a file, once memory is full.

use super::broadcast::Supply;
use super::doors::{Protocol, Spool};
use super::node::{Link, Node};
use super::teardown::{Demand, Teardown};
use super::{Effect, Engine, Slot};
use crate::outcome::Reason;
use std::rc::Rc;

impl Engine {
    /// What a node is to read next.
    pub fn supply(&self, node: u32) -> Supply<'_> {
        let Some(Slot::Live(live)) = self.slots.get(node as usize) else {
            return Supply::Nothing;
        };
        match (&self.broadcast, live.input.pending()) {
            _ if live.input.closed => Supply::Nothing,
            // Nobody waited for this one: what it would get next may be gone.
            (Some(_), _) if live.is_ending() => Supply::Nothing,
            (Some(broadcast), b"") if !self.is_held(live) => broadcast.supply(live.input.offset),
            (_, b"") => Supply::Nothing,
            (_, pending) => Supply::Bytes(pending),
        }
    }

    /// Gives a node a text of its own.
    pub(super) fn feed(&mut self, node: u32, text: Rc<[u8]>) {
        if let Some(live) = self.live(node) {
            live.input.push(text);
            self.offer(node);
        }
    }

    /// Gives a node what it is sent because its bootstrap is ready: the script, and what it needs to know.
    pub fn give(&mut self, node: u32, texts: impl IntoIterator<Item = Rc<[u8]>>) {
        let Some(live) = self.live(node) else { return };
        live.link = Link::Ready;
        texts.into_iter().for_each(|text| live.input.push(text));
        self.offer(node);
    }

    /// A node's bootstrap is ready. It says so on both streams, and may do so again, when it runs as another user. Nothing is written
    /// before it is, because a startup file could have started something else that would take it for commands.
    pub(super) fn ready(&mut self, node: u32, number: u8) {
        let stages = 1 + u8::from(self.plan.sudo);
        let Some(live) = self.live(node) else { return };
        let seen = &mut live.ready[usize::from(number > 1)];
        *seen = seen.saturating_add(1);
        if *seen > live.stages && live.stages < stages && !live.is_ending() {
            let stage = live.stages;
            live.stages += 1;
            self.effects.push_back(Effect::Give { node, stage });
            self.got_through(node);
        }
    }

    /// A node starts: it gets all of the input from its first byte on.
    pub(super) fn start_input(&mut self, node: u32) {
        if let Some(input) = &mut self.broadcast {
            input.set_slowest(0);
        }
        self.offer(node);
    }

    /// It may be a node's turn to be written: there is something for it, or it has room.
    pub(super) fn offer(&mut self, node: u32) {
        // What came in this turn goes out in it.
        self.feeds_left += usize::from(self.enqueue(node));
    }

    fn enqueue(&mut self, node: u32) -> bool {
        if self.supply(node) == Supply::Nothing {
            return false;
        }
        let Some(live) = self.live(node) else {
            return false;
        };
        if live.input.blocked || std::mem::replace(&mut live.input.queued, true) {
            return false;
        }
        self.feeding.push_back(node);
        true
    }

    /// The next node to be written to in this turn.
    pub(super) fn next_feed(&mut self) -> Option<Effect> {
        while self.feeds_left > 0 {
            self.feeds_left -= 1;
            let node = self.feeding.pop_front()?;
            let Some(live) = self.live(node) else {
                continue;
            };
            live.input.queued = false;
            match self.supply(node) {
                Supply::Nothing => {}
                Supply::End => return Some(self.end_input(node)),
                Supply::Bytes(_) | Supply::Filed { .. } => return Some(Effect::Feed { node }),
            }
        }
        None
    }

    fn end_input(&mut self, node: u32) -> Effect {
        if let Some(live) = self.live(node) {
            live.input.close();
        }
        Effect::HangUp { node }
    }

    pub(super) fn fed(&mut self, node: u32, bytes: usize) {
        let (now, doubt_at) = (self.now, self.doubt_at());
        if let Some(live) = self.live(node) {
            live.input.consume(bytes);
            // A node that takes its script, which may be long, is not silent.
            if live.link == Link::Ready && !live.is_ending() {
                live.heard = now;
                self.set_deadline(node, Some(doubt_at));
            }
            // The next piece is for the next turn, so that one node does not keep the others waiting.
            self.enqueue(node);
        }
    }

    pub(super) fn input_blocked(&mut self, node: u32) {
        if let Some(live) = self.live(node) {
            live.input.blocked = true;
        }
    }

    pub(super) fn input_writable(&mut self, node: u32) {
        if let Some(live) = self.live(node) {
            live.input.blocked = false;
            self.offer(node);
        }
    }

    /// Its reader is gone, which is no error: it has seen enough.
    pub(super) fn input_closed(&mut self, node: u32) {
        if let Some(live) = self.live(node) {
            live.input.close();
            self.effects.push_back(Effect::HangUp { node });
        }
    }

    pub(super) fn stdin_readable(&mut self) {
        if let Some(input) = &mut self.broadcast {
            input.readable = true;
        }
    }

    pub(super) fn stdin_dry(&mut self) {
        if let Some(input) = &mut self.broadcast {
            input.readable = false;
        }
    }

    pub(super) fn stdin_bytes(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.broadcast {
            input.append(bytes);
        }
        self.offer_all();
    }

    pub(super) fn stdin_ended(&mut self) {
        if let Some(input) = &mut self.broadcast {
            input.end();
        }
        self.offer_all();
    }

    /// Nobody must take a part of the input for all of it.
    pub(super) fn stdin_failed(&mut self, text: &str) {
        self.output.say(text);
        self.stdin_dry();
        self.demand(Demand::End(Reason::InputFailed));
    }

    fn offer_all(&mut self) {
        for node in 0..self.slots.len() as u32 {
            self.offer(node);
        }
    }

    /// Whether a node waits for its script, or as another user for its hello, before it reads what all nodes get.
    fn is_held(&self, live: &Node) -> bool {
        match live.link {
            Link::Connecting => matches!(self.plan.protocol, Protocol::Framed(_)),
            Link::Ready | Link::Asking => self.plan.sudo,
            Link::Up => false,
        }
    }

    /// Whether the input would be read if this turn came again.
    pub(super) fn is_hungry(&self) -> bool {
        self.teardown == Teardown::Running
            && self.window.running() > 0
            && self
                .broadcast
                .as_ref()
                .is_some_and(|input| input.is_hungry())
    }

    /// Reads on, unless that would leave a reading node too far behind.
    pub(super) fn pace(&mut self) {
        if !self.is_hungry() {
            return;
        }
        if self
            .broadcast
            .as_ref()
            .is_some_and(|input| input.is_ahead())
        {
            let slowest = self.slowest();
            let Some(input) = &mut self.broadcast else {
                return;
            };
            slowest
                .into_iter()
                .for_each(|offset| input.set_slowest(offset));
            if slowest.is_none() || input.is_ahead() {
                input.stalled = true;
                self.hold_clocks(slowest.is_some());
                return;
            }
        }
        self.hold_clocks(false);
        let anew = self.may_start_anew();
        // Those that can start now shall not need a file.
        let starting = self.window.has_room();
        let Some(input) = &mut self.broadcast else {
            return;
        };
        if !anew {
            input.trim();
        } else if input.is_full() {
            if starting {
                return;
            }
            let spool = Spool::Input;
            self.effects.push_back(Effect::Spool { spool });
        }
        self.effects.push_back(Effect::ReadInput);
    }

    /// While the input is held back for the sake of a node that does not read, the others have all there is of it and wait: that time is
    /// no part of what their commands may take. The clock of the one that does not read goes on.
    fn hold_clocks(&mut self, held_back: bool) {
        let Some(input) = &mut self.broadcast else {
            return;
        };
        let before = std::mem::replace(&mut input.held_back, held_back);
        if self.plan.time_limit.is_none() || !before && !held_back {
            return;
        }
        for node in 0..self.slots.len() as u32 {
            let pause = held_back && self.waits_for_input(node);
            let now = self.now;
            let Some(live) = self.live(node) else {
                continue;
            };
            match (pause, live.paused) {
                (true, None) => {
                    live.paused = live.deadline.map(|at| at.saturating_sub(now));
                    self.set_deadline(node, None);
                }
                (false, Some(left)) => {
                    live.paused = None;
                    // Its end has deadlines of its own.
                    if !live.is_ending() {
                        self.set_deadline(node, Some(now + left));
                    }
                }
                (true, Some(_)) | (false, None) => {}
            }
        }
    }

    /// Whether a node's command runs, reads what all nodes get, and has all of it that was read.
    fn waits_for_input(&self, node: u32) -> bool {
        let (Some(input), Some(Slot::Live(live))) =
            (&self.broadcast, self.slots.get(node as usize))
        else {
            return false;
        };
        let runs = live.link == Link::Up && !live.is_ending();
        runs && !live.input.closed && input.is_all(live.input.offset)
    }

    /// Whether some node may yet read all of the input from its first byte on.
    fn may_start_anew(&self) -> bool {
        let fails = |slot: &Slot| matches!(slot, Slot::Live(live) if live.may_fail());
        self.window.waiting() > 0 || self.plan.retries.most > 0 && self.slots.iter().any(fails)
    }

    /// How much the slowest node has got that reads; `None` when none does.
    fn slowest(&self) -> Option<u64> {
        let offset = |slot: &Slot| match slot {
            Slot::Live(live) if !live.input.closed && !live.is_ending() => Some(live.input.offset),
            _ => None,
        };
        self.slots.iter().filter_map(offset).min()
    }
}
