//! The password of a run: where it comes from, who gets it, and when it goes.

use super::{Driver, KEY_ASKPASS, Refusal};
use crate::engine::Event;
use crate::job::{Job, Password};
use crate::remote::{Questions, Reply};
use crate::report;
use crate::sys::{self, Asked, Askpass, Reactor, Secret, Written};
use std::os::unix::ffi::OsStrExt;

/// What came of looking for a password.
pub enum Found {
    /// One, or none where none is needed.
    Password(Option<Secret>),
    /// This signal ended the wait for a person.
    Signal(i32),
}

/// The password of a job. To be called before anything else uses the terminal.
pub fn find(job: &Job) -> Result<Found, Refusal> {
    let secret = match &job.password {
        Some(Password::Ask { needed }) => return ask(job, *needed),
        Some(Password::File(path)) => sys::password_from_file(path),
        Some(Password::Stdin) => sys::password_from_stdin(),
        None => return Ok(Found::Password(None)),
    };
    match (secret, &job.password) {
        (Ok(secret), _) => Ok(Found::Password(Some(secret))),
        (Err(error), Some(Password::File(path))) => Err(Refusal::Password(
            super::shown(path.as_os_str().as_bytes()),
            error,
        )),
        (Err(error), _) => Err(Refusal::Password("-".into(), error)),
    }
}

#[cold]
fn ask(job: &Job, needed: bool) -> Result<Found, Refusal> {
    let prompt = match job.transport.takes_password() {
        true => "clsh: password: ",
        false => "clsh: password for sudo: ",
    };
    match sys::ask_password(prompt) {
        Ok(Asked::Password(secret)) => Ok(Found::Password(Some(secret))),
        Ok(Asked::Signal(signal)) => Ok(Found::Signal(signal)),
        Ok(Asked::Nobody) if needed => Err(Refusal::NobodyToAsk),
        Ok(Asked::Nothing) if needed => Err(Refusal::NothingTyped),
        // Who has no password for sudo may need none.
        Ok(Asked::Nobody | Asked::Nothing) => Ok(Found::Password(None)),
        Err(error) => Err(Refusal::Typed(error)),
    }
}

impl Driver<'_> {
    /// Answers what ssh asks.
    #[cold]
    pub(super) fn answer_ssh(&mut self) {
        while let Some((askpass, questions)) = &mut self.askpass
            && let Some(question) = askpass.next()
        {
            let slot = question.node as usize;
            // Whoever else asks than an ssh of this run.
            if self.links.get(slot).is_none_or(Option::is_none) {
                continue;
            }
            match questions.judge(question.node, question.asker, &question.text) {
                Reply::Password => {
                    if let Some(secret) = &self.secret {
                        let node = question.node;
                        question.answer(secret);
                        self.engine.on_event(Event::Answered { node });
                    }
                }
                Reply::Foreign(Some(words)) => {
                    let node = &self.engine.labels()[slot];
                    let text = report::foreign_question(node, &super::shown(&words));
                    self.engine.say(&text);
                }
                Reply::Foreign(None) => {}
                // ssh goes before its question does.
                reply @ (Reply::Denied | Reply::Expired) => {
                    let (node, expired) = (question.node, reply == Reply::Expired);
                    self.engine.on_event(Event::Denied { node, expired });
                    self.carry_out();
                }
            }
        }
    }

    /// Answers what the far side asks.
    #[cold]
    pub(super) fn answer_node(&mut self, node: u32) {
        let lifeline = self.links.get(node as usize).and_then(Option::as_ref);
        let lifeline = lifeline.and_then(|link| link.lifeline.as_ref());
        let Some(lifeline) = lifeline else { return };
        let written = self
            .secret
            .as_ref()
            .map(|secret| sys::write(lifeline, secret.line()));
        match written {
            None => self.engine.on_event(Event::Unanswered { node }),
            // An empty pipe has room for it; and who is gone needs no answer.
            Some(Written::Bytes(_) | Written::Blocked | Written::Closed | Written::Failed(_)) => {}
        }
    }

    /// Wipes the password once nobody can ask for it any more.
    pub(super) fn forget_password(&mut self) {
        if self.secret.is_some() && self.engine.take_greeted() && !self.engine.may_ask() {
            self.secret = None;
            self.askpass = None;
        }
    }

    /// Says what to type where ssh does not take a host key.
    #[cold]
    pub(super) fn explain_refusal(&mut self) {
        let Some(slot) = self.engine.take_unverified() else {
            return;
        };
        let rank = match &self.desk {
            Some(desk) => desk.owner(slot).ok(),
            None => Some(slot as usize),
        };
        if let Some(node) = rank.and_then(|rank| self.job.nodes.get(rank)) {
            let by_hand = self.invocation.by_hand(node);
            let text = report::unverified(node.name(), &super::shown(&by_hand));
            self.engine.say(&text);
        }
    }
}

/// What ssh asks is answered here, if it is to be.
#[cold]
pub fn askpass(job: &Job, reactor: &Reactor) -> Result<Option<(Askpass, Questions)>, Refusal> {
    if !job.transport.takes_password() {
        return Ok(None);
    }
    let askpass = Askpass::new().map_err(Refusal::Askpass)?;
    reactor.watch_reads(askpass.watchable(), KEY_ASKPASS)?;
    Ok(Some((askpass, Questions::default())))
}
