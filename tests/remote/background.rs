//! Processes that a command leaves behind.

use crate::nodes::{Sleep, group, nodes, quoted};
use crate::support;

#[test]
fn a_background_child_that_keeps_the_output_open_does_not_hold_the_run() {
    let sleep = Sleep::new(501);
    let command = format!("{} & echo done; exit 7", sleep.command());
    let done = nodes().run(["-h", "node[1-2]", &command]);
    assert_eq!(done.sorted(), ["node1: done", "node2: done"]);
    assert_eq!(done.code(), 7);
    assert_eq!(done.err(), "clsh: node[1-2] (2): exited with exit code 7\n");
}

#[test]
fn what_a_background_child_wrote_in_time_is_printed() {
    let sleep = Sleep::new(502);
    let directory = support::scratch();
    let file = directory.path().join("written");
    let command = format!(
        "(echo early; echo words >&2; : >{0}; exec {1}) & while [ ! -e {0} ]; do sleep 0.01; done; echo done",
        quoted(&file),
        sleep.command()
    );
    let done = nodes().run(["-h", "node1", &command]);
    assert_eq!(done.out(), "node1: early\nnode1: done\n");
    assert_eq!((done.code(), done.err()), (0, "node1: words\n".to_owned()));
}

#[test]
fn a_background_child_of_a_bare_command_does_not_hold_the_run_after_its_ssh() {
    // Without the wrapper nothing tells that the command is done but the end of ssh, which waits for the output itself: so the child
    // lets go of it.
    let sleep = Sleep::new(503);
    let command = format!("{} >/dev/null 2>&1 & echo done", sleep.command());
    let done = nodes().run(["--bare", "-h", "node1", &command]);
    assert_eq!((done.code(), done.out()), (0, "node1: done\n".to_owned()));
}

/// Starts a daemon by this command, and sees that it is there when all else of the session is gone.
fn survives(number: u32, daemon: impl FnOnce(&str) -> String) {
    let sleep = Sleep::new(number);
    let command = format!("{} & echo started", daemon(&sleep.command()));
    let done = nodes().run(["-h", "node1", &command]);
    assert_eq!(
        (done.code(), done.out(), done.err()),
        (0, "node1: started\n".into(), String::new())
    );
    sleep.wait_for(1);
    let daemon = sleep.running().remove(0);
    let session = group(daemon.pid).expect("alive");
    // The wrapper and its watcher are of the same group; once they are gone, nobody is left to end the daemon.
    support::wait_until("the end of the wrapper", || {
        let mut others = support::processes().into_iter();
        !others.any(|other| other.pid != daemon.pid && group(other.pid) == Some(session))
    });
    assert_eq!(
        sleep.running().len(),
        1,
        "the daemon was started on purpose"
    );
}

#[test]
fn a_daemon_started_with_nohup_survives_the_end_of_the_command() {
    survives(504, |sleep| format!("nohup {sleep} >/dev/null 2>&1"));
}

#[test]
fn a_daemon_started_with_setsid_survives_the_end_of_the_command() {
    survives(505, |sleep| {
        format!("setsid {sleep} >/dev/null 2>&1 </dev/null")
    });
}

#[test]
fn a_background_child_of_a_running_command_is_ended_with_it() {
    let sleep = Sleep::new(506);
    let command = format!("{0} & {0} & wait", sleep.command());
    let clsh = support::start(&mut nodes().clsh(["-h", "node[1-2]", &command]));
    sleep.wait_for(4);
    clsh.signal(15);
    assert_eq!(clsh.finish().code(), 143);
    sleep.wait_gone();
}
