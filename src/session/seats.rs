//! The nodes of a session: how each stands, and which are meant.

use super::words::Row;
use crate::hosts::{Node, NodeSet};
use crate::outcome::Outcome;
use std::collections::HashMap;
use std::time::Duration;

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not answered yet.
    Connecting,
    /// Its shell waits for a command.
    Ready,
    /// Its shell runs one.
    Running,
    /// It has no connection any more, or never had one.
    Gone(Outcome),
}

impl State {
    /// Whether something may come of it.
    pub fn is_alive(self) -> bool {
        !matches!(self, Self::Gone(_))
    }

    /// What a node that is gone stands for in the status of the session.
    pub fn status(self) -> u8 {
        match self {
            Self::Gone(outcome) => outcome.status(),
            _ => 0,
        }
    }

    fn word(self) -> String {
        match self {
            Self::Connecting => "connecting".into(),
            Self::Ready => "ready".into(),
            Self::Running => "running".into(),
            Self::Gone(outcome) => match outcome {
                Outcome::Exited(status) => format!("ended ({status})"),
                Outcome::TimedOut => "timed out".into(),
                Outcome::Failed => "failed".into(),
                Outcome::Lost => "lost".into(),
                Outcome::Ended | Outcome::NotStarted => "stopped".into(),
            },
        }
    }
}

/// One node.
#[derive(Debug)]
pub struct Seat {
    pub label: Box<str>,
    /// Where the engine has it: another slot for each connection.
    pub slot: u32,
    pub state: State,
    /// Commands go to it.
    pub used: bool,
    /// Status of its last command and how long that took.
    pub last: Option<(u8, Duration)>,
}

/// All nodes, by rank.
#[derive(Debug)]
pub struct Seats {
    pub seats: Vec<Seat>,
    ranks: HashMap<Box<str>, usize>,
}

impl Seats {
    /// At the start, in the engine's first slots.
    pub fn new(nodes: &[Node], labels: &[Box<str>]) -> Self {
        let seat = |(rank, label): (usize, &str)| Seat {
            label: label.into(),
            slot: rank as u32,
            state: State::Connecting,
            used: true,
            last: None,
        };
        let mut ranks = HashMap::new();
        // A host that stands for several nodes means the first; its full name tells them apart.
        for names in [Node::host, Node::name] {
            for (rank, node) in nodes.iter().enumerate().rev() {
                ranks.insert(names(node).into(), rank);
            }
        }
        for (rank, label) in labels.iter().enumerate() {
            ranks.insert(label.clone(), rank);
        }
        Self {
            seats: labels
                .iter()
                .map(|label| &**label)
                .enumerate()
                .map(seat)
                .collect(),
            ranks,
        }
    }

    /// The nodes that `list` names, by rank, in its order.
    ///
    /// # Errors
    /// What is wrong with it, or which of them is not in the session.
    pub fn find(&self, list: &str) -> Result<Vec<usize>, String> {
        let mut set = NodeSet::new();
        set.add(list).map_err(|error| error.to_string())?;
        let rank = |node: &Node| {
            self.ranks.get(node.name()).copied().ok_or_else(|| {
                format!(
                    "'{}' is not a node of this session; ':nodes' shows them",
                    node.name()
                )
            })
        };
        let ranks: Vec<usize> = set.iter().map(rank).collect::<Result<_, _>>()?;
        match ranks.is_empty() {
            true => Err("the list names no node".into()),
            false => Ok(ranks),
        }
    }

    /// Ranks of the nodes for which this holds.
    pub fn ranks(&self, holds: impl Fn(&Seat) -> bool) -> Vec<usize> {
        let seats = self.seats.iter().enumerate();
        seats
            .filter(|(_, seat)| holds(seat))
            .map(|(rank, _)| rank)
            .collect()
    }

    /// How these are called.
    pub fn labels<'a>(&'a self, ranks: &'a [usize]) -> Vec<&'a str> {
        ranks.iter().map(|&rank| &*self.seats[rank].label).collect()
    }

    /// Whether any holds.
    pub fn any(&self, holds: impl Fn(State) -> bool) -> bool {
        self.seats.iter().any(|seat| holds(seat.state))
    }

    /// The rows of `:nodes`.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let row = |seat| {
            let Seat {
                label,
                state,
                used,
                last,
                ..
            }: &Seat = seat;
            Row {
                name: label,
                state: state.word(),
                used: *used,
                last: *last,
            }
        };
        self.seats.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts;

    #[test]
    fn nodes_are_found_by_list_label_and_full_name() {
        let mut set = NodeSet::new();
        set.add("n[1-3],bob@web:2222,web").expect("nodes");
        let nodes = set.into_nodes();
        let seats = Seats::new(&nodes, &hosts::labels(&nodes));
        assert_eq!(seats.find("n3,n1"), Ok(vec![2, 0]));
        assert_eq!(seats.find("n[1-2]"), Ok(vec![0, 1]));
        assert_eq!(seats.find("bob@web:2222"), Ok(vec![3]));
        assert_eq!(seats.find("web"), Ok(vec![4]));
        for wrong in ["n4", "n[1-4]", "n[", "", "-x"] {
            assert!(seats.find(wrong).is_err(), "{wrong}");
        }
    }
}
