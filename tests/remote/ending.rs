//! However clsh is ended, nothing of it stays on either side.

use crate::nodes::{Sleep, below, nodes, wait_all_gone};
use crate::support;

/// Ends clsh by `signal` in the middle of a command on four nodes.
fn ended_by(signal: i32, number: u32) -> support::Finished {
    let sleep = Sleep::new(number);
    let command = format!("echo begun; {}; echo not reached", sleep.command());
    let clsh = support::start(&mut nodes().clsh(["-h", "node[1-4]", &command]));
    sleep.wait_for(4);
    for k in 1..=4 {
        clsh.stdout.wait_for(&format!("node{k}: begun\n"));
    }
    let started = below(clsh.pid());
    assert!(started.len() >= 4, "{started:?}");
    clsh.signal(signal);
    let done = clsh.finish();
    // clsh waits for its children, so none may be seen after its end; only SIGKILL leaves that to the kernel.
    if signal != 9 {
        let left = |old: &&support::Process| {
            support::process(old.pid).is_some_and(|now| now.words == old.words)
        };
        assert_eq!(
            started.iter().filter(left).count(),
            0,
            "children outlive clsh"
        );
    }
    wait_all_gone(&started);
    sleep.wait_gone();
    assert_eq!(done.code(), 128 + signal, "{}", done.err());
    assert!(done.status.code().is_none(), "ended by the signal itself");
    let expected = [1, 2, 3, 4].map(|k| format!("node{k}: begun"));
    assert_eq!(done.sorted(), expected);
    done
}

#[test]
fn after_sigterm_nothing_runs_here_or_there() {
    let done = ended_by(15, 301);
    assert_eq!(done.err(), "clsh: node[1-4] (4): terminated\n");
}

#[test]
fn after_sigint_nothing_runs_here_or_there() {
    let done = ended_by(2, 302);
    assert_eq!(done.err(), "clsh: node[1-4] (4): terminated\n");
}

#[test]
fn after_sighup_nothing_runs_here_or_there() {
    ended_by(1, 303);
}

#[test]
fn after_sigquit_nothing_runs_here_or_there() {
    ended_by(3, 304);
}

#[test]
fn after_sigkill_nothing_runs_here_or_there() {
    let done = ended_by(9, 305);
    assert_eq!(done.err(), "");
}

#[test]
fn after_sigkill_no_ssh_stays_that_nothing_but_clsh_would_end() {
    // A bare command has no lifeline whose end its ssh would see.
    let sleep = Sleep::new(310);
    let words = ["--bare", "-h", "node[1-2]", &sleep.command()];
    let clsh = support::start(&mut nodes().clsh(words));
    sleep.wait_for(2);
    let started = below(clsh.pid());
    assert_eq!(started.len(), 2, "{started:?}");
    clsh.signal(9);
    assert_eq!(clsh.finish().code(), 137);
    wait_all_gone(&started);
}

#[test]
fn nodes_that_had_not_their_turn_are_never_started() {
    let sleep = Sleep::new(306);
    let clsh = support::start(&mut nodes().clsh(["-f", "2", "-h", "node[1-4]", &sleep.command()]));
    sleep.wait_for(2);
    clsh.signal(15);
    let done = clsh.finish();
    assert_eq!(done.code(), 143);
    assert_eq!(
        done.err(),
        "clsh: node[1-2] (2): terminated\nclsh: node[3-4] (2): not started\n"
    );
    sleep.wait_gone();
}

#[test]
fn a_command_that_ignores_every_polite_signal_is_killed_there() {
    let sleep = Sleep::new(307);
    let command = format!(
        "trap '' TERM HUP INT; while :; do {}; done",
        sleep.command()
    );
    let clsh = support::start(&mut nodes().clsh(["-h", "node[1-2]", &command]));
    sleep.wait_for(2);
    let shells = ["node1", "node2"].map(|host| {
        let parent = sleep.on(host).parent;
        support::process(parent).expect("the shell of the loop")
    });
    let started = below(clsh.pid());
    clsh.signal(15);
    assert_eq!(clsh.finish().code(), 143);
    wait_all_gone(&started);
    // With its shell alive, the loop would start the next sleep.
    wait_all_gone(&shells);
    sleep.wait_gone();
}

#[test]
fn a_node_over_its_time_is_ended_here_and_there_and_the_others_complete() {
    let sleep = Sleep::new(308);
    let command = format!(
        "trap '' TERM; if [ $CLSH_RANK = 1 ]; then {}; {0}; else echo complete; fi",
        sleep.command()
    );
    let clsh = support::start(&mut nodes().clsh(["-u", "3", "-h", "node[1-4]", &command]));
    sleep.wait_for(1);
    let shell = support::process(sleep.on("node2").parent).expect("its shell");
    let done = clsh.finish();
    assert_eq!(
        done.sorted(),
        ["node1: complete", "node3: complete", "node4: complete"]
    );
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: node2: timed out\n".to_owned())
    );
    wait_all_gone(&[shell]);
    sleep.wait_gone();
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_here_and_there() {
    use std::io::Read;
    let sleep = Sleep::new(309);
    let command = format!(
        "echo line; {} & while echo more; do sleep 0.1; done",
        sleep.command()
    );
    let mut call = nodes().clsh(["-h", "node[1-4]", &command]);
    let mut clsh = call
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("clsh");
    let mut byte = [0];
    clsh.stdout
        .take()
        .expect("piped")
        .read_exact(&mut byte)
        .expect("a byte");
    // The pipe is closed by now.
    let mut status = None;
    support::wait_until("the end of clsh", || {
        status = clsh.try_wait().expect("wait");
        status.is_some()
    });
    assert_eq!(support::shell_code(status.expect("ended")), 141);
    let mut said = String::new();
    clsh.stderr
        .take()
        .expect("piped")
        .read_to_string(&mut said)
        .expect("read");
    assert_eq!(said, "", "quietly");
    sleep.wait_gone();
}
