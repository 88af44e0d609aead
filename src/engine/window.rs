//! Whose turn it is to start: the nodes that wait, and how many may run at once.
//!
//! Invariant: running <= limit, and every node is handed out exactly once, unless it is put back because the kernel had nothing to give.

use super::Time;
use crate::limits::{SPAWN_RAISE, SPAWN_RETRY, SPAWN_TRIES_MAX};
use std::collections::{BTreeSet, VecDeque};

/// The fanout window over the list of nodes.
#[derive(Debug)]
pub struct Window {
    next: u32,
    total: u32,
    again: VecDeque<u32>,
    /// Those that wait for their time.
    later: BTreeSet<(Time, u32)>,
    running: usize,
    limit: usize,
    /// What `limit` was before the kernel had nothing to give.
    most: usize,
    /// When to try whether it has more again.
    raise_at: Option<Time>,
    /// Nodes end by themselves, and give back what they hold.
    passing: bool,
    retry_at: Option<Time>,
    tries: u32,
}

impl Window {
    /// Over `total` nodes, at most `limit` of them at once. `passing`: they end by themselves.
    pub fn new(total: u32, limit: usize, passing: bool) -> Self {
        Self {
            next: 0,
            total,
            again: VecDeque::new(),
            later: BTreeSet::new(),
            running: 0,
            limit: limit.max(1),
            most: limit.max(1),
            raise_at: None,
            passing,
            retry_at: None,
            tries: 0,
        }
    }

    /// One more node, and room for it.
    pub fn grow(&mut self) {
        self.total += 1;
        self.limit += 1;
        self.most += 1;
    }

    /// Nodes not started yet.
    pub fn waiting(&self) -> usize {
        self.ready() + self.later.len()
    }

    fn ready(&self) -> usize {
        (self.total - self.next) as usize + self.again.len()
    }

    /// Nodes started and not done.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Whether a node could start now.
    pub fn has_room(&self) -> bool {
        self.ready() > 0 && self.running < self.limit && self.retry_at.is_none()
    }

    /// The node whose turn is next, of those whose time has come.
    pub fn next(&self) -> Option<u32> {
        let fresh = (self.next < self.total).then_some(self.next);
        self.again.front().copied().or(fresh)
    }

    /// Hands out the next node, which counts as running from now on.
    pub fn take(&mut self) -> Option<u32> {
        if !self.has_room() {
            return None;
        }
        self.running += 1;
        self.next_waiting()
    }

    /// Takes a waiting node out of the list without starting it.
    pub fn next_waiting(&mut self) -> Option<u32> {
        let first = self.again.pop_front().or_else(|| {
            let node = self.next;
            self.next += u32::from(node < self.total);
            (node < self.total).then_some(node)
        });
        first.or_else(|| self.later.pop_first().map(|(_, node)| node))
    }

    /// A node started for good. Where fewer could before, that is one more again.
    pub fn started(&mut self) {
        self.tries = 0;
        if self.raise_at.is_none() {
            self.raise();
        }
    }

    fn raise(&mut self) {
        self.limit = self.most.min(self.limit + 1);
    }

    /// A running node is done.
    pub fn done(&mut self) {
        self.running -= 1;
    }

    /// The kernel had no process or descriptor for this node: it waits until another is done, or for a while; when none will be, for a moment.
    /// False when that has gone on for too long; the node then counts as running still.
    pub fn put_back(&mut self, node: u32, now: Time) -> bool {
        if self.running > 1 && self.passing {
            self.limit = self.running - 1;
            self.raise_at = Some(now + SPAWN_RAISE);
        } else if self.tries == SPAWN_TRIES_MAX {
            return false;
        } else {
            self.tries += 1;
            self.retry_at = Some(now + SPAWN_RETRY);
        }
        self.running -= 1;
        self.again.push_front(node);
        true
    }

    /// A running node is to start once more at this time.
    pub fn postpone(&mut self, node: u32, until: Time) {
        self.running -= 1;
        self.later.insert((until, node));
    }

    /// When the next try is due.
    pub fn retry_at(&self) -> Option<Time> {
        let later = self.later.first().map(|&(time, _)| time);
        let raise = self
            .raise_at
            .filter(|_| self.ready() > 0 && self.running >= self.limit);
        later.into_iter().chain(self.retry_at).chain(raise).min()
    }

    /// Time has passed.
    pub fn on_timeout(&mut self, now: Time) {
        self.retry_at = self.retry_at.filter(|&time| time > now);
        if self.raise_at.is_some_and(|time| time <= now) {
            self.raise_at = None;
            self.raise();
        }
        while let Some((_, node)) = self.later.first().filter(|&&(time, _)| time <= now) {
            self.again.push_back(*node);
            self.later.pop_first();
        }
    }
}
