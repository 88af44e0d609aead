//! What Tab may put at the prompt: clsh's own commands, and names of nodes.

use super::editor::Completer;
use super::line::OWN;
use super::seats::Seat;
use std::collections::BinaryHeap;

/// The words there are.
pub struct Words<'a> {
    pub seats: &'a [Seat],
}

impl Completer for Words<'_> {
    fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let own = before.starts_with(':');
        let start = before
            .rfind(|c: char| c.is_whitespace() || c == ',')
            .map_or(0, |at| {
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let (head, word) = before.split_at(start);
        let words = if own && start == 0 {
            starting(&mut OWN.iter().map(|&(name, ..)| name), word)
        } else if own && head.trim_end() == ":gather" {
            starting(&mut ["off", "on"].into_iter(), word)
        } else if own || !word.is_empty() {
            starting(&mut self.seats.iter().map(|seat| &*seat.label), word)
        } else {
            Vec::new()
        };
        (start, words)
    }
}

// 1 KB wherever it is inlined.
#[inline(never)]
fn starting(words: &mut dyn Iterator<Item = &str>, begun: &str) -> Vec<String> {
    // A heap sorts in a fifth of the code of a sort.
    let words: BinaryHeap<&str> = words.filter(|word| word.starts_with(begun)).collect();
    let mut words = words.into_sorted_vec();
    words.dedup();
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::seats::Seats;
    use super::*;
    use crate::hosts::{self, NodeSet};

    #[test]
    fn what_may_stand_where_the_cursor_is() {
        let mut set = NodeSet::new();
        set.add("node[1-3],web").expect("nodes");
        let nodes = set.into_nodes();
        let seats = Seats::new(&nodes, &hosts::labels(&nodes));
        let words = Words {
            seats: &seats.seats,
        };
        let complete = |before: &str| {
            let (start, words) = words.complete(before);
            (start, words.join(" "))
        };
        assert_eq!(complete(":re"), (0, ":reconnect".into()));
        assert_eq!(complete(":use no"), (5, "node1 node2 node3".into()));
        assert_eq!(complete(":use node1,w"), (11, "web".into()));
        assert_eq!(complete(":on "), (4, "node1 node2 node3 web".into()));
        assert_eq!(complete(":gather o"), (8, "off on".into()));
        assert_eq!(complete("ping w"), (5, "web".into()));
        assert_eq!(complete("ping "), (5, String::new()));
        assert_eq!(complete(""), (0, String::new()));
    }
}
