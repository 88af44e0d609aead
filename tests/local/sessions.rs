//! What a command starts does not get away by making process groups of its own: timeout(1) does so, and every shell with job control. Only
//! setsid(1) lets a process go, which is how a daemon is started on purpose.

use crate::kit::{
    CONT, HUP, Held, INT, KILL, QUIT, Stray, TERM, TSTP, USR1, count, exec, group, nap, session,
    wait_idle, wait_stopped,
};
use crate::support::{
    self, Running, behind, children, kill, process, run, running, scratch, start, wait_until,
};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// SIGPIPE, by which clsh ends whose reader left.
const PIPE: i32 = 13;

/// Commands that stay whatever is stopped meanwhile (`wait` does not, under job control), and of which a `sleep` of `nap` seconds is in a group that is not its node's.
fn regrouped(nap: &str) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    vec![
        words(&["sh", "-c", &format!("timeout 1001 sleep {nap}; exit 3")]),
        words(&[
            "bash",
            "-c",
            &format!("set -m; sleep {nap} & while :; do sleep 0.1; done"),
        ]),
        words(&[
            "bash",
            "-c",
            &format!("set -m; sleep {nap} & sleep {nap} & exec sleep {nap}"),
        ]),
        // Orphaned, under a name that no parser of /proc likes.
        words(&[
            "perl",
            "-e",
            &format!(
                r#"fork and sleep 1000; setpgrp; fork and exit; $0 = ") Z 1 (x"; exec "sleep", "{nap}""#
            ),
        ]),
    ]
}

fn call(nodes: &str, flags: &[&str], words: &[String]) -> Command {
    let mut call = exec(nodes, flags.iter().copied());
    call.args(words);
    call
}

/// Starts a call, and waits until its sleeps sleep.
fn start_napping(command: &mut Command, nap: &str, nodes: usize) -> Running {
    let running = start(command);
    wait_until("all sleep", || {
        let sleeps = support::running(&["sleep", nap]);
        let regrouped = sleeps.iter().filter(|sleep| {
            // Between fork and exec it is not in its place yet.
            session(sleep.pid).is_some_and(|session| Some(session) != group_of(sleep.pid))
        });
        regrouped.count() >= nodes
    });
    running
}

fn group_of(pid: i32) -> Option<i32> {
    process(pid).map(|_| group(pid))
}

fn assert_gone(nap: &str, what: &str) {
    let sleeps = running(&["sleep", nap]);
    assert!(sleeps.is_empty(), "after {what}: {sleeps:?}");
}

#[test]
fn no_process_group_outlives_a_run_that_is_ended_by_a_signal() {
    for signal in [INT, TERM, HUP, QUIT] {
        let nap = nap();
        let _stray = Stray::new(&["sleep", &nap]);
        for words in regrouped(&nap) {
            let mut call = call("n[1-3]", &["--kill-after", "600"], &words);
            let running = start_napping(&mut call, &nap, 3);
            running.signal(signal);
            assert_eq!(running.finish().code(), 128 + signal, "{words:?}");
            assert_gone(&nap, &format!("signal {signal}: {words:?}"));
        }
    }
}

#[test]
fn nor_one_that_runs_into_its_time_limit() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    for words in regrouped(&nap) {
        let done = run(&mut call("n[1-3]", &["-u", "0.5"], &words));
        assert_eq!(done.code(), 124, "{words:?}: {}", done.err());
        assert_gone(&nap, &format!("{words:?}"));
    }
}

#[test]
fn nor_one_whose_reader_leaves() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let script = format!("timeout 1001 sleep {nap} & while :; do echo up; sleep 0.05; done");
    let mut call = exec("n[1-2]", ["sh", "-c", &script]);
    let mut held = Held::start(call.stdout(Stdio::piped()));
    wait_until("both sleep", || count(&["sleep", &nap]) == 2);
    drop(held.0.stdout.take());
    assert_eq!(held.wait(), 128 + PIPE);
    assert_gone(&nap, "the reader");
}

#[test]
fn what_ignores_sigterm_in_a_group_of_its_own_is_killed() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let script = format!("trap '' TERM; set -m; sleep {nap} & sleep {nap} & wait");
    for (flags, second) in [
        (["--kill-after", "0.3"], None),
        (["--kill-after", "600"], Some(TERM)),
    ] {
        let mut call = exec("n[1-2]", flags);
        let running = start_napping(call.args(["bash", "-c", &script]), &nap, 4);
        running.signal(TERM);
        if let Some(second) = second {
            wait_idle(running.pid());
            running.signal(second);
        }
        assert_eq!(running.finish().code(), 128 + TERM);
        assert_gone(&nap, &format!("{flags:?}"));
    }
}

#[test]
fn groups_that_are_made_while_the_end_comes_are_ended_too() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    // Each of them in a group of its own, as fast as a shell can, for a while.
    let script = format!(
        "set -m; trap '' TERM; for k in $(seq 300); do sleep {nap} & done 2>/dev/null; wait"
    );
    let running = start(exec("n[1-2]", ["--kill-after", "600", "bash", "-c"]).arg(&script));
    wait_until("some sleep", || count(&["sleep", &nap]) > 10);
    running.signal(QUIT);
    assert_eq!(running.finish().code(), 128 + QUIT);
    assert_gone(&nap, "SIGQUIT");
}

#[test]
fn what_left_the_session_on_purpose_stays() {
    let (daemon, nap) = (nap(), nap());
    let stray = Stray::new(&["sleep", &daemon]);
    let script = format!("setsid sleep {daemon} >/dev/null 2>&1 & sleep {nap}");
    for signal in [TERM, QUIT] {
        let running = start(exec("n1", ["sh", "-c", &script]).stdin(Stdio::null()));
        wait_until("both", || {
            stray.count() == 1 && count(&["sleep", &nap]) == 1
        });
        wait_until("its own session", || {
            let daemon = support::running(&["sleep", &daemon]);
            daemon
                .iter()
                .all(|daemon| session(daemon.pid) == Some(daemon.pid))
        });
        running.signal(signal);
        assert_eq!(running.finish().code(), 128 + signal);
        assert_eq!((stray.count(), count(&["sleep", &nap])), (1, 0));
        for process in support::running(&["sleep", &daemon]) {
            kill(process.pid, KILL);
        }
        wait_until("cleared", || stray.count() == 0);
    }
}

#[test]
fn a_node_that_ends_leaves_the_others_of_the_same_kind_alone() {
    let (short, long) = (nap(), nap());
    let _stray = Stray::new(&["sleep", &long]);
    let script = format!("set -m; [ %n = 0 ] && {{ sleep {short} & wait; }}; sleep {long} & wait");
    let running = start_napping(
        exec("n[1-3]", ["-u", "600", "bash", "-c"]).arg(&script),
        &long,
        2,
    );
    wait_until("the other", || count(&["sleep", &short]) == 1);
    for sleep in support::running(&["sleep", &short]) {
        kill(sleep.pid, KILL);
    }
    wait_until("three", || count(&["sleep", &long]) == 3);
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert_gone(&long, "SIGTERM");
}

#[test]
fn children_have_no_terminal_and_a_session_each() {
    let script = "[ -t 0 ] || [ -t 1 ] && exit 3; (: </dev/tty) 2>/dev/null && exit 4; exit 0";
    let running = start(&mut exec(
        "n[1-2]",
        ["sh", "-c", "echo up; exec sleep 1000.77"],
    ));
    wait_until("both up", || running.stdout.text().lines().count() == 2);
    for node in children(running.pid()) {
        assert_eq!(session(node.pid), Some(node.pid));
    }
    running.signal(TERM);
    running.finish();
    assert_eq!(run(&mut exec("n1", ["sh", "-c", script])).code(), 0);
}

#[test]
fn a_stop_reaches_every_group_and_so_does_going_on() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    for words in regrouped(&nap) {
        let mut call = call("n[1-2]", &[], &words);
        let running = start_napping(call.process_group(0), &nap, 2);
        let sleeps = support::running(&["sleep", &nap]);
        running.signal(TSTP);
        wait_stopped(running.pid());
        for sleep in &sleeps {
            wait_stopped(sleep.pid);
        }
        running.signal(CONT);
        for sleep in &sleeps {
            let goes_on = || process(sleep.pid).is_some_and(|sleep| sleep.state != 'T');
            wait_until(&format!("{words:?} goes on"), goes_on);
        }
        running.signal(TERM);
        assert_eq!(running.finish().code(), 128 + TERM);
        assert_gone(&nap, &format!("{words:?}"));
    }
}

#[test]
fn where_nobody_could_continue_it_clsh_is_not_stopped() {
    let directory = scratch();
    let script = "echo up; while [ ! -e go ]; do sleep 0.05; done; echo went";
    // The leader of a session has no shell beside it: as behind `ssh -t` or `docker exec -it`.
    let call = exec("n[1-2]", ["sh", "-c", script]);
    let mut call = behind(&["setsid"], &call);
    let running = start(call.current_dir(directory.path()));
    wait_until("both up", || running.stdout.text().lines().count() == 2);
    for _ in 0..3 {
        running.signal(TSTP);
        // It has acted on that once it answers to this.
        let told = running.stderr.text().lines().count();
        running.signal(USR1);
        wait_until("a status line", || {
            running.stderr.text().lines().count() > told
        });
    }
    std::fs::write(directory.path().join("go"), "").expect("write");
    let done = running.finish();
    assert_eq!(done.code(), 0, "{}", done.err());
    assert_eq!(done.out().matches(": went\n").count(), 2);
}
