//! A connection that goes in the middle of a command.

use crate::nodes::{Sleep, below, nodes, session_above, ssh_of, wait_all_gone};
use crate::support::{self, Running};

const LOST: &str = "ERROR: node2 connection lost\n";

/// Runs a sleep on four nodes, breaks the way to node2 with `cut`, and looks at what is left.
fn run_ends_when(number: u32, cut: impl FnOnce(&Running, &Sleep)) {
    let sleep = Sleep::new(number);
    let clsh = support::start(&mut nodes().clsh(["-h", "node[1-4]", &sleep.command()]));
    sleep.wait_for(4);
    let started = below(clsh.pid());
    cut(&clsh, &sleep);
    let done = clsh.finish();
    assert_eq!(
        (done.code(), done.out()),
        (255, String::new()),
        "{}",
        done.err()
    );
    let err = done.err();
    assert_eq!(
        err.matches("ERROR:").count(),
        1,
        "only one node was lost: {err}"
    );
    assert_eq!(err.matches(LOST).count(), 1, "{err}");
    assert!(err.contains("\nclsh: node2: connection lost\n"), "{err}");
    assert!(
        err.contains("\nclsh: node[1,3-4] (3): terminated, because node2 was lost\n"),
        "{err}"
    );
    wait_all_gone(&started);
    sleep.wait_gone();
}

#[test]
fn a_killed_ssh_is_a_lost_connection_and_ends_the_run() {
    run_ends_when(401, |clsh, _| support::kill(ssh_of(clsh, "node2").pid, 9));
}

#[test]
fn an_ssh_that_was_told_to_end_is_a_lost_connection_as_well() {
    run_ends_when(402, |clsh, _| support::kill(ssh_of(clsh, "node2").pid, 15));
}

#[test]
fn a_killed_sshd_session_is_a_lost_connection_and_ends_the_run() {
    run_ends_when(403, |_, sleep| {
        support::kill(session_above(sleep.on("node2").pid).pid, 9);
    });
}

/// The same with --keep-going: the others go on and are complete.
fn others_finish_when(number: u32, cut: impl FnOnce(&Running, &Sleep)) {
    let sleep = Sleep::new(number);
    let directory = support::scratch();
    let go = directory.path().join("go");
    let command = format!(
        "echo begin; if [ $CLSH_RANK = 1 ]; then {}; fi; while [ ! -e {} ]; do sleep 0.05; done; echo end; exit 3",
        sleep.command(),
        go.display()
    );
    let clsh = support::start(&mut nodes().clsh(["--keep-going", "-h", "node[1-4]", &command]));
    sleep.wait_for(1);
    for k in 1..=4 {
        clsh.stdout.wait_for(&format!("node{k}: begin\n"));
    }
    cut(&clsh, &sleep);
    clsh.stderr.wait_for(LOST);
    std::fs::write(&go, "").expect("write");
    let done = clsh.finish();
    let mut expected = vec!["node2: begin".to_owned()];
    for k in [1, 3, 4] {
        expected.extend(["begin", "end"].map(|word| format!("node{k}: {word}")));
    }
    expected.sort();
    assert_eq!((done.code(), done.sorted()), (255, expected));
    let end = "clsh: node[1,3-4] (3): exited with exit code 3\nclsh: node2: connection lost\n";
    assert!(done.err().ends_with(end), "{}", done.err());
    assert_eq!(done.err().matches("ERROR:").count(), 1, "{}", done.err());
    sleep.wait_gone();
}

#[test]
fn with_keep_going_a_killed_ssh_leaves_the_others_alone() {
    others_finish_when(404, |clsh, _| support::kill(ssh_of(clsh, "node2").pid, 9));
}

#[test]
fn with_keep_going_a_killed_sshd_session_leaves_the_others_alone() {
    others_finish_when(405, |_, sleep| {
        support::kill(session_above(sleep.on("node2").pid).pid, 9);
    });
}

#[test]
fn what_a_lost_node_wrote_before_is_printed() {
    let sleep = Sleep::new(406);
    let command = format!(
        "echo whole; echo words >&2; printf part; {}",
        sleep.command()
    );
    let clsh = support::start(&mut nodes().clsh(["-h", "node1", &command]));
    sleep.wait_for(1);
    clsh.stdout.wait_for("node1: whole\n");
    clsh.stderr.wait_for("node1: words\n");
    support::kill(session_above(sleep.on("node1").pid).pid, 9);
    let done = clsh.finish();
    assert_eq!(
        (done.code(), done.out()),
        (255, "node1: whole\nnode1: part\n".to_owned())
    );
    assert!(
        done.err().contains("ERROR: node1 connection lost\n"),
        "{}",
        done.err()
    );
    sleep.wait_gone();
}

#[test]
fn a_node_that_is_done_is_never_lost() {
    let sleep = Sleep::new(407);
    let directory = support::scratch();
    let go = directory.path().join("go");
    let command = format!(
        "echo done; [ $CLSH_RANK = 0 ] || while [ ! -e {} ]; do sleep 0.05; done",
        go.display()
    );
    let clsh = support::start(&mut nodes().clsh(["-h", "node[1-2]", &command]));
    clsh.stdout.wait_for("node2: done\n");
    // node1 is done; its ssh is gone, or about to go.
    support::wait_until("one node left", || support::children(clsh.pid()).len() == 1);
    std::fs::write(&go, "").expect("write");
    let done = clsh.finish();
    assert_eq!((done.code(), done.err()), (0, String::new()));
    drop(sleep);
}
