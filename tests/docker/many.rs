//! As many nodes as wanted, by `--scale`.

use crate::cluster::{Cluster, cluster};
use crate::support::{run, wait_until};
use std::collections::HashSet;

/// `up -d --scale node=COUNT`, and waits until that is what /cluster/nodes says.
fn scale(cluster: &Cluster, count: usize) {
    let words = ["up", "-d", "--no-recreate", "--scale"];
    let scale = format!("node={count}");
    let done = run(&mut cluster.compose(words.into_iter().chain([&*scale])));
    assert_eq!(done.code(), 0, "{}", done.err());
    wait_until("all nodes in the list", || {
        let listed = cluster.in_main("cat /cluster/nodes").out();
        listed.lines().count() == 4 + count
    });
}

#[test]
fn more_nodes_are_listed_and_reached_and_leave_the_list() {
    let Some(cluster) = cluster() else { return };
    scale(&cluster, 3);
    let done = cluster.in_main("clsh --hostfile /cluster/nodes hostname");
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let lines = done.sorted();
    assert_eq!(lines.len(), 7, "{lines:?}");
    let own: HashSet<_> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let names: HashSet<_> = own.iter().map(|&(_, name)| name).collect();
    assert_eq!(names.len(), 7, "{lines:?}");
    scale(&cluster, 0);
}
