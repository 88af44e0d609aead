//! How many connections are made at once: a window of its own, beside the one of nodes that run.
//!
//! A handshake costs this machine up to 128 ms of a processor (OpenSSH 9's sntrup761), so that a few of them per processor keep it busy, and
//! more only make each other wait. So few begin, and each hello lets one more begin, which doubles their number in each round, as long as that
//! pays: as in BBR's start, the window is wide enough when rounds bring hellos no faster than those before, and it goes on where they do. On a
//! machine with other work a wider one does pay, since each process gets its share of that.
//! A connection that does no work waits for somebody else: after a moment it does not count, so that far hosts, slow ones and dead ones hold
//! nobody up. Where connections are dropped, as at a gate that lets in only so many at once (sshd's MaxStartups), the far side counts those that
//! wait, too: then the window does, shrinks to half of them, and grows by one a round, as TCP's does after a loss.
//!
//! Invariant: a connection counts from its start until it is made, ends, or rests; none begins while as many count as the limit says.

use super::Time;
use crate::limits::{
    CONNECTING_GATED_MIN, CONNECTING_PER_CORE, HELLOS_REMEMBERED, LOOK_PAUSE, LOOKS_MAX,
    REST_AFTER, REST_BLIND, REST_GATED, ROUNDS_ALIKE_MAX,
};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The work of a node's process and its children, as far as the system tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// The time they had on a processor.
    pub used: Duration,
    /// One of them is on a processor, or waits for one.
    pub wants: bool,
}

/// A connection that is being made.
#[derive(Debug)]
struct Member {
    started: Time,
    /// The last look: when, and what its work was.
    seen: Option<(Time, Duration)>,
    /// Since when it is known to do nothing.
    still: Option<Time>,
    rests: bool,
}

/// As many hellos as the limit was when it began.
#[derive(Debug, Default)]
struct Round {
    began: Option<Time>,
    length: usize,
    hellos: usize,
    /// Nodes dropped in it.
    drops: usize,
    /// Somebody waited for room.
    bound: bool,
    /// Hellos a second, at most, in rounds before.
    best: f64,
    /// Rounds in a row that were no faster.
    alike: u32,
}

/// The window of connections that are being made.
#[derive(Debug)]
pub struct Connecting {
    members: BTreeMap<u32, Member>,
    /// Members that do not rest.
    counted: usize,
    limit: usize,
    most: usize,
    round: Round,
    /// The last hellos: when, and after how long.
    recent: VecDeque<(Time, Duration)>,
    hellos: u64,
    /// The far side drops connections.
    gated: bool,
    shrunk_at: Option<Time>,
    look_at: Option<Time>,
    /// The last node that was looked at.
    looked: u32,
}

impl Connecting {
    /// On so many processors, and never more than `most` at once.
    pub fn new(cores: usize, most: usize) -> Self {
        let most = most.max(1);
        let least = cores.max(1).saturating_mul(CONNECTING_PER_CORE).min(most);
        Self {
            members: BTreeMap::new(),
            counted: 0,
            limit: least,
            most,
            round: Round::default(),
            recent: VecDeque::new(),
            hellos: 0,
            gated: false,
            shrunk_at: None,
            look_at: None,
            looked: 0,
        }
    }

    /// One more node, and room for it.
    pub fn grow(&mut self) {
        self.most += 1;
    }

    /// Whether another connection may begin.
    pub fn has_room(&self) -> bool {
        self.counted < self.limit
    }

    /// How many are being made.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// How many hellos came.
    pub fn hellos(&self) -> u64 {
        self.hellos
    }

    /// A connection begins.
    pub fn begin(&mut self, node: u32, now: Time) {
        let member = Member {
            started: now,
            seen: None,
            still: None,
            rests: false,
        };
        if self.round.began.is_none() {
            (self.round.began, self.round.length) = (Some(now), self.limit);
        }
        if self
            .members
            .insert(node, member)
            .is_none_or(|old| old.rests)
        {
            self.counted += 1;
        }
    }

    /// A connection is made.
    pub fn greeted(&mut self, node: u32, now: Time) {
        let Some(started) = self.leave(node) else {
            return;
        };
        self.hellos += 1;
        self.recent.push_front((now, now.saturating_sub(started)));
        self.recent.truncate(HELLOS_REMEMBERED);
        self.round.hellos += 1;
        if !self.gated && self.round.alike < ROUNDS_ALIKE_MAX {
            self.widen();
        }
        if self.round.hellos >= self.round.length {
            self.end_round(now);
        }
    }

    fn widen(&mut self) {
        self.limit = self.most.min(self.limit + 1);
    }

    fn end_round(&mut self, now: Time) {
        let round = &mut self.round;
        let took = now.saturating_sub(round.began.unwrap_or(now)).as_secs_f64();
        let rate = round.hellos as f64 / took.max(f64::MIN_POSITIVE);
        // Where nobody waited, the window was not what held them up.
        if rate > round.best * 1.25 {
            (round.best, round.alike) = (rate, 0);
        } else if round.bound {
            round.alike += 1;
        }
        let calm = round.drops == 0;
        (round.began, round.hellos, round.drops) = (Some(now), 0, 0);
        round.bound = false;
        if self.gated && calm {
            self.widen();
        }
        self.round.length = self.limit;
    }

    /// A connection was dropped before anybody could log in. `first`: this node had got no such answer before; one that gets it again and
    /// again says nothing about a gate. It takes two of a round, for one may have a reason of its own.
    pub fn dropped(&mut self, node: u32, first: bool, now: Time) {
        let at_once = self.members.len();
        let Some(started) = self.leave(node) else {
            return;
        };
        // Those of the burst that the limit was lowered for come in late.
        if !first || self.shrunk_at.is_some_and(|time| started < time) {
            return;
        }
        self.round.drops += 1;
        if self.round.drops < 2 {
            return;
        }
        self.limit = (at_once / 2)
            .min(self.limit)
            .max(CONNECTING_GATED_MIN.min(self.most));
        (self.round.hellos, self.round.drops) = (0, 0);
        (self.round.began, self.round.length) = (Some(now), self.limit);
        self.shrunk_at = Some(now);
        self.gated = true;
        for member in self.members.values_mut() {
            let rested = member.still.is_some_and(|since| since + REST_GATED <= now);
            if member.rests && !rested {
                member.rests = false;
                self.counted += 1;
            }
        }
    }

    /// A connection is made no longer, whatever became of it. Gives when it began.
    pub fn leave(&mut self, node: u32) -> Option<Time> {
        let member = self.members.remove(&node)?;
        self.counted -= usize::from(!member.rests);
        Some(member.started)
    }

    /// When to look at what they do: somebody waits for room.
    pub fn look_at(&self) -> Option<Time> {
        self.look_at.filter(|_| !self.has_room())
    }

    /// Somebody waits for room, or nobody does. Gives whom to look at now, each in turn.
    pub fn await_room(&mut self, waits: bool, now: Time) -> Vec<u32> {
        if !waits || self.has_room() {
            self.look_at = None;
            return Vec::new();
        }
        self.round.bound = true;
        if *self.look_at.get_or_insert(now + LOOK_PAUSE) > now {
            return Vec::new();
        }
        self.look_at = Some(now + LOOK_PAUSE);
        let behind = self.members.range(self.looked + 1..);
        let before = self.members.range(..=self.looked);
        let nodes: Vec<u32> = behind
            .chain(before)
            .map(|(&node, _)| node)
            .take(LOOKS_MAX)
            .collect();
        self.looked = nodes.last().copied().unwrap_or(self.looked);
        nodes
    }

    /// What a look showed.
    pub fn looked(&mut self, node: u32, work: Option<Work>, now: Time) {
        let gated = self.gated;
        let Some(member) = self.members.get_mut(&node) else {
            return;
        };
        let after = match (work, gated) {
            (_, true) => REST_GATED,
            (Some(_), false) => REST_AFTER,
            (None, false) => REST_BLIND,
        };
        match work {
            // Where nothing can be seen, only time tells.
            None => member.still = Some(member.started),
            Some(work) => {
                let before = member.seen.replace((now, work.used));
                let same = before.filter(|&(_, used)| used == work.used && !work.wants);
                member.still = same.map(|(time, _)| member.still.unwrap_or(time));
            }
        }
        let rests = member.still.is_some_and(|since| since + after <= now);
        match (std::mem::replace(&mut member.rests, rests), rests) {
            (false, true) => self.counted -= 1,
            (true, false) => self.counted += 1,
            (false, false) | (true, true) => {}
        }
    }

    /// How long handshakes are queued just now, if that says something about a connection that waits for its own: the quickest of the last
    /// few hellos took a good part of `patience`, and one came within it.
    pub fn queue(&self, now: Time, patience: Duration) -> Option<Duration> {
        let &(last, _) = self.recent.front()?;
        let quickest = self.recent.iter().map(|&(_, took)| took).min()?;
        let slow = self.recent.len() == HELLOS_REMEMBERED && quickest > patience / 4;
        (slow && last + patience >= now).then_some(quickest)
    }

    /// Asserts the invariants.
    pub fn check(&self) {
        let counted = self.members.values().filter(|member| !member.rests);
        assert_eq!(self.counted, counted.count());
        assert!(1 <= self.limit && self.limit <= self.most);
    }
}
