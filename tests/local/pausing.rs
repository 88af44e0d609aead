//! SIGTSTP and SIGCONT act on a run as on any shell job; SIGUSR1 asks how it stands.

use crate::kit::{CONT, STOP, TERM, TSTP, USR1, count, exec, nap, wait_stopped};
use crate::support::{children, process, scratch, start, wait_until};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// A call in a process group of its own, as a shell starts a job: one that has nobody beside it who could continue it is not stopped.
fn job<'a>(nodes: &str, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut call = exec(nodes, words);
    call.process_group(0);
    call
}

#[test]
fn a_run_stops_with_its_children_goes_on_with_them_and_loses_nothing() {
    let directory = scratch();
    // From line 100 on it waits, so that no node is done before it was stopped three times.
    let script = r#"
i=0
while [ $i -lt 400 ]; do
  i=$((i+1)); echo line $i
  [ $((i % 20)) = 0 ] && sleep 0.05
  while [ $i = 100 ] && [ ! -e go ]; do sleep 0.01; done
done"#;
    let mut call = job("n[1-4]", ["sh", "-c", script]);
    let running = start(call.current_dir(directory.path()));
    for round in 1..=3 {
        running.stdout.wait_for(&format!("line {}\n", round * 20));
        running.signal(TSTP);
        wait_stopped(running.pid());
        let nodes = children(running.pid());
        assert_eq!(nodes.len(), 4);
        // A shell whose own child was stopped between vfork and exec hangs in the kernel, which is as good.
        wait_until("stopped children", || {
            nodes
                .iter()
                .all(|node| process(node.pid).is_some_and(|node| matches!(node.state, 'T' | 'D')))
        });
        running.signal(CONT);
    }
    fs::write(directory.path().join("go"), "").expect("write");
    let done = running.finish();
    assert_eq!((done.code(), done.err()), (0, String::new()));
    for node in 1..=4 {
        let label = format!("n{node}: ");
        let out = done.out();
        let lines = out.lines().filter_map(|line| line.strip_prefix(&label));
        assert!(lines.eq((1..=400).map(|i| format!("line {i}"))), "{label}");
    }
}

#[test]
fn time_while_stopped_does_not_count_towards_the_time_limit() {
    let directory = scratch();
    let nap = nap();
    let script = format!(
        "echo up; [ %n = 1 ] && exec sleep {nap}; while [ ! -e go ]; do sleep 0.01; done; echo done"
    );
    let mut call = job("n[1-2]", ["-u", "3", "sh", "-c", &script]);
    let running = start(call.current_dir(directory.path()));
    wait_until("both up", || running.stdout.text().lines().count() == 2);
    running.signal(TSTP);
    wait_stopped(running.pid());
    thread::sleep(Duration::from_millis(3500));
    fs::write(directory.path().join("go"), "").expect("write");
    running.signal(CONT);
    let done = running.finish();
    assert!(done.out().contains("n1: done\n"), "{}", done.out());
    // The limit itself is still in force.
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n2: timed out\n".into())
    );
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn what_ended_while_somebody_held_clsh_is_not_timed_out() {
    let directory = scratch();
    let nap = nap();
    let script = format!(
        "echo up; [ %n = 5 ] && exec sleep {nap}; while [ ! -e go ]; do sleep 0.01; done; seq 20000"
    );
    let mut call = exec("n[1-6]", ["-u", "3", "sh", "-c", &script]);
    let running = start(call.current_dir(directory.path()));
    wait_until("all up", || running.stdout.text().lines().count() == 6);
    let nodes = children(running.pid());
    running.signal(STOP);
    wait_stopped(running.pid());
    fs::write(directory.path().join("go"), "").expect("write");
    thread::sleep(Duration::from_millis(3500));
    running.signal(CONT);
    let done = running.finish();
    // The limit itself is still in force.
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n6: timed out\n".into())
    );
    let lines = done
        .out()
        .lines()
        .filter(|line| line.ends_with(": 20000"))
        .count();
    assert_eq!((nodes.len(), lines), (6, 5));
}

#[test]
fn a_stopped_run_can_be_ended() {
    let nap = nap();
    let script = format!("echo up; exec sleep {nap}");
    let call = ["--kill-after", "600", "sh", "-c", &script];
    let running = start(&mut job("n[1-2]", call));
    wait_until("both up", || running.stdout.text().lines().count() == 2);
    running.signal(TSTP);
    wait_stopped(running.pid());
    running.signal(TERM);
    running.signal(CONT);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn sigusr1_prints_one_line_on_how_the_run_stands() {
    let nap = nap();
    let script = format!("[ %n = 0 ] && exit; echo up; [ %n = 1 ] && sleep 0.2; exec sleep {nap}");
    let running = start(&mut exec("n[1-9]", ["-f", "3", "sh", "-c", &script]));
    wait_until("three up", || running.stdout.text().lines().count() == 3);
    running.signal(USR1);
    running.stderr.wait_for("\n");
    let err = running.stderr.text();
    assert_eq!(err.lines().count(), 1, "{err}");
    let start = "clsh: 1 done, 3 running, 5 waiting; running longest: n2 (";
    assert!(err.starts_with(start), "{err}");
    for node in ["n2 (", "n3 (", "n4 ("] {
        assert!(err.contains(node), "{err}");
    }
    assert!(!err.contains("n5 ("), "{err}");
    // It changes nothing.
    wait_until("three sleeps", || count(&["sleep", &nap]) == 3);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!(done.code(), 128 + TERM);
    assert!(
        done.err().contains("clsh: n[5-9] (5): not started\n"),
        "{}",
        done.err()
    );
}

#[test]
fn a_status_line_names_a_few_nodes_of_many() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start(&mut exec("n[1-30]", ["-q", "sh", "-c", &script]));
    wait_until("all up", || running.stdout.text().lines().count() == 30);
    running.signal(USR1);
    running
        .stderr
        .wait_for("clsh: 0 done, 30 running, 0 waiting");
    let err = running.stderr.text();
    assert!(
        err.lines().count() == 1 && err.matches(" (").count() < 10,
        "{err}"
    );
    running.signal(TERM);
    running.finish();
}
