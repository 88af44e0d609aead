//! One node from its start to its outcome.

use super::node::{Cause, Link, Node, Process, State};
use super::teardown::Demand;
use super::{Effect, Engine, Exit, Notice, Order, Protocol, Slot, Source};
use crate::limits::{DRAIN_GRACE, PIPE_BYTES, UNKILLABLE_GRACE};
use crate::outcome::{Outcome, Reason, STATUS_UNREACHED};
use crate::output::Stream;
use crate::report;
use std::time::Duration;

impl Engine {
    pub(super) fn spawned(&mut self, node: u32, pid: i32) {
        let prefixes = Stream::BOTH.map(|stream| self.prefix(stream, node));
        let live = Node::new(pid, self.protocol(node), prefixes, self.now);
        let patience = match live.link {
            Link::Up if self.plan.session => None,
            Link::Connecting => None,
            Link::Ready | Link::Asking | Link::Up => self.plan.time_limit,
        };
        let mut deadline = patience.map(|patience| self.now + patience);
        if live.link == Link::Connecting {
            self.connecting.begin(node, self.now);
            deadline = Some(self.doubt_at());
        }
        self.slots[node as usize] = Slot::Live(Box::new(live));
        self.window.started();
        self.alive += 1;
        self.set_deadline(node, deadline);
        self.open_book(node);
        self.start_input(node);
        self.progressed();
    }

    pub(super) fn spawn_delayed(&mut self, node: u32, error: &str) {
        if !self.window.put_back(node, self.now) {
            self.spawn_failed(node, true, &report::no_room(error));
        } else if self.plan.warn && !std::mem::replace(&mut self.told_delay, true) {
            self.output.say(&report::spawn_delayed(error));
        }
    }

    pub(super) fn spawn_failed(&mut self, node: u32, found: bool, error: &str) {
        self.output
            .say(&report::spawn_failed(self.label(node), error));
        let outcome = match self.protocol(node) {
            Protocol::Local => Outcome::not_run(found),
            Protocol::Framed(_) | Protocol::Bare => Outcome::Failed,
        };
        self.settle(node, outcome);
    }

    pub(super) fn exited(&mut self, node: u32, exit: Exit) {
        let until = self.now + DRAIN_GRACE;
        let Some(live) = self.live(node) else { return };
        live.process = Process::Exited(exit);
        let ended = live.cause.is_some();
        self.alive -= 1;
        self.ending -= usize::from(ended);
        self.set_deadline(node, Some(until));
        self.join(node);
        self.await_flush();
    }

    /// Called after every fact that may have been the last one of a node.
    pub(super) fn join(&mut self, node: u32) {
        let Some(Slot::Live(live)) = self.slots.get(node as usize) else {
            return;
        };
        if live.is_joined() {
            let outcome = live.outcome(self.protocol(node));
            let took = self.now.saturating_sub(live.started);
            let connected = live.connected;
            if outcome == Outcome::Failed {
                if self.try_dropped(node) {
                    return;
                }
                self.explain_failure(node);
                if self.try_again(node) {
                    return;
                }
            }
            if self.plan.verbose {
                self.output
                    .say(&report::ended(self.label(node), outcome, took, connected));
            }
            self.settle(node, outcome);
        }
    }

    /// Says why a node was not reached, where its transport's end tells more than the transport itself said.
    fn explain_failure(&mut self, node: u32) {
        let (ssh, warn) = (self.plan.ssh, self.plan.warn);
        if self.explain_refusal(node) {
            return;
        }
        let Some(live) = self.live(node) else { return };
        let (None, Process::Exited(Exit::Code(status))) = (live.cause, live.process) else {
            return;
        };
        // ssh ends with 255 for itself, and with the status of what it ran otherwise (ssh(1)).
        let reached = ssh && status != STATUS_UNREACHED;
        let text = match live.link {
            // Its shell met the end of its input where the script should have been.
            Link::Ready if !ssh && status == 0 => report::no_input(self.label(node)),
            Link::Ready if reached => report::input_taken(self.label(node), status),
            Link::Connecting if reached => report::not_begun(self.label(node), status),
            _ => return,
        };
        if warn {
            self.output.say(&text);
        }
    }

    /// Gives a node its outcome.
    pub(super) fn settle(&mut self, node: u32, outcome: Outcome) {
        self.set_deadline(node, None);
        self.connecting.leave(node);
        self.close_book(node, outcome);
        if matches!(self.slots[node as usize], Slot::Live(_)) {
            self.effects.push_back(Effect::HangUp { node });
        }
        self.slots[node as usize] = Slot::Done(outcome);
        self.window.done();
        self.greeted = true;
        self.done += 1;
        if self.plan.session {
            self.notices.push_back(Notice::Gone { node, outcome });
        }
        if let Some(text) = report::unreached(self.label(node), outcome) {
            self.output.say(&text);
        }
        if outcome == Outcome::Lost && !self.plan.keep_going {
            self.end_by_loss(node);
        }
        if outcome.status() > 0 && self.plan.fail_fast {
            self.demand(Demand::End(Reason::FailFast));
        }
        self.progressed();
        self.finale();
        self.await_flush();
    }

    /// A node is lost, which ends the run unless it ends already.
    fn end_by_loss(&mut self, node: u32) {
        if self.reason().is_none() {
            self.causes.lost = Some(node);
            // With nobody else left it ends nothing.
            if self.plan.warn && self.done < self.slots.len() {
                let text = report::ends_by_loss(self.label(node), self.plan.session);
                self.output.say(&text);
            }
        }
        self.demand(Demand::End(Reason::NodeLost));
    }

    /// The node whose loss ends the run, by rank, as long as no signal does.
    pub fn ended_by_loss(&self) -> Option<usize> {
        let lost = self
            .causes
            .lost
            .filter(|_| self.reason() == Some(Reason::NodeLost));
        lost.map(|node| node as usize)
    }

    /// A node's deadline came.
    pub(super) fn due(&mut self, node: u32) {
        let Some(live) = self.live(node) else { return };
        live.deadline = None;
        if self.interrupted_again(node) {
            return;
        }
        let session = self.plan.session;
        let Some(live) = self.live(node) else { return };
        let half_greeted =
            session && live.link == Link::Ready && live.halves.iter().any(|half| half.greeted);
        match (live.process, live.cause) {
            (Process::Exited(_) | Process::Left, _) => self.drain(node),
            // A startup file led one of its streams elsewhere.
            (Process::Running(_), None) if half_greeted => self.up(node),
            (Process::Running(pid), Some(_)) if live.killed => self.forsake(node, pid),
            (Process::Running(_), Some(cause)) => self.kill(node, cause),
            (Process::Running(_), None) => match live.link {
                Link::Connecting | Link::Ready => self.doubted(node),
                Link::Up if live.status.is_some() => self.terminate(node, Cause::Lingering),
                Link::Asking | Link::Up => self.terminate(node, Cause::TimeLimit),
            },
        }
    }

    /// The grace for a background process is over: what has arrived is read, and no more. Also where nothing is known to have arrived: of
    /// thousands of streams that have something to say at once, a turn hears of a part only.
    pub(super) fn drain(&mut self, node: u32) {
        for stream in Stream::BOTH {
            let Some(Slot::Live(live)) = self.slots.get_mut(node as usize) else {
                return;
            };
            let half = live.half(stream);
            if half.state == State::Closed {
                continue;
            }
            half.advance(State::Draining(PIPE_BYTES));
            let source = Source { node, stream };
            self.reading.enqueue(source, &mut half.queued);
        }
    }

    /// The command is done: its transport gets a grace to end by itself, once all output before the end is in.
    pub(super) fn linger(&mut self, node: u32) {
        let now = self.now;
        let Some(live) = self.live(node) else { return };
        let complete = live.is_complete();
        // A session's shell leaves nothing behind that would be worth waiting for, once both streams are known to be complete.
        let told = live.halves.iter().all(|half| half.greeted);
        let grace = match self.plan.session && told {
            true => Duration::ZERO,
            false => DRAIN_GRACE,
        };
        self.set_deadline(node, complete.then_some(now + grace));
    }

    pub(super) fn terminate(&mut self, node: u32, cause: Cause) {
        self.blame(node, cause);
        self.order_end(node, Order::Terminate);
        self.hang_up(node);
        self.set_deadline(node, Some(self.now + self.plan.kill_after));
    }

    pub(super) fn kill(&mut self, node: u32, cause: Cause) {
        self.blame(node, cause);
        self.order_end(node, Order::Kill);
        self.hang_up(node);
        self.set_deadline(node, Some(self.now + UNKILLABLE_GRACE));
        if let Some(live) = self.live(node) {
            live.killed = true;
        }
        self.reap(node);
    }

    /// Not even SIGKILL ended a node's process in time: the kernel holds it, and will end it as soon as it lets go of it.
    fn forsake(&mut self, node: u32, pid: i32) {
        let text = report::unkillable(self.label(node), pid);
        self.output.say(&text);
        self.leave(node);
    }

    /// Closes a lifeline. The input of a node stays open as long as its process lives: one that outlives SIGTERM for a moment must not take
    /// what it got for all of it.
    fn hang_up(&mut self, node: u32) {
        if self.broadcast.is_none() {
            self.effects.push_back(Effect::HangUp { node });
        }
    }

    /// Why clsh ends a node: the first cause stays.
    fn blame(&mut self, node: u32, cause: Cause) {
        let Some(live) = self.live(node) else { return };
        if live.cause.is_none() {
            live.cause = Some(cause);
            self.ending += 1;
        }
    }

    pub(super) fn order(&mut self, node: u32, order: Order) {
        let Some(live) = self.live(node) else { return };
        if let Process::Running(pid) = live.process {
            self.effects.push_back(Effect::Signal { node, pid, order });
        }
    }
}
