//! What follows from what was seen: which node is due when and for what, what may not be left undone at the end of a turn, and which
//! outcomes a node may have.

use super::{Level, Node, Shadow};
use clsh::engine::{Exit, Protocol, Time};
use clsh::limits::{
    CONNECT_GRACE, DOUBT, DRAIN_GRACE, FLUSH_GRACE, HELLOS_REMEMBERED, SPAWN_TRIES_MAX,
};
use clsh::outcome::Outcome;
use std::time::Duration;

/// Most turns a source that has something to read may be passed over while there is room for its lines.
const PASSED_OVER_MAX: u32 = 2;
/// Most turns with room for lines in which what had arrived by the end of the grace is read.
const DRAINING_TURNS_MAX: u32 = 3;

impl Shadow {
    /// The engine goes to sleep. It must not sleep beyond what has to be done.
    pub fn sleeps(&self, timeout: Option<Time>) {
        let Some(due) = (0..self.nodes.len())
            .filter_map(|node| self.deadline(node))
            .min()
        else {
            return;
        };
        let wakes = timeout.map(|timeout| self.now + timeout);
        assert!(
            wakes.is_some_and(|wakes| wakes <= due.max(self.now)),
            "sleeps until {wakes:?}, beyond {due:?}"
        );
    }

    /// When a node that was left in peace so far has to be ended, and what it is then.
    pub fn overdue(&self, node: &Node) -> Option<(Time, Outcome)> {
        let (spawned, _) = node.spawned?;
        if let Some(status) = node.status {
            let told = |half: &super::Half| half.exit_said || half.ended || !half.greeted;
            let complete = node.halves.iter().all(told);
            return complete.then_some((node.said_at + DRAIN_GRACE, Outcome::Exited(status)));
        }
        match (&self.nonce, node.hello) {
            (Some(_), None) => Some((spawned + self.plan.connect + CONNECT_GRACE, Outcome::Failed)),
            (_, hello) => {
                let from = hello.unwrap_or(spawned);
                let limit = self.plan.time_limit?;
                Some((from + limit, Outcome::TimedOut))
            }
        }
    }

    /// How much longer a node may be waited for at most where hellos are late: as long again as two of them took.
    fn queued(&self) -> Duration {
        // Its end says as well that a node was there.
        let through = |node: &Node| node.hello.or(node.status.map(|_| node.said_at));
        let took = |node: &Node| Some(through(node)? - node.spawned?.0);
        let took: Vec<Duration> = self.nodes.iter().filter_map(took).collect();
        let slow = took.iter().filter(|&&took| took > self.plan.connect / 4);
        match slow.count() < HELLOS_REMEMBERED {
            true => Duration::ZERO,
            false => took.into_iter().max().unwrap_or_default() * 2 + DOUBT,
        }
    }

    /// The next thing that has to happen to a node by itself.
    fn deadline(&self, node: usize) -> Option<Time> {
        let node = &self.nodes[node];
        node.spawned?;
        match (node.reaped, node.kill, node.term) {
            (Some((at, ..)), ..) => {
                let open = node.halves.iter().any(|half| !half.closed);
                (open && at + DRAIN_GRACE > self.now).then_some(at + DRAIN_GRACE)
            }
            (None, Some(_), _) => None,
            (None, None, Some(at)) => Some(at + self.plan.kill_after),
            (None, None, None) => self.overdue(node).map(|(at, outcome)| match outcome {
                Outcome::Failed => at + self.queued(),
                _ => at,
            }),
        }
    }

    pub fn ends_turn(&mut self, high: bool) {
        let high = high || self.was_high;
        self.high_turns = if high { 0 } else { self.high_turns + 1 };
        for rank in 0..self.nodes.len() {
            let due = self.deadline(rank);
            let node = &mut self.nodes[rank];
            if node.spawned.is_none() {
                continue;
            }
            let open = node.halves.iter().any(|half| !half.closed);
            if node.reaped.is_none() {
                let ordered = node.term.or(node.kill).is_some();
                assert!(!node.stopped, "n{rank} stays stopped");
                assert!(ordered || self.reason.is_none(), "n{rank} runs on");
                assert!(node.kill.is_some() || self.level < Level::Killing);
                // A sink that failed as the last thing in this turn: the grace, if it is none at all, ends in the next.
                let due = due.filter(|_| node.term != Some(self.now));
                assert!(due.is_none_or(|at| at > self.now), "n{rank} is overdue");
            }
            let over = node
                .reaped
                .is_some_and(|(at, ..)| at + DRAIN_GRACE <= self.now);
            node.drains = if over && open { node.drains + 1 } else { 0 };
            let drains = node.drains.min(self.high_turns);
            assert!(drains <= DRAINING_TURNS_MAX, "n{rank} drains for too long");
            assert!(!open || self.level < Level::Gone, "n{rank} is waited for");
        }
        for half in self.nodes.iter_mut().flat_map(|node| &mut node.halves) {
            let passed_over = half.read_in != Some(self.turn) && !high;
            if let Some(turns) = half.waits.as_mut().filter(|_| passed_over) {
                *turns += 1;
                assert!(*turns <= PASSED_OVER_MAX, "a source starves");
            }
        }
    }

    /// Whether the run may have given up its output and its streams.
    pub fn may_be_gone(&self) -> bool {
        self.level == Level::Gone || self.given_up
    }

    /// Whether a reader has had its grace: no child is left, and no sink took anything for so long.
    pub fn may_give_up(&self) -> bool {
        let alive = self.running().next().is_some();
        let moved = self.last_reap.max(self.last_written);
        let from = self.reason_at.map(|(at, _)| at.max(moved));
        !alive && from.is_some_and(|from| from + FLUSH_GRACE <= self.now)
    }

    /// What may have become of a node, from all that was seen of it.
    pub fn outcomes(&self, node: &Node) -> Vec<Outcome> {
        if let Some(found) = node.refused {
            return vec![self.not_started(found)];
        }
        let Some((_, exit, turn)) = node.spawned.and(node.reaped) else {
            // The tries of one node count for the next: what the kernel has not for one it has not for another.
            let tries: u32 = self.nodes.iter().map(|node| node.delays).sum();
            let gave_up = node.delays > 0 && tries > SPAWN_TRIES_MAX;
            let more = gave_up.then(|| self.not_started(true));
            return [Outcome::NotStarted].into_iter().chain(more).collect();
        };
        if !node.ended_as.is_empty() {
            return node.ended_as.clone();
        }
        let by_itself = match (&self.plan.protocol, node.status, exit) {
            (_, Some(status), _) => Outcome::Exited(status),
            (Protocol::Framed(_), None, _) if node.hello.is_none() => Outcome::Failed,
            (Protocol::Framed(_), None, _) => Outcome::Lost,
            (Protocol::Bare, None, Exit::Code(255) | Exit::Signal(_)) => Outcome::Lost,
            (_, None, Exit::Code(code)) => Outcome::Exited(code),
            (Protocol::Local, None, Exit::Signal(signal)) => Outcome::Exited(128 + signal),
        };
        // Reaped in the turn in which the end was demanded: nobody can tell which came first.
        let same_turn = self.reason_at.is_some_and(|(_, came)| came == turn);
        [by_itself]
            .into_iter()
            .chain(same_turn.then_some(Outcome::Ended))
            .collect()
    }

    fn not_started(&self, found: bool) -> Outcome {
        match self.plan.protocol {
            Protocol::Local => Outcome::Exited(if found { 126 } else { 127 }),
            Protocol::Framed(_) | Protocol::Bare => Outcome::Failed,
        }
    }
}
