//! The interactive session in main, on a terminal.

use crate::cluster::{Cluster, cluster, from_all};
use crate::support::wait_until;
use crate::terminal::{Sitting, Terminal};
use std::process::Command;

/// `docker exec -it main clsh -i` at its first prompt.
fn sit(cluster: &Cluster) -> Terminal {
    let mut call = Command::new("docker");
    call.args(["exec", "-it", &cluster.container("main"), "clsh", "-i"]);
    // Where docker finds its settings.
    if let Some(home) = std::env::var_os("HOME") {
        call.env("HOME", home);
    }
    Sitting::new(call).at_prompt()
}

/// Nothing of a session is left in main or on the nodes.
fn wait_over(cluster: &Cluster) {
    wait_until("nothing left in main", || {
        cluster.in_main("pgrep -x 'clsh|ssh'").out().is_empty()
    });
}

#[test]
fn a_session_keeps_directory_and_variables_and_ends_by_quit() {
    let Some(cluster) = cluster() else { return };
    let mut terminal = sit(&cluster);
    terminal.wait_for("Working with nodes: node1, node2, node3, node4");
    assert_eq!(terminal.run("cd /etc; X=$(hostname)"), [""; 0]);
    assert_eq!(terminal.run("pwd"), from_all("/etc"));
    let own = ["node1", "node2", "node3", "node4"].map(|node| format!("{node}: {node}"));
    assert_eq!(terminal.run("echo $X"), own);
    terminal.quit(0);
    wait_over(&cluster);
}

#[test]
fn a_killed_container_ends_a_session_at_its_prompt() {
    let Some(cluster) = cluster() else { return };
    let mut terminal = sit(&cluster);
    assert_eq!(terminal.run("echo $CLSH_COUNT"), from_all("4"));
    let node = cluster.container("node2");
    let broken = cluster.broken(&["kill", &node], &["start", &node]);
    assert_eq!(terminal.finish(), 255, "{}", terminal.text());
    terminal.wait_for("ERROR: node2 connection lost");
    wait_over(&cluster);
    drop(broken);
}
