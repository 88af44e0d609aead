//! What stands before the lines of a node.
//!
//! Invariant: no two of the nodes share a label.

use super::node::Node;
use std::collections::HashMap;

/// The label of each node, in their order: its host, or its full name where another node has the same host.
///
/// The nodes must differ in their names, as those of a `NodeSet` do.
pub fn labels(nodes: &[Node]) -> Vec<Box<str>> {
    // Where two nodes have the same host, one at least is more than that host, since their names differ.
    let mut shared: HashMap<&str, bool> = HashMap::new();
    for node in nodes.iter().filter(|node| !node.is_plain()) {
        shared
            .entry(node.host())
            .and_modify(|shared| *shared = true)
            .or_insert(false);
    }
    if !shared.is_empty() {
        for node in nodes.iter().filter(|node| node.is_plain()) {
            shared
                .entry(node.host())
                .and_modify(|shared| *shared = true);
        }
    }
    // A full name differs from every host but its own: it has an '@', a bracket or a single ':', and no host has.
    let label = |node: &Node| match node.is_plain() || shared.get(node.host()) == Some(&true) {
        true => node.name().into(),
        false => node.host().into(),
    };
    nodes.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::NodeSet;

    #[test]
    fn the_host_unless_it_is_shared() {
        let mut set = NodeSet::new();
        set.add("root@n1:22,n2,[::1]:22,root@n3,n3,u@n3:1,[::2],::2")
            .unwrap();
        let labels = labels(&set.into_nodes());
        let labels: Vec<&str> = labels.iter().map(|label| &**label).collect();
        assert_eq!(
            labels,
            ["n1", "n2", "::1", "root@n3", "n3", "u@n3:1", "[::2]", "::2"]
        );
    }
}
