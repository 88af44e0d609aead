//! The status that comes back, and the lines that sum it up.

use crate::nodes::nodes;

#[test]
fn four_nodes_answer() {
    let done = nodes().run(["-h", "node[1-4]", "echo", "hello"]);
    let expected = [1, 2, 3, 4].map(|k| format!("node{k}: hello"));
    assert_eq!(done.sorted(), expected);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn every_status_of_the_command_is_the_status_of_the_run() {
    for (command, status) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let done = nodes().run(["-h", "node[1-2]", command]);
        let summary = match status {
            0 => String::new(),
            status => format!("clsh: node[1-2] (2): exited with exit code {status}\n"),
        };
        assert_eq!((done.code(), done.out()), (status, String::new()));
        assert_eq!(done.err(), summary, "{command}");
    }
}

#[test]
fn the_largest_status_wins_and_the_summary_folds_the_nodes_of_each() {
    let command = "echo $CLSH_HOST; case $CLSH_RANK in 0|1) exit 7;; 2) exit 3;; esac";
    let done = nodes().run(["-h", "node[1-4]", command]);
    let expected = [1, 2, 3, 4].map(|k| format!("node{k}: node{k}"));
    assert_eq!((done.code(), done.sorted()), (7, expected.to_vec()));
    assert_eq!(
        done.err(),
        "clsh: node3: exited with exit code 3\nclsh: node[1-2] (2): exited with exit code 7\n"
    );
}

#[test]
fn quiet_says_nothing_and_keeps_the_status() {
    let done = nodes().run(["-q", "-h", "node[1-2]", "exit 7"]);
    assert_eq!(
        (done.code(), done.out(), done.err()),
        (7, String::new(), String::new())
    );
}

#[test]
fn a_bare_command_gives_its_status() {
    let done = nodes().run(["--bare", "-h", "node[1-2]", "echo $0; exit 7"]);
    assert_eq!(
        done.sorted(),
        ["node1: bash", "node2: bash"],
        "no wrapper around it"
    );
    assert_eq!(done.code(), 7);
    assert_eq!(done.err(), "clsh: node[1-2] (2): exited with exit code 7\n");
}

#[test]
fn the_status_255_of_a_bare_command_is_read_as_a_lost_connection() {
    let done = nodes().run(["--bare", "-h", "node1", "echo last words; exit 255"]);
    assert_eq!(
        (done.code(), done.out()),
        (255, "node1: last words\n".to_owned())
    );
    assert_eq!(
        done.err(),
        "ERROR: node1 connection lost\nclsh: node1: connection lost\n"
    );
}
