//! Containers reached without ssh, from the machine the engine runs on: `-R 'docker exec -i %h sh -c'`.

use crate::cluster::{Cluster, NODES, cluster, nap};
use crate::kit::{KILL, TERM};
use crate::support::{clsh_with, run, start};
use std::process::Command;

/// The transport as it is typed.
const DOCKER: [&str; 2] = ["-R", "docker exec -i %h sh -c"];

fn clsh(cluster: &Cluster, words: &[&str]) -> Command {
    let nodes = cluster.container("node[1-4]");
    let mut command = clsh_with(["-h", &nodes]);
    command.args(DOCKER).args(words);
    command
}

#[test]
fn docker_exec_carries_lines_and_the_true_status() {
    let Some(cluster) = cluster() else { return };
    let words = ["hostname; test $CLSH_RANK -lt 2 || exit 7"];
    let done = run(&mut clsh(&cluster, &words));
    let expected = NODES.map(|node| format!("{}: {node}", cluster.container(node)));
    assert_eq!((done.code(), done.sorted()), (7, expected.into()));
    let nodes = cluster.container("node[3-4]");
    let summary = format!("clsh: {nodes} (2): exited with exit code 7\n");
    assert_eq!(done.err(), summary);
}

fn nothing_is_left_after(number: u32, signal: i32, code: i32, options: &[&str]) {
    let Some(cluster) = cluster() else { return };
    let nap = nap(number);
    let command = format!("echo ready; exec {nap}");
    let mut words = options.to_vec();
    words.push(&command);
    let clsh = start(&mut clsh(&cluster, &words));
    for node in NODES {
        let line = format!("{}: ready\n", cluster.container(node));
        clsh.stdout.wait_for(&line);
    }
    clsh.signal(signal);
    let done = clsh.finish();
    assert_eq!(done.code(), code, "{}", done.err());
    cluster.wait_gone(&NODES, &nap);
}

#[test]
fn an_ended_clsh_leaves_nothing_in_the_containers() {
    nothing_is_left_after(711, TERM, 143, &[]);
}

#[test]
fn a_killed_clsh_leaves_nothing_in_the_containers() {
    nothing_is_left_after(712, KILL, 137, &["-n"]);
}
