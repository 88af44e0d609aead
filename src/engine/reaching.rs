//! A node on its way to its hello: how long that may take, and what becomes of a connection that was dropped.
//!
//! The deadline is for silence. A node whose time is over is not given up while its process, or one that it started, has work: it is on a
//! processor, waits for one, or got some of it within the last second. Nor where the hellos that come in take a good part of that time
//! themselves: then handshakes are queued, here or there, and this one gets as long as those need, too. Neither goes on for ever: a process
//! that has worked for all of its patience makes no handshake, and hellos have to come.
//!
//! A connection that was dropped before anybody could log in is tried again without being asked to, a bounded number of times, and says nothing
//! until it is given up.

use super::connecting::Work;
use super::flow::Arrival;
use super::node::{Cause, Link, Process};
use super::retry::pause;
use super::teardown::Teardown;
use super::{Effect, Engine, Protocol, Slot, Source, Time};
use crate::limits::{CONNECT_GRACE, DOUBT, DROP_PAUSE, DROPS_ALONE_MAX, DROPS_MAX, WORK_LEAST};
use crate::output::Stream;
use crate::remote::{Drop, MARK};
use crate::report;
use std::time::Duration;

/// How often a node's connection was dropped.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drops {
    all: u32,
    /// Since another node got through.
    alone: u32,
    /// Hellos of the run when the last one came.
    hellos: u64,
}

impl Engine {
    /// Whether a node could start now.
    pub(super) fn may_start(&self) -> bool {
        self.teardown == Teardown::Running
            && self.window.has_room()
            && (self.connecting.has_room() || self.is_next_unbound())
    }

    /// Whether the next node has no connection to make.
    fn is_next_unbound(&self) -> bool {
        let next = self.window.next();
        next.is_some_and(|node| !matches!(self.protocol(node), Protocol::Framed(_)))
    }

    /// The window of connections may have to be looked at: nodes wait for it.
    pub(super) fn watch_connections(&mut self) {
        let waits = self.teardown == Teardown::Running && self.window.has_room();
        for node in self.connecting.await_room(waits, self.now) {
            self.look_at(node);
        }
    }

    fn look_at(&mut self, node: u32) {
        match self.live(node).map(|live| live.process) {
            Some(Process::Running(pid)) => self.effects.push_back(Effect::Look { node, pid }),
            _ => self.looked(node, None),
        }
    }

    /// When a node that begins to connect has to be looked at first, to know later whether it worked in between.
    pub(super) fn doubt_at(&self) -> Time {
        let patience = self.plan.connect + CONNECT_GRACE;
        self.now + patience.saturating_sub(self.doubt())
    }

    fn doubt(&self) -> Duration {
        DOUBT.min(self.plan.connect / 2)
    }

    /// A node has said nothing for long: what does it do?
    pub(super) fn doubted(&mut self, node: u32) {
        if let Some(live) = self.live(node) {
            live.doubted = true;
            self.look_at(node);
        }
    }

    /// What a look at a node's process showed.
    pub(super) fn looked(&mut self, node: u32, work: Option<Work>) {
        let now = self.now;
        self.connecting.looked(node, work, now);
        let connect = self.plan.connect;
        let (doubt, queue) = (self.doubt(), self.connecting.queue(now, connect));
        let Some(live) = self.live(node) else { return };
        if !std::mem::take(&mut live.doubted) || !live.is_awaited() {
            return;
        }
        let before = std::mem::replace(&mut live.work, work);
        let until = live.heard + connect + CONNECT_GRACE;
        let most = until + queue.map_or(Duration::ZERO, |queue| queue * 2);
        let next = if now < until {
            until
        } else if is_at_work(before, work, connect + CONNECT_GRACE) {
            now + doubt
        } else if now < most {
            most.min(now + doubt)
        } else {
            if self.plan.warn {
                let text = report::silent(self.label(node), connect);
                self.output.say(&text);
            }
            return self.terminate(node, Cause::Silent);
        };
        self.set_deadline(node, Some(next));
    }

    /// A node has got through: it said hello, or asks for a password.
    pub(super) fn got_through(&mut self, node: u32) {
        self.connecting.greeted(node, self.now);
        self.tell_held(node);
        self.progressed();
    }

    /// Looks for what ssh says of a connection that was dropped. Such words are held, for the next try may make them untrue.
    pub(super) fn holds_words(&mut self, source: Source, bytes: &[u8]) -> bool {
        // Where a frame is among them, somebody got in.
        if !self.plan.ssh || source.stream == Stream::Out || bytes.contains(&MARK) {
            return false;
        }
        let Some(live) = self.live(source.node) else {
            return false;
        };
        if live.link != Link::Connecting {
            return false;
        }
        let Some(found) = Drop::find(bytes) else {
            return false;
        };
        live.drop = Some(live.drop.map_or(found, |drop| drop.and(found)));
        if live.drop != Some(Drop::Reason) {
            live.held.extend_from_slice(bytes);
            return true;
        }
        false
    }

    /// What was held of a node's words goes out after all.
    pub(super) fn tell_held(&mut self, node: u32) {
        let Some(live) = self.live(node) else { return };
        let held = std::mem::take(&mut live.held);
        if !held.is_empty() {
            let stream = Stream::Err;
            self.assemble(Source { node, stream }, Arrival::Bytes(&held));
            self.keep_to_budget();
        }
    }

    /// A node's stderr ends, and with it what ssh has to say: is there any sense in holding it?
    pub(super) fn release_held(&mut self, source: Source) {
        if source.stream == Stream::Err && !self.may_heal(source.node) {
            self.tell_held(source.node);
        }
    }

    /// How often a node's connection was dropped.
    pub(super) fn drops(&self, node: u32) -> Drops {
        self.drops.get(&node).copied().unwrap_or_default()
    }

    /// Whether a node that waits was started before.
    pub(super) fn was_started(&self, node: u32) -> bool {
        self.tried(node) > 0 || self.drops(node).all > 0
    }

    /// Whether a connection was dropped for a reason that another try may mend.
    fn may_heal(&mut self, node: u32) -> bool {
        let connect = self.plan.connect;
        let queue = self.connecting.queue(self.now, connect);
        let queued = queue.is_some_and(|queue| queue > connect / 2);
        let (drops, hellos) = (self.drops(node), self.connecting.hellos());
        if self.teardown != Teardown::Running || self.is_denied(node) {
            return false;
        }
        let Some(live) = self.live(node) else {
            return false;
        };
        let mends = match live.drop {
            Some(Drop::Closed) => true,
            // Once: a host that is not there must not cost this again and again.
            Some(Drop::Late) => queued && drops.all == 0,
            Some(Drop::Reason) | None => false,
        };
        let left =
            drops.all < DROPS_MAX && (drops.alone < DROPS_ALONE_MAX || drops.hellos < hellos);
        // Who was asked for a password was not dropped at the gate, and a try more might lock an account.
        mends && left && !live.answered && live.link == Link::Connecting && live.cause.is_none()
    }

    /// Lets a node wait for another try whose connection was dropped, if that makes sense. Its process is reaped and its streams are closed.
    pub(super) fn try_dropped(&mut self, node: u32) -> bool {
        if !self.may_heal(node) {
            self.connecting.leave(node);
            self.tell_held(node);
            return false;
        }
        let (before, hellos) = (self.drops(node), self.connecting.hellos());
        let alone = match before.hellos < hellos {
            true => 1,
            false => before.alone + 1,
        };
        let all = before.all + 1;
        self.drops.insert(node, Drops { all, alone, hellos });
        if self.plan.verbose {
            let text = report::dropped(self.label(node));
            self.output.say(&text);
        }
        if self
            .live(node)
            .is_some_and(|live| live.drop == Some(Drop::Closed))
        {
            self.connecting
                .dropped(node, all <= DROPS_ALONE_MAX, self.now);
        }
        self.wait_again(
            node,
            self.now + pause(DROP_PAUSE, alone, self.seed_of(node)),
        );
        true
    }

    /// A node that was started waits for its turn again.
    pub(super) fn wait_again(&mut self, node: u32, until: Time) {
        self.connecting.leave(node);
        self.set_deadline(node, None);
        self.effects.push_back(Effect::HangUp { node });
        self.slots[node as usize] = Slot::Waiting;
        self.window.postpone(node, until);
        self.progressed();
    }

    pub(super) fn seed_of(&self, node: u32) -> u64 {
        self.plan.seed ^ u64::from(node)
    }
}

/// Whether a process worked between two looks, or would work now. One that has worked for all of its patience makes no handshake.
fn is_at_work(before: Option<Work>, work: Option<Work>, patience: Duration) -> bool {
    let (Some(before), Some(work)) = (before, work) else {
        return false;
    };
    let used = work.used.saturating_sub(before.used);
    work.used < patience && (before.wants || work.wants || used >= WORK_LEAST)
}
