//! The shadow model: what an observer who sees only facts and wishes can know of each node, and what must therefore happen.
//!
//! It derives its own deadlines, causes and outcomes, and asserts at each wish that it was due, and at the end of each turn that
//! nothing due was left undone.

mod due;

use super::naive::{Said, frame_of};
use clsh::engine::{Event, Exit, Order, Plan, Protocol, Request, Source, Time};
use clsh::limits::{
    CONNECTING_PER_CORE, DRAIN_GRACE, HANGUP_TWICE, OUT_HIGH_BYTES, READ_BYTES_MAX, SPAWN_RAISE,
    SPAWN_RETRY, SPAWN_TRIES_MAX,
};
use clsh::outcome::{Outcome, Reason};
use clsh::output::Stream;

#[derive(Debug, Default)]
pub struct Half {
    /// All that was handed to the engine.
    pub delivered: Vec<u8>,
    /// Up to here whole lines were looked at for frames.
    looked_at: usize,
    exit_said: bool,
    greeted: bool,
    ended: bool,
    pub closed: bool,
    hung_up: bool,
    read_in: Option<u64>,
    /// Something may be there to read, and so many turns passed without a read.
    waits: Option<u32>,
}

#[derive(Debug, Default)]
pub struct Node {
    pub spawned: Option<(Time, i32)>,
    pub halves: [Half; 2],
    pub refused: Option<bool>,
    pub delays: u32,
    pub hello: Option<Time>,
    status: Option<u8>,
    /// When the last fact about the end of the command came.
    said_at: Time,
    pub reaped: Option<(Time, Exit, u64)>,
    pub term: Option<Time>,
    pub kill: Option<Time>,
    killed_at: Option<(Level, u64)>,
    /// What the node may turn out to be, once clsh ended it.
    ended_as: Vec<Outcome>,
    stopped: bool,
    pub hung_up: bool,
    /// Turns since the grace for its streams was over.
    drains: u32,
}

/// How far the run has got in ending, as the signals and facts so far demand it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Running,
    Terminating,
    Killing,
    Gone,
}

pub struct Shadow {
    plan: Plan,
    nonce: Option<String>,
    pub nodes: Vec<Node>,
    pub level: Level,
    pub reason: Option<Reason>,
    pub reason_at: Option<(Time, u64)>,
    pub now: Time,
    pub turn: u64,
    /// Most nodes at once, as far as the kernel has room.
    window: usize,
    retry_at: Time,
    window_most: usize,
    /// When one more than the kernel had room for may be tried.
    raise_at: Option<Time>,
    tries: u32,
    starts: usize,
    was_high: bool,
    high_turns: u32,
    last_reap: Time,
    /// When a sink last took something, before this turn.
    pub last_written: Time,
    wrote: bool,
    given_up: bool,
    hung_up: Option<Time>,
    pub orders: Vec<(Time, usize, Order)>,
}

impl Shadow {
    pub fn new(plan: &Plan) -> Self {
        Self {
            nonce: match &plan.protocol {
                Protocol::Framed(nonce) => Some(nonce.as_str().to_owned()),
                Protocol::Bare | Protocol::Local => None,
            },
            nodes: plan.labels.iter().map(|_| Node::default()).collect(),
            plan: plan.clone(),
            level: Level::Running,
            reason: None,
            reason_at: None,
            now: Time::ZERO,
            turn: 0,
            window: plan.window,
            retry_at: Time::ZERO,
            window_most: plan.window,
            raise_at: None,
            tries: 0,
            starts: 0,
            was_high: false,
            high_turns: 0,
            last_reap: Time::ZERO,
            last_written: Time::ZERO,
            wrote: false,
            given_up: false,
            hung_up: None,
            orders: Vec::new(),
        }
    }

    pub fn begins_turn(&mut self, now: Time, high: bool) {
        if std::mem::take(&mut self.wrote) {
            self.last_written = self.now;
        }
        self.now = now;
        self.given_up |= self.may_give_up();
        self.turn += 1;
        self.starts = 0;
        self.was_high = high;
        if self.raise_at.is_some_and(|time| time <= now) {
            self.raise_at = None;
            self.window = self.window_most.min(self.window + 1);
        }
    }

    /// A fact, after the engine took it; `reason` is the engine's.
    pub fn fact(&mut self, event: &Event, reason: Option<Reason>, lost: bool) {
        match *event {
            Event::Spawned { node, pid } => {
                let shadow = &mut self.nodes[node as usize];
                assert!(shadow.spawned.is_none(), "started twice");
                shadow.spawned = Some((self.now, pid));
                self.tries = 0;
                if self.raise_at.is_none() {
                    self.window = self.window_most.min(self.window + 1);
                }
            }
            Event::SpawnDelayed { node, .. } => {
                self.nodes[node as usize].delays += 1;
                match self.unsettled() {
                    // After so many the node is given up, and the next one's turn comes at once.
                    0 if self.tries == SPAWN_TRIES_MAX => {}
                    0 => {
                        self.tries += 1;
                        self.retry_at = self.now + SPAWN_RETRY;
                    }
                    others => {
                        self.window = self.window.min(others);
                        self.raise_at = Some(self.now + SPAWN_RAISE);
                    }
                }
            }
            Event::SpawnFailed { node, found, .. } => {
                self.nodes[node as usize].refused = Some(found);
            }
            Event::Readable { source, hung_up } => {
                let half = self.half(source);
                half.waits.get_or_insert(0);
                half.hung_up |= hung_up;
            }
            Event::Bytes { source, bytes, dry } => {
                let half = self.half(source);
                // No further edge will tell of the end.
                half.waits = (!dry || half.hung_up).then_some(0);
                half.delivered.extend_from_slice(bytes);
                self.look_for_frames(source);
            }
            Event::Dry { source } => self.half(source).waits = None,
            Event::Eof { source } => {
                let now = self.now;
                let node = &mut self.nodes[source.node as usize];
                let half = &mut node.halves[source.stream as usize];
                (half.ended, half.waits) = (true, None);
                if node.status.is_some() {
                    node.said_at = now;
                }
            }
            Event::Exited { node, exit } => {
                let early = self.is_held_back(node as usize);
                assert!(!early, "n{node} is reaped before its group ended");
                self.nodes[node as usize].reaped = Some((self.now, exit, self.turn));
                self.last_reap = self.now;
            }
            Event::Wrote { .. } => self.wrote = true,
            _ => {}
        }
        self.follow(event, reason, lost);
    }

    /// The reason comes with its fact, and stays unless a signal comes that is the first one; the level follows the signals.
    fn follow(&mut self, event: &Event, reason: Option<Reason>, lost: bool) {
        if let Event::Request(Request::End(1)) = event {
            let again = self.hung_up.replace(self.now);
            if again.is_some_and(|before| self.now < before + HANGUP_TWICE) {
                return assert_eq!(self.reason, reason, "one hang-up is one");
            }
        }
        if let (Event::Request(Request::End(signal) | Request::Kill(signal)), Some(first)) =
            (event, self.reason)
            && !matches!(first, Reason::Signal(_))
        {
            self.reason = Some(Reason::Signal(*signal));
        } else if let (Event::Request(Request::End(_)), Some(_)) = (event, self.reason) {
            self.level = match self.level {
                Level::Running | Level::Terminating => Level::Killing,
                Level::Killing | Level::Gone => Level::Gone,
            };
        }
        if let Event::Request(Request::Kill(_)) = event {
            self.level = match self.level {
                Level::Running | Level::Terminating => Level::Killing,
                Level::Killing | Level::Gone => Level::Gone,
            };
        }
        if self.reason.is_some() {
            assert_eq!(self.reason, reason, "the reason while ending");
            return;
        }
        let expected = match *event {
            Event::Request(Request::End(signal) | Request::Kill(signal)) => {
                Some(Reason::Signal(signal))
            }
            Event::SinkClosed { sink: Stream::Out } => Some(Reason::OutputClosed),
            Event::SinkFailed {
                sink: Stream::Out, ..
            } => Some(Reason::OutputFailed),
            _ if lost && !self.plan.keep_going => Some(Reason::NodeLost),
            _ => None,
        };
        assert_eq!(reason, expected, "the reason after {event:?}");
        if reason.is_some() {
            self.reason = reason;
            self.reason_at = Some((self.now, self.turn));
            self.level = self.level.max(Level::Terminating);
        }
    }

    fn look_for_frames(&mut self, source: Source) {
        let now = self.now;
        let node = &mut self.nodes[source.node as usize];
        let half = &mut node.halves[source.stream as usize];
        let end = half.delivered.len();
        while let Some(length) = memchr::memchr(b'\n', &half.delivered[half.looked_at..end]) {
            let line = &half.delivered[half.looked_at..half.looked_at + length];
            let said = match &self.nonce {
                Some(nonce) if line.last() == Some(&0x1e) => frame_of(line, nonce),
                _ => None,
            };
            half.looked_at += length + 1;
            match said.map(|(_, said)| said) {
                Some(Said::Hello) => {
                    half.greeted = true;
                    node.hello.get_or_insert(now);
                }
                Some(Said::Exit(status)) => {
                    node.status.get_or_insert(status);
                    half.exit_said = true;
                    node.said_at = now;
                }
                Some(Said::Ready) | None => {}
            }
        }
    }

    pub fn spawns(&mut self, node: u32) {
        assert!(self.reason.is_none(), "starts a node while ending");
        assert!(
            self.unsettled() < self.window,
            "more at once than there is room for"
        );
        assert!(self.retry_at <= self.now, "tries again too early");
        assert!(self.nodes[node as usize].refused.is_none());
        self.starts += 1;
        assert!(self.starts <= clsh::limits::SPAWNS_PER_TURN);
    }

    /// Whether a node could be started now, given how many have their outcome.
    pub fn could_start(&self, settled: usize) -> bool {
        let running = self.unsettled();
        let waiting = self.nodes.len() - settled - running;
        let free = self.reason.is_none() && self.retry_at <= self.now;
        free && waiting > 0 && running < self.window && self.may_connect()
    }

    /// Whether fewer nodes connect than may at least, with so many processors.
    fn may_connect(&self) -> bool {
        let connects = |node: &&Node| {
            let settled = node.reaped.is_some() && node.halves.iter().all(|half| half.closed);
            let through = node.hello.is_some() || node.status.is_some();
            node.spawned.is_some() && !through && !settled
        };
        let connecting = self.nodes.iter().filter(connects).count();
        self.nonce.is_none() || connecting < self.plan.cores.saturating_mul(CONNECTING_PER_CORE)
    }

    pub fn reads(&mut self, source: Source, limit: usize, high: bool) {
        let turn = self.turn;
        let half = self.half(source);
        assert!(!half.closed && !half.ended, "reads after the end");
        assert!(limit > 0 && limit <= READ_BYTES_MAX);
        assert_ne!(half.read_in.replace(turn), Some(turn), "two reads a turn");
        assert!(!high, "reads while output waits");
    }

    pub fn closes(&mut self, source: Source) {
        let (now, gone) = (self.now, self.may_be_gone());
        let node = &mut self.nodes[source.node as usize];
        let half = &mut node.halves[source.stream as usize];
        assert!(!half.closed, "closed twice");
        half.closed = true;
        half.waits = None;
        if !half.ended && !gone {
            let given_up = node.reaped.is_some_and(|(at, ..)| at + DRAIN_GRACE <= now);
            assert!(given_up, "gives up a stream that may bring more");
        }
    }

    pub fn hangs_up(&mut self, node: u32) {
        let node = &mut self.nodes[node as usize];
        let ordered = node.term.or(node.kill).is_some();
        let ended = ordered || node.reaped.is_some();
        assert!(ended, "hangs up on a node that nobody ends");
        node.hung_up = true;
    }

    pub fn signals(&mut self, rank: usize, pid: i32, order: Order) {
        self.orders.push((self.now, rank, order));
        let (now, turn) = (self.now, self.turn);
        let (level, reason_turn) = (self.level, self.reason_at.map(|(_, turn)| turn));
        let overdue = self
            .overdue(&self.nodes[rank])
            .filter(|&(at, _)| at <= now)
            .map(|(_, outcome)| outcome);
        let node = &mut self.nodes[rank];
        assert_eq!(node.spawned.map(|(_, pid)| pid), Some(pid), "a strange pid");
        assert!(node.reaped.is_none(), "{order:?} for a reaped pid");
        match order {
            Order::Stop => return node.stopped = true,
            Order::Continue => return node.stopped = false,
            Order::Terminate => {
                node.stopped = false;
                assert!(node.term.or(node.kill).is_none(), "TERM twice or late");
            }
            Order::Kill if node.kill.is_some() => {
                // More demands of one turn are carried out together.
                let again = |(before, came)| before < level || came == turn;
                assert!(
                    node.killed_at.is_some_and(again),
                    "KILL twice for one demand"
                );
            }
            Order::Kill if level < Level::Killing => {
                let grace = node.term.map(|at| at + self.plan.kill_after);
                assert!(grace.is_some_and(|until| until <= now), "KILL too early");
            }
            Order::Kill => {}
            Order::Interrupt => panic!("a one-shot run interrupts nobody"),
        }
        if node.term.or(node.kill).is_none() {
            // Only in the turn in which the reason comes both may be the cause.
            let teardown = (level > Level::Running).then_some(Outcome::Ended);
            let overdue = overdue.filter(|_| reason_turn.is_none_or(|came| came == turn));
            node.ended_as = teardown.into_iter().chain(overdue).collect();
            assert!(!node.ended_as.is_empty(), "{order:?} without a cause");
        }
        match order {
            Order::Kill => {
                node.kill.get_or_insert(now);
                node.killed_at = Some((level, turn));
            }
            _ => node.term = Some(now),
        }
    }

    /// clsh stops itself: every child has to stand still.
    pub fn suspends(&self) {
        for node in self.running() {
            assert!(node.stopped, "a child runs on while clsh is stopped");
        }
    }

    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether this much output makes the engine stop reading.
    pub fn is_high(pending: [usize; 2]) -> bool {
        pending.iter().any(|&count| count >= OUT_HIGH_BYTES)
    }

    /// Whether others of a terminated node's group may live and still have to hear SIGKILL: its number must not be given away before.
    pub fn is_held_back(&self, node: usize) -> bool {
        let node = &self.nodes[node];
        let open = node.halves.iter().any(|half| !half.closed);
        node.term.is_some() && node.kill.is_none() && open
    }

    /// Nodes that were started and are not done.
    fn unsettled(&self) -> usize {
        let settled =
            |node: &Node| node.reaped.is_some() && node.halves.iter().all(|half| half.closed);
        let started = self.nodes.iter().filter(|node| node.spawned.is_some());
        started.filter(|node| !settled(node)).count()
    }

    fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| node.spawned.is_some() && node.reaped.is_none())
    }

    fn half(&mut self, source: Source) -> &mut Half {
        &mut self.nodes[source.node as usize].halves[source.stream as usize]
    }
}
