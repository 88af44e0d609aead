//! A node that asks for a password, on its way to run the command as another user, and one whose host key ssh does not take.
//!
//! The password is nothing the engine ever sees: it only decides that a node is to get it. Invariant: a node gets it once, before
//! everything else it reads.

use super::node::{Cause, Link, Node};
use super::{Effect, Engine, Protocol, Slot};
use crate::limits::SSH_WORDS_BYTES_MAX;
use crate::{remote, report};

impl Engine {
    /// The far side asks, and waits for an answer.
    pub(super) fn asked(&mut self, node: u32) {
        // Without sudo there, nobody but ssh is to have it.
        let sudo = self.plan.sudo;
        let until = self.plan.time_limit.map(|limit| self.now + limit);
        let Some(live) = self.live(node).filter(|live| sudo && !live.is_ending()) else {
            return;
        };
        match live.link {
            Link::Connecting => {}
            Link::Ready => {
                live.link = Link::Asking;
                self.greeted = true;
                self.set_deadline(node, until);
                self.effects.push_back(Effect::Answer { node });
            }
            Link::Asking => self.turn_away(node, &report::password_refused(self.label(node))),
            Link::Up => {}
        }
    }

    /// There is no answer for a node.
    pub(super) fn unanswered(&mut self, node: u32) {
        self.turn_away(node, &report::no_password(self.label(node)));
    }

    /// Who asks and gets nothing gives up.
    fn turn_away(&mut self, node: u32, text: &str) {
        self.output.say(text);
        self.input_closed(node);
    }

    /// A node said hello.
    pub(super) fn let_in(&mut self, node: u32) {
        // A terminal there gets nothing more from here.
        if self.plan.tty {
            self.input_closed(node);
        } else {
            self.offer(node);
        }
    }

    /// Whether some node may yet ask for a password. Once it may not, it never may again.
    pub fn may_ask(&self) -> bool {
        let connecting = |slot: &Slot| match slot {
            Slot::Waiting => true,
            Slot::Live(live) => live.may_fail() || self.plan.protocol == Protocol::Bare,
            Slot::Done(_) => false,
        };
        self.plan.session || self.slots.iter().any(connecting)
    }

    /// Whether something changed for [`Engine::may_ask`] since the last call.
    pub fn take_greeted(&mut self) -> bool {
        std::mem::take(&mut self.greeted)
    }

    /// The first node whose host key ssh did not take, once.
    pub fn take_unverified(&mut self) -> Option<u32> {
        match self.unverified {
            Some((node, false)) => {
                self.unverified = Some((node, true));
                Some(node)
            }
            _ => None,
        }
    }

    /// Looks for what ssh says where it gives up, in what a node says before its hello.
    pub(super) fn look_for_refusal(&mut self, node: u32, bytes: &[u8]) {
        if !self.plan.ssh {
            return;
        }
        let Some(live) = self.live(node).filter(|live| live.link == Link::Connecting) else {
            return;
        };
        live.said.extend_from_slice(bytes);
        live.denied |= remote::is_denied(&live.said);
        live.expired |= remote::is_expired(&live.said);
        let unverified = remote::is_unverified(&live.said);
        // The beginning of words that the next read may end.
        let seen = live.said.len().saturating_sub(SSH_WORDS_BYTES_MAX);
        live.said.drain(..seen);
        if self.unverified.is_none() && unverified {
            self.unverified = Some((node, false));
        }
    }

    /// Says what to do where ssh was not let in without a password, once for all nodes; and where it was, but not to run anything. Says
    /// whether that is the reason.
    pub(super) fn explain_refusal(&mut self, node: u32) -> bool {
        let (warn, password) = (self.plan.warn, self.plan.password);
        let Some(live) = self.live(node) else {
            return false;
        };
        let (denied, expired) = (live.denied, live.expired);
        if expired && warn {
            let text = report::password_expired(self.label(node));
            self.output.say(&text);
        } else if denied && !password && warn && !std::mem::replace(&mut self.told_refusal, true) {
            let text = report::not_let_in(self.label(node));
            self.output.say(&text);
        }
        denied || expired
    }

    /// A node's ssh was given the password.
    pub(super) fn answered(&mut self, node: u32) {
        if let Some(live) = self.live(node) {
            live.answered = true;
        }
    }

    /// Whether another try would only offer once more what was not taken. A server may let one wait that gave a wrong one, so no answer in
    /// time counts as one, too.
    pub(super) fn is_denied(&mut self, node: u32) -> bool {
        let password = self.plan.password;
        let denied =
            |live: &mut Node| live.denied || live.answered && live.cause == Some(Cause::Silent);
        self.live(node).is_some_and(denied) && password
    }

    /// ssh asks for the password again, so it was not taken. Without an answer ssh would try an empty one, which counts as a failure, too.
    pub(super) fn denied(&mut self, node: u32, expired: bool) {
        // Without frames nobody says when it is in.
        let bare = self.plan.protocol == Protocol::Bare;
        let Some(live) = self.live(node) else { return };
        if live.is_ending() || live.link == Link::Up && !bare {
            return;
        }
        live.denied = true;
        let text = match expired {
            true => report::password_expired(self.label(node)),
            false => report::password_denied(self.label(node)),
        };
        self.output.say(&text);
        self.terminate(node, Cause::Denied);
    }
}
