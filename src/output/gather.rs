//! Output kept until all is in, and the nodes that said the same.

use super::Stream;
use super::store::{Kept, Store, Strand};
use crate::order::order;
use crate::outcome::Outcome;
use std::collections::HashMap;

/// What some nodes say, each stream whole.
#[derive(Debug)]
pub struct Gather {
    pub store: Store,
    strands: HashMap<u32, [Strand; 2]>,
    groups: Vec<Group>,
    known: HashMap<Key, usize>,
}

/// Nodes with the same stdout, stderr and outcome.
#[derive(Debug, Clone)]
pub struct Group {
    pub members: Vec<u32>,
    /// Stdout and stderr.
    pub streams: [Kept; 2],
    /// `None` where a node has not finished.
    pub outcome: Option<Outcome>,
}

impl Group {
    /// Whether there is nothing to show.
    pub fn is_silent(&self) -> bool {
        self.streams.iter().all(Kept::is_empty)
    }

    /// Whether its nodes' command ran to its end.
    fn has_ended(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Exited(_)))
    }

    /// Whether another group whose commands ended, too, said the same, so that only their status tells them apart.
    pub fn looks_like(&self, other: &Self) -> bool {
        let same = |[one, other]: [&Kept; 2]| one.identity() == other.identity();
        self.outcome != other.outcome
            && self.has_ended()
            && other.has_ended()
            && same([&self.streams[0], &other.streams[0]])
            && same([&self.streams[1], &other.streams[1]])
    }

    /// Bytes of both streams.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().map(Kept::bytes).sum()
    }
}

type Key = ([([u64; 2], u64); 2], Option<Outcome>);

impl Gather {
    /// For nodes of which at most `at_once` run at a time. `key` is for the store's digests.
    pub fn new(key: u64, at_once: usize) -> Self {
        Self {
            store: Store::new(key, Stream::BOTH.len() * at_once),
            strands: HashMap::new(),
            groups: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// What this node says is kept from now on, and not what it said before, as in another try to reach it.
    pub fn begin(&mut self, node: u32) {
        let strands = [self.store.strand(), self.store.strand()];
        self.strands.insert(node, strands);
    }

    /// Whether what this node says is kept.
    pub fn keeps(&self, node: u32) -> bool {
        self.strands.contains_key(&node)
    }

    /// A node said something.
    pub fn append(&mut self, node: u32, stream: Stream, bytes: &[u8]) {
        if let Some(strands) = self.strands.get_mut(&node) {
            self.store.append(&mut strands[stream as usize], bytes);
        }
    }

    /// A node has said all: it belongs to those that said the same. A last line without a newline is as good as one with it.
    pub fn finish(&mut self, node: u32, outcome: Option<Outcome>) {
        let Some(mut strands) = self.strands.remove(&node) else {
            return;
        };
        // Who reads it shall not take a part for all of it.
        let outcome = outcome.filter(|_| !strands.iter().any(Strand::is_cut));
        for strand in &mut strands {
            if !strand.ends_line() {
                self.store.append(strand, b"\n");
            }
        }
        let streams = strands.map(|strand| self.store.finish(strand));
        let key = (streams.each_ref().map(Kept::identity), outcome);
        let group = *self.known.entry(key).or_insert_with(|| {
            self.groups.push(Group {
                members: Vec::new(),
                streams,
                outcome,
            });
            self.groups.len() - 1
        });
        self.groups[group].members.push(node);
    }

    /// The groups that said something, the largest first, else by their first member; members in the order of `place`. Nodes that have not
    /// finished are in groups without an outcome. With `silent`, nodes whose command ended and said nothing are a group like others where
    /// there are others: to say nothing is a difference, too.
    pub fn groups(&mut self, silent: bool, place: &dyn Fn(u32) -> u32) -> Vec<Group> {
        let unfinished: Vec<u32> = self.strands.keys().copied().collect();
        for node in unfinished {
            self.finish(node, None);
        }
        self.known.clear();
        let mut groups = std::mem::take(&mut self.groups);
        let silent = silent && !groups.iter().all(Group::is_silent);
        groups.retain(|group| !group.is_silent() || silent && group.has_ended());
        for Group { members, .. } in &mut groups {
            let key = |&node: &u32| u128::from(place(node)) << 32 | u128::from(node);
            let order = order(members.iter().map(key));
            *members = order.iter().map(|&at| members[at]).collect();
        }
        let key = |group: &Group| {
            let first = group.members.first().map_or(0, |&node| place(node));
            u128::from(!(group.members.len() as u32)) << 32 | u128::from(first)
        };
        let order = order(groups.iter().map(key));
        let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
        let order = order.iter();
        order.filter_map(|&at| groups[at].take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(said: &[(u32, &str, &str, u8)]) -> Gather {
        let mut gather = Gather::new(1, said.len());
        for &(node, out, err, status) in said {
            gather.begin(node);
            gather.append(node, Stream::Out, out.as_bytes());
            gather.append(node, Stream::Err, err.as_bytes());
            gather.finish(node, Some(Outcome::Exited(status)));
        }
        gather
    }

    fn members(mut gather: Gather) -> Vec<Vec<u32>> {
        let groups = gather.groups(false, &|node| node);
        groups.into_iter().map(|group| group.members).collect()
    }

    #[test]
    fn nodes_that_said_the_same_stand_together_the_largest_group_first() {
        let gather = gather(&[
            (4, "b", "", 0),
            (3, "c\n", "", 0),
            (0, "a\n", "", 0),
            // A last newline makes no difference.
            (1, "b\n", "", 0),
            (2, "b\n", "", 0),
            (5, "", "", 7),
        ]);
        assert_eq!(members(gather), [vec![1, 2, 4], vec![0], vec![3]]);
    }

    #[test]
    fn nodes_that_said_nothing_are_a_group_where_that_is_asked_for_and_others_said_something() {
        let groups = |said: &[(u32, &str, &str, u8)]| {
            let mut gather = gather(said);
            // Neither is one that was never reached, or has not finished.
            gather.begin(8);
            gather.finish(8, Some(Outcome::Failed));
            gather.begin(9);
            let groups = gather.groups(true, &|node| node);
            let members = |group: Group| group.members;
            groups.into_iter().map(members).collect::<Vec<_>>()
        };
        let said = [
            (0, "a", "", 0),
            (1, "", "", 0),
            (2, "", "", 0),
            (3, "", "", 7),
        ];
        assert_eq!(groups(&said), [vec![1, 2], vec![0], vec![3]]);
        assert_eq!(groups(&said[1..]), [[0; 0]; 0]);
    }

    #[test]
    fn groups_that_differ_by_their_outcome_alone_look_alike() {
        let mut gather = gather(&[(0, "a", "", 0), (1, "a", "", 1), (2, "b", "", 1)]);
        let groups = gather.groups(false, &|node| node);
        assert!(groups[0].looks_like(&groups[1]) && groups[1].looks_like(&groups[0]));
        assert!(!groups[0].looks_like(&groups[0]) && !groups[0].looks_like(&groups[2]));
    }

    #[test]
    fn another_status_or_stream_is_another_group() {
        let mut gather = gather(&[(0, "a", "", 0), (1, "", "a", 0), (2, "a", "", 1)]);
        // As is what has not finished.
        gather.begin(3);
        gather.append(3, Stream::Out, b"a");
        assert_eq!(members(gather), [[0], [1], [2], [3]]);
    }
}
