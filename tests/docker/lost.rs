//! A node that goes in the middle of a command.

use crate::cluster::{Broken, Cluster};
use crate::cluster::{NODES, cluster, docker, nap, wait_for_all};
use crate::support::start;

/// Keep-alive that does not let a test wait.
const QUICK: [&str; 4] = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];

/// Runs a sleep on all nodes, breaks node2, and looks at what clsh says and what is left on the nodes once that is mended.
fn run_ends_when<'a>(
    cluster: &'a Cluster,
    number: u32,
    options: &[&str],
    breaks: impl FnOnce() -> Broken<'a>,
) {
    let nap = nap(number);
    let command = format!("echo ready; exec {nap}");
    let clsh = start(cluster.main(["clsh"]).args(options).arg(command));
    wait_for_all(&clsh, "ready");
    let broken = breaks();
    let done = clsh.finish();
    let err = done.err();
    assert_eq!(done.code(), 255, "{err}");
    assert_eq!(err.matches("ERROR:").count(), 1, "{err}");
    assert!(err.contains("ERROR: node2 connection lost\n"), "{err}");
    assert!(err.contains("\nclsh: node2: connection lost\n"), "{err}");
    let others = "\nclsh: node[1,3-4] (3): terminated, because node2 was lost\n";
    assert!(err.contains(others), "{err}");
    cluster.wait_gone(&["node1", "node3", "node4"], &nap);
    let left = cluster.in_main("pgrep -x 'clsh|ssh'");
    assert_eq!(left.out(), "", "left in main");
    drop(broken);
    cluster.wait_gone(&NODES, &nap);
}

#[test]
fn a_killed_container_is_a_lost_connection_and_ends_the_run() {
    let Some(cluster) = cluster() else { return };
    let node = cluster.container("node2");
    run_ends_when(&cluster, 701, &[], || {
        cluster.broken(&["kill", &node], &["start", &node])
    });
}

#[test]
fn a_paused_container_is_noticed_by_keep_alive() {
    let Some(cluster) = cluster() else { return };
    let node = cluster.container("node2");
    run_ends_when(&cluster, 702, &QUICK, || {
        cluster.broken(&["pause", &node], &["unpause", &node])
    });
}

#[test]
fn a_cut_network_is_noticed_by_keep_alive() {
    let Some(cluster) = cluster() else { return };
    let [down, up] = ["down", "up"].map(|state| cluster.link(state));
    let [down, up] = [&down, &up].map(|words| words.iter().map(|word| &**word).collect::<Vec<_>>());
    run_ends_when(&cluster, 703, &QUICK, || cluster.broken(&down, &up));
}

#[test]
fn a_container_that_is_gone_before_is_named_and_the_others_go_on() {
    let Some(cluster) = cluster() else { return };
    let node = cluster.container("node2");
    let broken = cluster.broken(&["stop", "-t", "10", &node], &["start", &node]);
    let done = cluster.in_main("clsh hostname");
    let expected = ["node1", "node3", "node4"].map(|node| format!("{node}: {node}"));
    assert_eq!((done.code(), done.sorted()), (255, expected.into()));
    let error = "ERROR: node2 connection failed\n";
    assert!(done.err().contains(error), "{}", done.err());
    drop(broken);
    let status = docker(&["inspect", "-f", "{{.State.Status}}", &node]);
    assert_eq!(status, "running");
}
