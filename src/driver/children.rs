//! The processes of a run: started, watched, and reaped.

use super::desk::Desk;
use super::{Driver, KEY_BITS, Link, key, shown};
use crate::engine::{Event, Exit, Order, Source};
use crate::job::Talk;
use crate::output::Stream;
use crate::report;
use crate::sys::{self, Child, Ended, Ends, Program, Signalling, SpawnError, Stdin};
use nix::errno::Errno;
use nix::libc::{SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SIGTSTP};
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};

/// The processes that were started and not reaped.
#[derive(Default)]
pub struct Children {
    /// The slot of each.
    pids: HashMap<i32, u32>,
    signalling: Signalling,
    /// Those that are to be reaped once all signals are out.
    reaps: Vec<i32>,
}

/// A process to be started.
struct Start {
    words: Vec<Vec<u8>>,
    environment: Vec<(&'static str, OsString)>,
    ends: Ends,
}

impl Driver<'_> {
    pub(super) fn spawn(&mut self, node: u32) {
        let order = self.order(node);
        let words = order.words.clone();
        let again = self.link(node).is_some();
        if let Some((_, questions)) = &mut self.askpass {
            questions.begin(node);
        }
        let started = self.start(node, order);
        if let Some(error) = self.spawner.take_dismissed()
            && self.job.talk == Talk::Verbose
        {
            self.engine.say(&report::unguarded(&sys::errno_text(error)));
        }
        match started {
            Ok(pid) => {
                self.engine.on_event(Event::Spawned { node, pid });
                let files = self.open_files(node, again);
                if let Some(link) = self.link(node) {
                    link.files = files;
                }
                self.close_missing(node);
            }
            Err(SpawnError::Exhausted(error)) => self.engine.on_event(Event::SpawnDelayed {
                node,
                error: &sys::errno_text(error),
            }),
            Err(SpawnError::Refused(error)) => {
                let text = format!(
                    "cannot run '{}': {}",
                    shown(words.first().map_or(b"", Vec::as_slice)),
                    sys::errno_text(error)
                );
                self.engine.on_event(Event::SpawnFailed {
                    node,
                    found: error != Errno::ENOENT,
                    error: &text,
                });
            }
        }
    }

    /// The program, looked up once as long as it stays the same.
    fn program(&mut self, name: &[u8]) -> Result<Program, SpawnError> {
        if let Some((known, program)) = &self.program
            && known == name
        {
            return Ok(program.clone());
        }
        let program = sys::find_program(name).ok_or(SpawnError::Refused(Errno::ENOENT))?;
        self.program = Some((name.to_vec(), program.clone()));
        Ok(program)
    }

    /// What to start in this slot.
    fn order(&self, slot: u32) -> Start {
        let owner = self
            .desk
            .as_ref()
            .map_or(Ok(slot as usize), |desk| desk.owner(slot));
        match owner {
            Ok(rank) => Start {
                words: self.invocation.words(&self.job.nodes[rank], rank),
                environment: self.environment(slot, rank),
                ends: Ends {
                    stdin: match self.feed.is_some() || self.invocation.is_wrapped() {
                        true => Stdin::Pipe,
                        false => Stdin::Null,
                    },
                    piped: true,
                    // Before OpenSSH 8.4 it is also what keeps ssh from asking at the terminal.
                    session: true,
                    bound: !self.job.transport.may_be_shared(),
                    foreground: false,
                },
            },
            Err((words, ends)) => Start {
                words,
                environment: Vec::new(),
                ends,
            },
        }
    }

    fn environment(&self, slot: u32, rank: usize) -> Vec<(&'static str, OsString)> {
        let given = self.invocation.environment(&self.job.nodes[rank], rank);
        let mut environment: Vec<_> = given
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        if let Some((askpass, _)) = &self.askpass {
            environment.extend(askpass.environment(slot));
        }
        environment
    }

    fn start(&mut self, node: u32, order: Start) -> Result<i32, SpawnError> {
        let slot = node as usize;
        let program = self.program(order.words.first().map_or(b"", Vec::as_slice))?;
        let Child {
            pid,
            stdin,
            outputs,
        } = self
            .spawner
            .spawn(&program, &order.words, &order.environment, order.ends)?;
        // A count that does not fit begins anew: of an earlier start of that number no event is left.
        let starts = self.link(node).map_or(0, |link| link.start + 1);
        let starts = starts & (usize::MAX >> KEY_BITS);
        let streams = outputs.map_or([None, None], |outputs| outputs.map(Some));
        for (stream, fd) in Stream::BOTH.into_iter().zip(&streams) {
            // Refused only when the kernel is out of memory: then the child is ended by its closed pipes and this counts as one.
            let key = key(node, starts, stream as usize);
            let watch = |fd: &OwnedFd| self.reactor.watch_reads(fd.as_fd(), key);
            if fd.as_ref().is_some_and(|fd| watch(fd).is_err()) {
                sys::signal_group(pid, SIGKILL);
                // Not to be tried again: it may have run already.
                return Err(SpawnError::Refused(Errno::ENOMEM));
            }
        }
        if self.links.len() <= slot {
            self.links.resize_with(slot + 1, || None);
        }
        self.links[slot] = Some(Box::new(Link {
            start: starts,
            lifeline: stdin,
            watched: false,
            streams,
            files: [None, None],
        }));
        self.children.pids.insert(pid, node);
        Ok(pid)
    }

    /// A command that has clsh's own stdout and stderr has no streams to wait for.
    fn close_missing(&mut self, node: u32) {
        for stream in Stream::BOTH {
            let missing = self
                .link(node)
                .is_some_and(|link| link.streams[stream as usize].is_none());
            if missing {
                let source = Source { node, stream };
                self.engine.on_event(Event::Eof { source });
            }
        }
    }

    pub(super) fn children_ended(&mut self) {
        self.wake_local();
        self.engine.on_event(Event::ChildrenEnded);
        self.carry_out();
    }

    pub(super) fn reap_any(&mut self) {
        self.finish_signals();
        while let Some((pid, ended)) = sys::reap_any() {
            self.exited(pid, ended);
        }
    }

    /// There is no job control for a command that runs here: one that is stopped goes on, with the terminal. Where clsh itself is in the
    /// background it can't give that away: the command goes on when clsh does in the foreground.
    fn wake_local(&self) {
        if let Some((desk, pid)) = self.local_pid()
            && sys::is_stopped(pid)
            && desk.gives_terminal(pid)
        {
            sys::signal_group(pid, SIGCONT);
        }
    }

    /// clsh goes on after a stop, and a command that runs here with it.
    pub(super) fn resume_local(&self) {
        if let Some((desk, pid)) = self.local_pid()
            && desk.gives_terminal(pid)
        {
            sys::signal_group(pid, SIGCONT);
        }
    }

    fn local_pid(&self) -> Option<(&Desk, i32)> {
        let desk = self.desk.as_ref()?;
        let local = desk.local()?;
        let (&pid, _) = self
            .children
            .pids
            .iter()
            .find(|&(_, &node)| node == local)?;
        Some((desk, pid))
    }

    /// Signals a process with its session, or its group where it has none of its own.
    pub(super) fn signal(&mut self, pid: i32, order: Order) {
        let signals = match order {
            Order::Terminate => &[SIGTERM, SIGCONT][..],
            Order::Kill => &[SIGKILL],
            Order::Interrupt => &[SIGINT],
            // The groups of a session without a terminal are orphaned: the kernel stops them by nothing else.
            Order::Stop if sys::leads_session(pid) => &[SIGSTOP],
            Order::Stop => &[SIGTSTP],
            Order::Continue => &[SIGCONT],
        };
        self.children.signalling.send(pid, signals);
    }

    /// Signals a process unless it is an ssh that other sessions go through.
    pub(super) fn part(&mut self, node: u32, pid: i32, order: Order) {
        match sys::carries_others(pid) {
            true => self.engine.on_event(Event::CarriesOthers { node, order }),
            false => self.signal(pid, order),
        }
    }

    /// Forgets a process that goes on.
    pub(super) fn leave(&mut self, pid: i32) {
        self.children.pids.remove(&pid);
        self.spawner.strike(pid);
    }

    /// What was signalled is signalled to the end, and reaped only then: a number that is given back may be another's. Says whether
    /// there was anything to do.
    pub(super) fn finish_signals(&mut self) -> bool {
        if !self.children.signalling.is_due() {
            return false;
        }
        self.children.signalling.finish();
        for pid in std::mem::take(&mut self.children.reaps) {
            self.reap(pid);
        }
        true
    }

    pub(super) fn reap(&mut self, pid: i32) {
        if self.children.signalling.is_due() {
            return self.children.reaps.push(pid);
        }
        if let Some(ended) = sys::reap(pid) {
            self.exited(pid, ended);
        }
    }

    fn exited(&mut self, pid: i32, ended: Ended) {
        self.spawner.strike(pid);
        let Some(node) = self.children.pids.remove(&pid) else {
            return;
        };
        let exit = match ended {
            Ended::Code(code) => Exit::Code(code),
            Ended::Signal(signal) => Exit::Signal(signal),
        };
        self.engine.on_event(Event::Exited { node, exit });
    }
}
