//! However a run is ended, its children are ended and reaped before clsh is gone, and clsh ends by the signal it got.

use crate::kit::{
    CONT, HUP, INT, KILL, QUIT, STOP, Stray, TERM, USR1, count, exec, field, group, labelled, nap,
    through, wait_idle, wait_stopped,
};
use crate::support::{Running, children, is_alive, kill, process, start, wait_until};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Starts a call whose nodes each print `up`, and waits until so many have.
fn start_up(command: &mut Command, nodes: usize) -> Running {
    let running = start(command);
    wait_until("all up", || {
        let text = running.stdout.text();
        text.lines().filter(|line| line.ends_with(": up")).count() == nodes
    });
    running
}

#[test]
fn every_ending_signal_ends_and_reaps_all_children_and_shows_in_the_status() {
    for signal in [INT, TERM, HUP, QUIT] {
        let nap = nap();
        let script = format!("echo up; exec sleep {nap}");
        let running = start_up(&mut exec("n[1-4]", ["sh", "-c", &script]), 4);
        let nodes = children(running.pid());
        assert_eq!(nodes.len(), 4);
        running.signal(signal);
        let done = running.finish();
        assert_eq!(done.code(), 128 + signal);
        for node in nodes {
            // Not even a zombie: clsh itself has waited for it.
            assert!(process(node.pid).is_none(), "after signal {signal}");
        }
        assert_eq!(done.err(), "clsh: n[1-4] (4): terminated\n");
    }
}

#[test]
fn a_calling_shell_sees_by_which_signal_clsh_ended() {
    use std::os::unix::process::ExitStatusExt;
    for signal in [INT, TERM, HUP, QUIT] {
        let script = format!("echo up; exec sleep {}", nap());
        let running = start_up(&mut exec("n1", ["sh", "-c", &script]), 1);
        running.signal(signal);
        assert_eq!(running.finish().status.signal(), Some(signal));
    }
}

/// A command that ignores SIGTERM.
fn stubborn(nap: &str) -> String {
    format!("trap '' TERM; echo up; exec sleep {nap}")
}

#[test]
fn a_child_that_ignores_sigterm_is_killed_after_kill_after() {
    for after in ["0", "0.3", "2"] {
        let nap = nap();
        let call = ["--kill-after", after, "sh", "-c", &stubborn(&nap)];
        let running = start_up(&mut exec("n[1-3]", call), 3);
        running.signal(TERM);
        assert_eq!(running.finish().code(), 128 + TERM);
        assert_eq!(count(&["sleep", &nap]), 0);
    }
}

#[test]
fn a_child_gets_its_time_between_sigterm_and_sigkill() {
    // It ends by itself on SIGTERM, but not at once, and says so.
    let script = "trap 'sleep 0.3; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    let call = ["--kill-after", "600", "sh", "-c", script];
    let running = start_up(&mut exec("n[1-2]", call), 2);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!(done.code(), 128 + TERM);
    let bye = done
        .out()
        .lines()
        .filter(|line| line.ends_with(": bye"))
        .count();
    assert_eq!(bye, 2, "{}", done.out());
}

#[test]
fn a_second_signal_kills_at_once() {
    for second in [INT, TERM, QUIT] {
        let nap = nap();
        let call = ["--kill-after", "600", "sh", "-c", &stubborn(&nap)];
        let running = start_up(&mut exec("n[1-3]", call), 3);
        running.signal(TERM);
        // It has acted on the first once it sleeps again; a second one that comes in the same turn may count as one.
        wait_idle(running.pid());
        assert_eq!(count(&["sleep", &nap]), 3);
        running.signal(second);
        // The first signal is what it ends by.
        assert_eq!(running.finish().code(), 128 + TERM);
        assert_eq!(count(&["sleep", &nap]), 0);
    }
}

#[test]
fn sigquit_kills_children_that_ignore_sigterm_at_once() {
    let nap = nap();
    let call = ["--kill-after", "600", "sh", "-c", &stubborn(&nap)];
    let running = start_up(&mut exec("n[1-3]", call), 3);
    running.signal(QUIT);
    assert_eq!(running.finish().code(), 128 + QUIT);
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn no_direct_child_outlives_a_clsh_that_was_killed() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let running = start_up(&mut exec("n[1-8]", ["sh", "-c", &stubborn(&nap)]), 8);
    running.signal(KILL);
    assert_eq!(running.finish().code(), 128 + KILL);
    wait_until("no child", || count(&["sleep", &nap]) == 0);
}

#[test]
fn a_whole_process_group_is_ended_and_not_its_leader_alone() {
    let nap = nap();
    let script = format!("sleep {nap} & sleep {nap} & echo up; wait");
    let running = start_up(&mut exec("n[1-2]", ["sh", "-c", &script]), 2);
    wait_until("four sleeps", || count(&["sleep", &nap]) == 4);
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
    wait_until("no sleep", || count(&["sleep", &nap]) == 0);
}

#[test]
fn sighup_ignored_on_entry_stays_ignored_as_under_nohup() {
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let call = exec("n[1-2]", ["sh", "-c", &script]);
    let running = start_up(&mut through("sh", r#"trap '' HUP; exec "$@""#, &call), 2);
    running.signal(HUP);
    // A status line that was asked for afterwards shows that the signal is over and done with.
    running.signal(USR1);
    running
        .stderr
        .wait_for("clsh: 0 done, 2 running, 0 waiting");
    assert_eq!(count(&["sleep", &nap]), 2);
    // Children inherit it, as they do under nohup.
    let child = children(running.pid())[0].pid;
    assert_eq!(mask(child, "SigIgn:"), 1 << (HUP - 1));
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
}

#[test]
fn sigint_and_sigquit_ignored_on_entry_stay_ignored_and_sigterm_does_not() {
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let call = exec("n[1-2]", ["sh", "-c", &script]);
    // As for what a script starts with `&`.
    let trap = r#"trap '' INT QUIT TERM; setsid "$@" & wait"#;
    let running = start_up(&mut through("sh", trap, &call), 2);
    let clsh = children(running.pid())[0].pid;
    for signal in [INT, QUIT] {
        kill(clsh, signal);
    }
    kill(clsh, USR1);
    running
        .stderr
        .wait_for("clsh: 0 done, 2 running, 0 waiting");
    assert_eq!(count(&["sleep", &nap]), 2);
    kill(clsh, TERM);
    running.finish();
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn a_second_sighup_for_one_end_of_a_terminal_is_no_second_signal() {
    let nap = nap();
    let script = format!(
        "trap 'sleep 1; echo grace; exit 0' TERM; echo up; while :; do sleep 0.05; done; : {nap}"
    );
    let running = start_up(&mut exec("n[1-2]", ["sh", "-c", &script]), 2);
    running.signal(HUP);
    thread::sleep(Duration::from_millis(50));
    running.signal(HUP);
    let done = running.finish();
    assert_eq!(done.code(), 128 + HUP);
    assert_eq!(
        done.sorted(),
        ["n1: grace", "n1: up", "n2: grace", "n2: up"]
    );
}

/// A set of the signals that programs use, without the two the C library keeps for itself.
fn mask(pid: i32, name: &str) -> u64 {
    let text = field(&format!("/proc/{pid}/status"), name).expect("a living process");
    u64::from_str_radix(&text, 16).expect("hexadecimal") & 0x7fff_ffff
}

#[test]
fn children_lead_groups_of_their_own_with_default_signals_and_none_blocked() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start_up(&mut exec("n[1-3]", ["sh", "-c", &script]), 3);
    let nodes = children(running.pid());
    assert_eq!(nodes.len(), 3);
    for node in &nodes {
        assert_eq!(group(node.pid), node.pid);
        for name in ["SigIgn:", "SigBlk:", "SigCgt:"] {
            assert_eq!(mask(node.pid, name), 0, "{name}");
        }
    }
    running.signal(TERM);
    running.finish();
}

#[test]
fn clsh_itself_blocks_no_signal_even_if_it_was_started_so() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start_up(&mut exec("n1", ["sh", "-c", &script]), 1);
    assert_eq!(mask(running.pid(), "SigBlk:"), 0);
    running.signal(TERM);
    running.finish();
}

#[test]
fn what_had_arrived_is_printed_in_whole_lines_at_the_end() {
    let nap = nap();
    let script = format!("echo whole; printf partial; printf lost >&2; echo up; exec sleep {nap}");
    let running = start_up(
        &mut exec("n1", ["sh", "-c", &script.replace("echo up;", "")]),
        0,
    );
    running.stdout.wait_for("n1: whole\n");
    wait_until("the command sleeps", || count(&["sleep", &nap]) == 1);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!(done.out(), labelled("n1", &["whole", "partial"]));
    assert_eq!(done.err(), "n1: lost\nclsh: n1: terminated\n");
}

#[test]
fn what_children_say_while_they_are_ended_is_printed() {
    let script =
        "trap 'echo out bye; echo err bye >&2; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    let running = start_up(&mut exec("n1", ["sh", "-c", script]), 1);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!(done.out(), labelled("n1", &["up", "out bye"]));
    // A shell may add a word of its own about the `sleep` that was ended with it.
    let err = done.err();
    assert!(
        err.contains("n1: err bye\n") && err.ends_with("\nclsh: n1: terminated\n"),
        "{err}"
    );
    assert_eq!(done.code(), 128 + TERM);
}

#[test]
fn stopped_children_are_ended_by_sigterm_without_waiting_for_sigkill() {
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let call = ["--kill-after", "600", "sh", "-c", &script];
    let running = start_up(&mut exec("n[1-3]", call), 3);
    for node in children(running.pid()) {
        kill(node.pid, STOP);
        wait_stopped(node.pid);
    }
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn sigterm_to_a_clsh_that_is_stopped_ends_it_as_soon_as_it_goes_on() {
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let running = start_up(&mut exec("n1", ["sh", "-c", &script]), 1);
    running.signal(STOP);
    wait_stopped(running.pid());
    running.signal(TERM);
    running.signal(CONT);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn nodes_that_were_not_started_are_named_in_the_summary() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start_up(&mut exec("n[1-9]", ["-f", "4", "sh", "-c", &script]), 4);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!(
        done.err(),
        "clsh: n[1-4] (4): terminated\nclsh: n[5-9] (5): not started\n"
    );
    assert_eq!(done.out().lines().count(), 4);
}

#[test]
fn quiet_silences_the_summary_of_an_end() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start_up(
        &mut exec("n[1-9]", ["-q", "-f", "4", "sh", "-c", &script]),
        4,
    );
    running.signal(INT);
    let done = running.finish();
    assert_eq!((done.code(), done.err()), (128 + INT, String::new()));
}

#[test]
fn verbose_adds_a_line_for_each_child_that_ended() {
    let script = format!("[ %n = 0 ] && exit 7; echo up; exec sleep {}", nap());
    let running = start_up(&mut exec("n[1-3]", ["-v", "sh", "-c", &script]), 2);
    running
        .stderr
        .wait_for("clsh: n1: exited with exit code 7 after ");
    running.signal(TERM);
    let err = running.finish().err();
    for node in ["n2", "n3"] {
        assert!(
            err.contains(&format!("clsh: {node}: terminated after ")),
            "{err}"
        );
    }
    let summary = "clsh: n1: exited with exit code 7\nclsh: n[2-3] (2): terminated\n";
    assert!(err.ends_with(summary), "{err}");
}

#[test]
fn a_signal_before_any_node_answered_ends_a_run_over_many_nodes() {
    let nap = nap();
    let running = start(&mut exec("n[1-5000]", ["-f", "200", "sleep", &nap]));
    wait_until("a node", || count(&["sleep", &nap]) > 0);
    running.signal(INT);
    let done = running.finish();
    assert_eq!(done.code(), 128 + INT);
    assert_eq!(count(&["sleep", &nap]), 0);
    assert!(done.err().contains("not started"), "{}", done.err());
}

#[test]
fn a_background_process_of_a_node_that_is_done_is_left_alone_by_the_end() {
    let (daemon, nap) = (nap(), nap());
    let stray = Stray::new(&["sleep", &daemon]);
    let script = format!(
        "[ %n = 0 ] && {{ sleep {daemon} >/dev/null 2>&1 & exit 0; }}; echo up; exec sleep {nap}"
    );
    let running = start_up(&mut exec("n[1-2]", ["-v", "sh", "-c", &script]), 1);
    running.stderr.wait_for("clsh: n1: exited with exit code 0");
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert_eq!((stray.count(), count(&["sleep", &nap])), (1, 0));
}

#[test]
fn clsh_ends_at_once_when_its_children_do() {
    let running = start(&mut exec("n1", ["sh", "-c", "exit 3"]));
    let pid = running.pid();
    assert_eq!(running.finish().code(), 3);
    assert!(!is_alive(pid));
}
