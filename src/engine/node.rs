//! The facts known of one node that was started, and what follows from them.
//!
//! A node is done when its process is reaped and both its streams are closed, in whatever order that comes: [`Node::is_joined`] is asked
//! after every fact. Nothing else ends a node.

use super::connecting::Work;
use super::input::Input;
use super::{Exit, Protocol, Time};
use crate::outcome::Outcome;
use crate::output::{Lines, Returns, Stream};
use crate::remote::Drop;
use std::rc::Rc;
use std::time::Duration;

/// The local process that carries a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Alive, or not reaped yet. Leader of a process group of its own.
    Running(i32),
    /// Reaped: its number may belong to another process by now and is forgotten.
    Exited(Exit),
    /// It goes on for the sake of others, and is nobody's to end.
    Left,
}

/// The way to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Nothing heard from the far side.
    Connecting,
    /// Its bootstrap was ready, and was given its script.
    Ready,
    /// It asked for a password before its hello.
    Asking,
    /// The wrapper said hello, or the transport has no hello to say.
    Up,
}

/// Why clsh ended a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No hello in time.
    Silent,
    /// The password it was given was not taken.
    Denied,
    /// The command ran into `-u`.
    TimeLimit,
    /// The command was done, and its transport stayed.
    Lingering,
    /// The run is ending.
    Teardown,
}

/// One stream of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Read until its end.
    Open,
    /// The process is gone and the grace is over: read at most this many bytes more, all that can have arrived.
    Draining(usize),
    /// Ended or given up; its descriptor is closed.
    Closed,
}

/// One stream of a node and its unfinished line.
#[derive(Debug)]
pub struct Half {
    pub state: State,
    pub lines: Lines,
    pub returns: Returns,
    pub prefix: Box<[u8]>,
    /// What it has said so far.
    pub bytes: u64,
    /// How long its last line is so far, where lines are not put together.
    pub run: usize,
    /// It is in the run queue.
    pub queued: bool,
    /// The writers are gone: there is no further edge to wait for, only the end of file to read.
    pub hung_up: bool,
    /// The wrapper's hello came this way. It does not where a startup file led the stream elsewhere: then no other frame will.
    pub greeted: bool,
    /// The wrapper's exit frame came this way: what follows is a background process.
    pub exit_seen: bool,
}

impl Half {
    fn new(prefix: Box<[u8]>) -> Self {
        Self {
            state: State::Open,
            lines: Lines::default(),
            returns: Returns::default(),
            prefix,
            bytes: 0,
            run: 0,
            queued: false,
            hung_up: false,
            greeted: false,
            exit_seen: false,
        }
    }

    /// The only way a half changes: forward.
    pub fn advance(&mut self, next: State) {
        debug_assert!(matches!(
            (self.state, next),
            (State::Open, State::Draining(_))
                | (State::Draining(_), State::Draining(_))
                | (State::Open | State::Draining(_), State::Closed)
        ));
        self.state = next;
    }
}

/// The texts that interrupt a command.
#[derive(Debug, Clone)]
pub struct Interrupt {
    pub first: Rc<[u8]>,
    /// For what missed the first.
    pub again: Rc<[u8]>,
}

/// The command a session's shell was given last, until it is done with it.
#[derive(Debug)]
pub struct Command {
    pub number: u32,
    /// Its shell has begun it: from here on an interrupt meets the command.
    pub begun: bool,
    /// An interrupt that came before that.
    pub interrupt: Option<Interrupt>,
    /// An interrupt that was sent, and when to see whether something missed it.
    pub again: Option<(Time, Interrupt)>,
    /// When it has taken too long.
    pub until: Option<Time>,
    /// On which streams its end was reported.
    pub done: [bool; 2],
}

/// A node that was started.
#[derive(Debug)]
pub struct Node {
    pub process: Process,
    pub link: Link,
    pub halves: [Half; 2],
    pub input: Input,
    /// How often its bootstrap said on each stream that it is ready.
    pub ready: [u8; 2],
    /// How often it was given something for that.
    pub stages: u8,
    /// ssh was given the password.
    pub answered: bool,
    /// The end of what its ssh said last: a read may cut words.
    pub said: Vec<u8>,
    /// ssh said that it was not let in.
    pub denied: bool,
    /// sshd said that the account's password is to be changed before anything is run.
    pub expired: bool,
    pub command: Option<Command>,
    pub status: Option<u8>,
    pub cause: Option<Cause>,
    pub killed: bool,
    pub warned_long: bool,
    pub started: Time,
    /// When it began, or took a part of its script.
    pub heard: Time,
    /// How long it took until its hello.
    pub connected: Option<Duration>,
    /// What its process did when it was doubted last.
    pub work: Option<Work>,
    /// The next look says whether it is silent.
    pub doubted: bool,
    /// What ssh said of a connection that was dropped, and its words.
    pub drop: Option<Drop>,
    pub held: Vec<u8>,
    pub deadline: Option<Time>,
    /// The time its command has left, while its clock stands still: it waits for input that clsh holds back for another node's sake.
    pub paused: Option<Duration>,
}

impl Node {
    /// Just spawned, both streams open.
    pub fn new(pid: i32, protocol: &Protocol, prefixes: [Box<[u8]>; 2], now: Time) -> Self {
        Self {
            process: Process::Running(pid),
            link: if matches!(protocol, Protocol::Framed(_)) {
                Link::Connecting
            } else {
                Link::Up
            },
            halves: prefixes.map(Half::new),
            input: Input::default(),
            ready: [0; 2],
            stages: 0,
            answered: false,
            said: Vec::new(),
            denied: false,
            expired: false,
            command: None,
            status: None,
            cause: None,
            killed: false,
            warned_long: false,
            started: now,
            heard: now,
            connected: None,
            work: None,
            doubted: false,
            drop: None,
            held: Vec::new(),
            deadline: None,
            paused: None,
        }
    }

    /// The stream's half.
    pub fn half(&mut self, stream: Stream) -> &mut Half {
        &mut self.halves[stream as usize]
    }

    /// Whether every stream that still can has brought the wrapper's hello.
    pub fn is_greeted(&self) -> bool {
        let told = |half: &Half| half.greeted || half.state == State::Closed;
        self.halves.iter().all(told)
    }

    /// Whether it may turn out not to have been reached.
    pub fn may_fail(&self) -> bool {
        matches!(self.link, Link::Connecting | Link::Ready) || self.cause == Some(Cause::Silent)
    }

    /// Whether its hello is waited for.
    pub fn is_awaited(&self) -> bool {
        matches!(self.link, Link::Connecting | Link::Ready) && !self.is_ending()
    }

    /// Whether its end has begun: its deadline is that of its process or its streams.
    pub fn is_ending(&self) -> bool {
        self.cause.is_some() || self.status.is_some() || self.is_parted()
    }

    /// Whether nothing more can come of this node.
    pub fn is_joined(&self) -> bool {
        self.is_parted() && self.is_silent()
    }

    /// Whether clsh has no process for it any more.
    fn is_parted(&self) -> bool {
        !matches!(self.process, Process::Running(_))
    }

    /// Whether both streams are closed.
    pub fn is_silent(&self) -> bool {
        self.halves.iter().all(|half| half.state == State::Closed)
    }

    /// Whether its process may be reaped once it ended. One that clsh is ending stays a zombie while its streams are open: others of its
    /// group still live then, and only the zombie keeps the group's number from being given away before SIGKILL reaches them.
    pub fn may_reap(&self) -> bool {
        self.cause.is_none() || self.killed || self.is_silent()
    }

    /// Whether the wrapper reported the end and all output before it is in, as far as frames can tell.
    pub fn is_complete(&self) -> bool {
        let told = |half: &Half| half.exit_seen || !half.greeted || half.state == State::Closed;
        self.status.is_some() && self.halves.iter().all(told)
    }

    /// What became of the node, from all facts together. Only asked once it is joined or given up.
    pub fn outcome(&self, protocol: &Protocol) -> Outcome {
        let exit = match self.process {
            Process::Exited(exit) => Some(exit),
            Process::Running(_) | Process::Left => None,
        };
        match (self.cause, self.status) {
            (Some(Cause::TimeLimit), _) => Outcome::TimedOut,
            (Some(Cause::Silent | Cause::Denied), _) => Outcome::Failed,
            (Some(Cause::Teardown), _) => Outcome::Ended,
            (_, Some(status)) => Outcome::Exited(status),
            (_, None) => match (protocol, exit) {
                (Protocol::Framed(_), _) if self.may_fail() => Outcome::Failed,
                (Protocol::Framed(_), _) | (_, None) => Outcome::Lost,
                (Protocol::Bare, Some(Exit::Code(255) | Exit::Signal(_))) => Outcome::Lost,
                (_, Some(Exit::Code(code))) => Outcome::Exited(code),
                (Protocol::Local, Some(Exit::Signal(signal))) => {
                    Outcome::Exited(128_u8.saturating_add(signal))
                }
            },
        }
    }
}
