//! How many connections are made at once: a window of its own, beside the one of nodes that run.
//!
//! A handshake costs this machine up to 128 ms of a processor (OpenSSH 9's sntrup761), so that a few of them per processor keep it busy, and
//! more only make each other wait. So few begin, and each hello lets one more begin, which doubles their number in each round, as long as that
//! pays: as in BBR's start, the window is wide enough when rounds bring hellos no faster than those before, and it goes on where they do. On a
//! machine with other work a wider one does pay, since each process gets its share of that: so the window opens before the first hello, too,
//! when that takes its time.
//! A connection that does no work waits for somebody else: after a moment it does not count, so that far hosts, slow ones and dead ones hold
//! nobody up. Where connections are dropped, as at a gate that lets in only so many at once (sshd's MaxStartups), the far side counts those that
//! wait, too: then the window does, shrinks to half of them, and grows by one a round, as TCP's does after a loss.
//!
//! Invariant: a connection counts from its start until it is made, ends, or rests; none begins while as many count as the limit says.

use super::Time;
use crate::limits::{
    BLIND_PAUSE, CONNECTING_BLIND_MAX, CONNECTING_GATED_MIN, CONNECTING_PER_CORE,
    HELLOS_REMEMBERED, LOOK_PAUSE, LOOKS_MAX, REST_AFTER, REST_BLIND, REST_GATED, ROUNDS_ALIKE_MAX,
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
    /// The last node that was dropped in it.
    dropped: Option<u32>,
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
    /// How far the limit goes up before the first hello, and when it last did.
    blind: usize,
    blind_at: Option<Time>,
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
            blind: cores.max(1).saturating_mul(CONNECTING_BLIND_MAX).min(most),
            blind_at: None,
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
            self.blind_at = Some(now);
        }
        if self
            .members
            .insert(node, member)
            .is_none_or(|old| old.rests)
        {
            self.counted += 1;
        }
        // Nothing else may happen before somebody has to be looked at.
        if !self.has_room() {
            self.look_at.get_or_insert(now + LOOK_PAUSE);
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
        let calm = round.dropped.take().is_none();
        (round.began, round.hellos) = (Some(now), 0);
        round.bound = false;
        if self.gated && calm {
            self.widen();
        }
        self.round.length = self.limit;
    }

    /// A connection was dropped before anybody could log in. `telling`: this node has not had that answer again and again, which would say
    /// nothing about a gate. It takes two nodes in a round, for one may have a reason of its own.
    pub fn dropped(&mut self, node: u32, telling: bool, now: Time) {
        let at_once = self.members.len();
        let Some(started) = self.leave(node) else {
            return;
        };
        // Those of the burst that the limit was lowered for come in late.
        if !telling || self.shrunk_at.is_some_and(|time| started < time) {
            return;
        }
        if self
            .round
            .dropped
            .replace(node)
            .is_none_or(|other| other == node)
        {
            return;
        }
        self.limit = (at_once / 2)
            .min(self.limit)
            .max(CONNECTING_GATED_MIN.min(self.most));
        (self.round.hellos, self.round.dropped) = (0, None);
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
        self.widen_blindly(now);
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

    /// Where all are at work for long and none is through, the machine is busy with something else. There each process gets its share, and
    /// fewer get less.
    fn widen_blindly(&mut self, now: Time) {
        let long = self.blind_at.is_some_and(|time| time + BLIND_PAUSE <= now);
        if long && self.hellos == 0 && !self.gated {
            self.limit = self.limit.max(self.blind.min(self.limit * 2));
            self.blind_at = Some(now);
        }
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

    /// Whether the books balance.
    pub fn is_consistent(&self) -> bool {
        let counted = self.members.values().filter(|member| !member.rests);
        self.counted == counted.count() && 1 <= self.limit && self.limit <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn idle(used: u64) -> Option<Work> {
        Some(Work {
            used: MS * used as u32,
            wants: false,
        })
    }

    fn full(cores: usize, most: usize) -> Connecting {
        let mut connecting = Connecting::new(cores, most);
        fill(&mut connecting, 0, Time::ZERO);
        connecting
    }

    /// As many as there is room for, numbered from `first` on. Gives the number after the last.
    fn fill(connecting: &mut Connecting, first: u32, now: Time) -> u32 {
        let mut node = first;
        while connecting.has_room() {
            connecting.begin(node, now);
            assert!(connecting.is_consistent());
            node += 1;
        }
        connecting.await_room(true, now);
        node
    }

    #[test]
    fn before_the_first_hello_the_window_opens_with_time_and_not_for_ever() {
        let mut connecting = full(2, 1000);
        let mut next = 8;
        for step in 0..500 {
            let now = LOOK_PAUSE * step;
            next = fill(&mut connecting, next, now);
            connecting.await_room(true, now);
            assert!(connecting.is_consistent());
        }
        assert_eq!(connecting.limit, 2 * CONNECTING_BLIND_MAX);
        // From a hello on its own pace counts.
        let mut connecting = full(2, 1000);
        connecting.greeted(0, MS);
        let limit = connecting.limit;
        for step in 1..500 {
            connecting.await_room(true, LOOK_PAUSE * step);
        }
        assert_eq!(connecting.limit, limit);
    }

    /// So many hellos, in the order of the nodes' starts: each node's comes `at` a time that follows from its start and from the hello before.
    /// Gives the limit at the end.
    fn hellos(connecting: &mut Connecting, hellos: u32, at: impl Fn(Time, Time) -> Time) -> usize {
        let mut begun = VecDeque::new();
        let (mut now, mut next) = (Time::ZERO, 0);
        for _ in 0..hellos {
            while connecting.has_room() {
                connecting.begin(next, now);
                begun.push_back((next, now));
                next += 1;
            }
            connecting.await_room(true, now);
            let (node, started) = begun.pop_front().expect("one connects");
            now = at(started, now);
            connecting.greeted(node, now);
            assert!(connecting.is_consistent());
        }
        connecting.limit
    }

    #[test]
    fn few_begin_for_each_processor_and_never_more_than_may_run() {
        assert_eq!(full(1, 64).len(), 4);
        assert_eq!(full(2, 64).len(), 8);
        assert_eq!(full(32, 64).len(), 64);
        assert_eq!(full(2, 3).len(), 3);
        assert_eq!(full(usize::MAX, 5).len(), 5);
    }

    #[test]
    fn while_hellos_come_as_fast_as_before_each_round_is_twice_as_wide() {
        let mut connecting = Connecting::new(2, 1000);
        // A far host takes its time, however many there are.
        let far = |started, before: Time| before.max(started + MS * 1500);
        assert_eq!(hellos(&mut connecting, 8 + 16 + 32, far), 64);
    }

    #[test]
    fn where_more_at_once_come_no_faster_it_stays_narrow() {
        let mut connecting = Connecting::new(2, 1000);
        // Two processors, 128 ms each.
        let limit = hellos(&mut connecting, 500, |_, before| before + MS * 64);
        assert!((16..=64).contains(&limit), "{limit}");
    }

    #[test]
    fn who_does_no_work_holds_nobody_up_until_it_works_again() {
        let mut connecting = full(1, 64);
        assert!(!connecting.has_room());
        assert!(connecting.await_room(true, LOOK_PAUSE / 2).is_empty());
        let mut now = Time::ZERO;
        for _ in 0..2 {
            now = connecting.look_at().expect("somebody waits");
            let nodes = connecting.await_room(true, now);
            assert_eq!(nodes.len(), 4);
            for node in nodes {
                // The last one works.
                let used = if node == 3 { now.as_millis() as u64 } else { 7 };
                connecting.looked(node, idle(used), now);
            }
        }
        assert_eq!(connecting.counted, 1);
        assert!(now <= MS * 60, "{now:?}");
        let next = fill(&mut connecting, 4, now);
        assert_eq!(next, 7);
        connecting.looked(0, idle(9), now + MS);
        assert_eq!((connecting.counted, connecting.has_room()), (5, false));
        assert!(connecting.is_consistent());
    }

    #[test]
    fn who_waits_for_a_processor_works() {
        let mut connecting = full(1, 64);
        for at in 1..10 {
            let work = Work {
                used: MS,
                wants: true,
            };
            connecting.looked(0, Some(work), MS * at * 100);
        }
        assert_eq!(connecting.counted, 4);
    }

    #[test]
    fn where_nothing_can_be_seen_time_tells() {
        let mut connecting = full(1, 64);
        connecting.looked(0, None, REST_BLIND - MS);
        assert_eq!(connecting.counted, 4);
        connecting.looked(0, None, REST_BLIND);
        assert_eq!(connecting.counted, 3);
    }

    #[test]
    fn looks_take_turns_and_are_few() {
        let mut connecting = full(25, 100);
        let mut looked: Vec<u32> = Vec::new();
        for at in 1..=5 {
            let nodes = connecting.await_room(true, LOOK_PAUSE * at);
            assert!(nodes.len() <= LOOKS_MAX);
            looked.extend(nodes);
        }
        looked.sort_unstable();
        looked.dedup();
        assert_eq!(looked, Vec::from_iter(0..100));
        assert!(connecting.await_room(false, MS * 500).is_empty());
        assert_eq!(connecting.look_at(), None, "nobody waits");
    }

    #[test]
    fn a_gate_halves_the_window_once_for_each_burst() {
        let mut connecting = full(4, 64);
        assert_eq!(connecting.limit, 16);
        connecting.dropped(0, true, MS);
        assert_eq!(connecting.limit, 16, "one may have a reason of its own");
        for node in 1..8 {
            connecting.dropped(node, true, MS * 2);
            assert!(connecting.is_consistent());
        }
        assert_eq!(connecting.limit, 7);
        // Those that wait count there, too.
        for at in 1..20 {
            for node in 8..16 {
                connecting.looked(node, idle(1), MS * 10 * at);
            }
        }
        assert_eq!((connecting.counted, connecting.has_room()), (8, false));
        // After that it grows by one a round, and not by one a hello.
        let before = connecting.limit;
        for node in 8..16 {
            connecting.greeted(node, MS * 300);
        }
        assert_eq!(connecting.limit, before + 1);
    }

    #[test]
    fn a_node_that_is_dropped_again_and_again_says_nothing_of_a_gate() {
        let mut connecting = full(4, 64);
        connecting.dropped(0, true, MS);
        for at in 2..10 {
            connecting.begin(0, MS * at);
            connecting.dropped(0, false, MS * at);
        }
        assert_eq!(connecting.limit, 16);
    }

    #[test]
    fn a_gate_never_closes_the_window() {
        let mut connecting = Connecting::new(4, 64);
        for burst in 1..50_u32 {
            let first = burst * 100;
            let next = fill(&mut connecting, first, MS * burst);
            for node in first..next {
                connecting.dropped(node, true, MS * burst);
                assert!(connecting.is_consistent());
            }
        }
        assert_eq!(connecting.limit, CONNECTING_GATED_MIN);
    }

    #[test]
    fn late_hellos_of_all_tell_of_a_queue_and_one_does_not() {
        let patience = MS * 10_000;
        let queue = |took: &[u32], now: u32| {
            let mut connecting = Connecting::new(64, 64);
            for (node, &took) in (0..).zip(took) {
                connecting.begin(node, Time::ZERO);
                connecting.greeted(node, MS * took);
            }
            connecting.queue(MS * now, patience)
        };
        assert_eq!(queue(&[9000], 9000), None);
        assert_eq!(queue(&[100, 9000, 9000, 9000], 9000), None);
        let late = [8000, 9000, 9100, 9200];
        assert_eq!(queue(&late, 9200), Some(MS * 8000));
        assert_eq!(queue(&late, 19_200), Some(MS * 8000));
        assert_eq!(queue(&late, 19_201), None, "that was long ago");
        assert_eq!(queue(&[2000, 2100, 2200, 2300], 2300), None, "not slow");
    }
}
