//! The run as a whole: signals, sinks that are gone, and its early end.

use super::node::{Cause, Node, Process};
use super::teardown::{Demand, Teardown};
use super::{Effect, Engine, Order, Request, Slot, Source, Time};
use crate::limits::{FLUSH_GRACE, HANGUP_TWICE, SIGNAL_MOMENT};
use crate::outcome::{Outcome, Reason};
use crate::output::Stream;
use crate::report;

/// What is known of the causes of an early end beside its reason.
#[derive(Debug, Default)]
pub struct Causes {
    /// The node whose loss ends the run.
    pub lost: Option<u32>,
    /// stdout ended, and up to here a signal may come that ended its reader, too.
    pub until: Option<Time>,
    /// When the last SIGHUP came.
    hung_up: Option<Time>,
}

impl Causes {
    /// Whether no signal is waited for that may be the cause.
    pub fn are_known(&self) -> bool {
        self.until.is_none()
    }
}

impl Engine {
    pub(super) fn requested(&mut self, request: Request) {
        match request {
            Request::End(signal) => {
                let reason = Reason::Signal(signal);
                if !self.is_hung_up_again(reason) {
                    self.signalled(Demand::End(reason));
                }
            }
            Request::Kill(signal) => self.signalled(Demand::Kill(Reason::Signal(signal))),
            Request::Suspend => {
                self.order_all(Order::Stop);
                if self.plan.progress.is_some() {
                    self.hide_progress();
                    let sink = self.output.sink(Stream::Err);
                    self.effects.push_back(Effect::Write { sink });
                }
                self.effects.push_back(Effect::Suspend);
            }
            Request::Status => {
                let text = self.status();
                self.output.say(&text);
            }
        }
    }

    /// Whether this is a second SIGHUP for one end of a terminal, which is no second signal.
    fn is_hung_up_again(&mut self, reason: Reason) -> bool {
        let now = self.now;
        reason == Reason::HUNG_UP
            && self
                .causes
                .hung_up
                .replace(now)
                .is_some_and(|before| now < before + HANGUP_TWICE)
    }

    /// A signal asks for the end. If it came with the end of stdout's reader, that did not end the run, and clsh says what it has to say.
    fn signalled(&mut self, demand: Demand) {
        self.causes.until = None;
        self.demand(demand);
        if matches!(self.reason(), Some(Reason::Signal(_))) {
            self.output.release();
        }
    }

    pub(super) fn resumed(&mut self) {
        self.order_all(Order::Continue);
        self.progressed();
    }

    /// Called after every fact that may have been the last one of the last node.
    pub(super) fn finale(&mut self) {
        if self.done == self.slots.len() {
            self.hide_progress();
            self.close_books();
        }
    }

    pub(super) fn wrote(&mut self, sink: Stream, bytes: usize) {
        self.output.consume(sink, bytes);
        // A reader that is only slow gets all of it.
        self.flush_until = self.flush_until.map(|_| self.now + FLUSH_GRACE);
    }

    pub(super) fn sink_blocked(&mut self, sink: Stream) {
        self.blocked[sink as usize] = true;
        self.await_flush();
    }

    pub(super) fn sink_closed(&mut self, sink: Stream) {
        self.output.close(sink);
        if sink == Stream::Out && self.plan.prints() {
            self.hide_kept();
            if self.reason().is_none() {
                self.output.hold();
            }
            self.await_signal();
            self.demand(Demand::End(Reason::OutputClosed));
        }
    }

    pub(super) fn sink_failed(&mut self, sink: Stream, error: &str) {
        self.output.close(sink);
        if sink == Stream::Out {
            self.hide_kept();
            self.output.say(&report::sink_failed(error));
            self.await_signal();
            self.demand(Demand::End(Reason::OutputFailed));
        }
    }

    /// What ended stdout may be a signal that is on its way to clsh, too.
    fn await_signal(&mut self) {
        if self.reason().is_none() {
            self.causes.until = Some(self.now + SIGNAL_MOMENT);
        }
    }

    /// Time has passed: if no signal came, the reader of stdout left by itself. It has seen enough: no words about the nodes that are
    /// ended for that.
    pub(super) fn await_signal_on_timeout(&mut self) {
        if self.causes.until.is_some_and(|until| until <= self.now) {
            self.causes.until = None;
            if self.reason() == Some(Reason::OutputClosed) {
                self.output.mute();
            }
        }
    }

    /// Drives the teardown; every arm does what entering its state means.
    pub(super) fn demand(&mut self, demand: Demand) {
        let next = self.teardown.on(demand);
        if std::mem::replace(&mut self.teardown, next) == next {
            return;
        }
        match next {
            Teardown::Running => {}
            Teardown::Terminating(_) => self.end_all(false),
            Teardown::Killing(_) => {
                if self.alive == 0 {
                    // There is nothing else that could end sooner.
                    self.hide_kept();
                }
                self.end_all(true);
            }
            Teardown::Gone(_) => {
                self.end_all(true);
                self.abandon();
            }
        }
        self.await_flush();
    }

    /// Starts no more, and ends every node that runs.
    pub(super) fn end_all(&mut self, at_once: bool) {
        while let Some(node) = self.window.next_waiting() {
            // One that waits for another try was started, and not reached.
            let outcome = match self.was_started(node) {
                true => Outcome::Failed,
                false => Outcome::NotStarted,
            };
            self.close_book(node, outcome);
            let text = report::unreached(self.label(node), outcome);
            text.iter().for_each(|text| self.output.say(text));
            self.slots[node as usize] = Slot::Done(outcome);
            self.done += 1;
        }
        self.progressed();
        self.finale();
        for node in 0..self.slots.len() as u32 {
            let Some(Node {
                process: Process::Running(_),
                cause,
                ..
            }) = self.live(node)
            else {
                continue;
            };
            match (at_once, *cause) {
                (true, _) => self.kill(node, Cause::Teardown),
                (false, None) => self.terminate(node, Cause::Teardown),
                (false, Some(_)) => {}
            }
        }
    }

    /// Waits for no stream any more, nor shows what was kept; processes are still waited for, for they got SIGKILL.
    pub(super) fn abandon(&mut self) {
        self.hide_kept();
        for node in 0..self.slots.len() as u32 {
            for stream in Stream::BOTH {
                self.close(Source { node, stream });
            }
        }
    }

    /// A run that is ending waits for its reader only so long, once no child is left.
    pub(super) fn await_flush(&mut self) {
        let left = !self.output.is_empty() || self.replay.is_active();
        let waits = self.reason().is_some() && self.alive == 0 && left;
        if waits && self.flush_until.is_none() && !matches!(self.teardown, Teardown::Gone(_)) {
            self.flush_until = Some(self.now + FLUSH_GRACE);
        }
    }

    pub(super) fn order_all(&mut self, order: Order) {
        for node in 0..self.slots.len() as u32 {
            self.order(node, order);
        }
    }
}
