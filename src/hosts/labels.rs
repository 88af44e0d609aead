//! What stands before the lines of a node.
//!
//! Invariant: no two of the nodes share a label.

use super::index::{Index, hash_of};
use super::node::Node;

/// The label of each node, in their order: its host, or its full name where another node has the same host.
///
/// The nodes must differ in their names, as those of a `NodeSet` do.
pub fn labels(nodes: &[Node]) -> Vec<Box<str>> {
    // Where two nodes have the same host, one at least is more than that host, since their names differ. Each of those hosts, and whether it
    // is shared.
    let (mut hosts, mut index): (Vec<(&str, bool)>, _) = (Vec::new(), Index::default());
    let find = |hosts: &[(&str, bool)], index: &Index, host: &str| {
        index.get(hash_of(host), host, |at| hosts[at].0)
    };
    for node in nodes.iter().filter(|node| !node.is_plain()) {
        match find(&hosts, &index, node.host()) {
            Some(at) => hosts[at].1 = true,
            None => {
                index.insert(hash_of(node.host()), hosts.len());
                hosts.push((node.host(), false));
            }
        }
    }
    for node in nodes.iter().filter(|node| node.is_plain()) {
        if let Some(at) = find(&hosts, &index, node.host()) {
            hosts[at].1 = true;
        }
    }
    // A full name differs from every host but its own: it has an '@', a bracket or a single ':', and no host has.
    let is_shared = |host: &str| find(&hosts, &index, host).is_some_and(|at| hosts[at].1);
    let label = |node: &Node| match node.is_plain() || is_shared(node.host()) {
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
