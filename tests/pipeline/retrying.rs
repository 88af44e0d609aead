//! `--retries`: a connection that failed is tried again, only such a one, and the node that is reached in the end misses nothing.

use crate::gear::{cksum, from_all, random, run_fed};
use crate::kit::{TERM, count, nap, text};
use crate::support::{clsh_with, run, scratch, script, start, wait_until};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A remote that counts its calls in a file for each node, and has no route to n2 for the first so many of them.
fn stubborn(failures: usize) -> TempDir {
    let directory = scratch();
    let text = format!(
        "#!/bin/sh\necho >>$1.calls\n[ $1 != n2 ] || [ $(wc -l <n2.calls) -gt {failures} ] || {{ echo no route >&2; exit 255; }}\nexec sh -c \"$2\"\n"
    );
    script(directory.path(), "remote", &text);
    directory
}

fn calls(directory: &Path, node: &str) -> usize {
    let calls = fs::read_to_string(directory.join(format!("{node}.calls")));
    calls.map_or(0, |calls| calls.lines().count())
}

/// clsh through that remote.
fn through(remote: &TempDir, nodes: &str, flags: &[&str], command: &str) -> Command {
    let mut call = clsh_with(["-h", nodes, "-R", "./remote", "--retry-delay", "0.05"]);
    call.args(flags).arg(command).current_dir(remote.path());
    call
}

#[test]
fn a_connection_that_failed_is_tried_again_until_it_holds() {
    for fanout in ["3", "1"] {
        let remote = stubborn(2);
        let done = run(&mut through(
            &remote,
            "n[1-3]",
            &["--retries", "3", "-f", fanout],
            "echo hi",
        ));
        assert_eq!(
            (done.code(), done.sorted()),
            (0, from_all(3, "hi")),
            "{}",
            done.err()
        );
        let [one, two, three] = ["n1", "n2", "n3"].map(|node| calls(remote.path(), node));
        assert_eq!([one, two, three], [1, 3, 1]);
        let err = done.err();
        for number in 1..=2 {
            let begin = "clsh: n2: connection failed; trying again in ";
            let end = format!(" s ({number} of 3)");
            let said = err
                .lines()
                .filter(|line| line.starts_with(begin) && line.ends_with(&end));
            assert_eq!(said.count(), 1, "{err}");
        }
        assert_eq!(err.matches("n2: no route\n").count(), 2, "{err}");
        assert_eq!(err.lines().count(), 4, "{err}");
    }
}

#[test]
fn a_connection_that_never_holds_is_given_up_after_the_last_try() {
    let remote = stubborn(usize::MAX >> 2);
    let done = run(&mut through(
        &remote,
        "n[1-3]",
        &["--retries", "2"],
        "echo hi",
    ));
    assert_eq!(done.sorted(), ["n1: hi", "n3: hi"]);
    assert_eq!((done.code(), calls(remote.path(), "n2")), (255, 3));
    let err = done.err();
    assert_eq!(
        err.matches("ERROR: n2 connection failed\n").count(),
        1,
        "{err}"
    );
    assert!(err.ends_with("clsh: n2: connection failed\n"), "{err}");
    let once = run(&mut through(&remote, "n2", &["--retries", "0"], "echo hi"));
    assert_eq!((once.code(), calls(remote.path(), "n2")), (255, 4));
}

#[test]
fn the_delay_grows_and_is_said() {
    let remote = stubborn(4);
    let done = run(&mut through(&remote, "n2", &["--retries", "4"], "echo hi"));
    assert_eq!(done.code(), 0, "{}", done.err());
    let err = done.err();
    let delay = |line: &str| -> Option<f64> {
        let (_, rest) = line.split_once("trying again in ")?;
        rest.split(' ').next()?.parse().ok()
    };
    let delays: Vec<f64> = err.lines().filter_map(delay).collect();
    assert_eq!(delays.len(), 4, "{err}");
    // Twice as long each time, give or take a half.
    for (number, delay) in delays.iter().enumerate() {
        let middle = 0.05 * f64::from(1 << number);
        assert!((middle * 0.45..middle * 1.6).contains(delay), "{delays:?}");
    }
}

#[test]
fn the_node_that_is_reached_in_the_end_gets_all_of_the_input() {
    let bytes = random(3 << 20);
    for fanout in ["3", "1"] {
        let place = scratch();
        let remote = stubborn(2);
        let mut call = through(
            &remote,
            "n[1-3]",
            &["--retries", "2", "-f", fanout],
            "cksum",
        );
        let done = run_fed(call.env("TMPDIR", place.path()), &bytes);
        assert_eq!(
            done.sorted(),
            from_all(3, &cksum(&bytes)),
            "-f {fanout}: {}",
            done.err()
        );
        assert_eq!(done.code(), 0);
        // A file is read from its beginning again.
        let remote = stubborn(2);
        let input = crate::gear::file(place.path(), "input", &bytes);
        let mut call = through(
            &remote,
            "n[1-3]",
            &["--retries", "2", "-f", fanout],
            "cksum",
        );
        let done = run(call.stdin(fs::File::open(input).expect("open")));
        assert_eq!(
            done.sorted(),
            from_all(3, &cksum(&bytes)),
            "-f {fanout}: {}",
            done.err()
        );
    }
}

#[test]
fn only_a_connection_that_failed_is_tried_again() {
    for (command, status) in [
        ("exit 255", 255),
        ("exit 1", 1),
        ("kill -9 $$", 137),
        ("kill -9 $PPID", 255),
    ] {
        let remote = stubborn(0);
        let done = run(&mut through(&remote, "n2", &["--retries", "3"], command));
        assert_eq!(
            (done.code(), calls(remote.path(), "n2")),
            (status, 1),
            "{command}"
        );
        assert!(!done.err().contains("trying again"), "{}", done.err());
    }
}

#[test]
fn files_keep_what_was_said_and_hold_nothing_twice() {
    let remote = stubborn(2);
    let flags = ["--retries", "2", "--out", "dir", "--err", "dir"];
    let done = run(&mut through(
        &remote,
        "n[1-2]",
        &flags,
        "echo out; echo err >&2",
    ));
    assert_eq!((done.code(), done.out()), (0, String::new()));
    let read =
        |name: &str| fs::read_to_string(remote.path().join("dir").join(name)).expect("there");
    assert_eq!([read("n1.out"), read("n2.out")], ["out\n"; 2]);
    assert_eq!(read("n1.err"), "err\n");
    assert_eq!(read("n2.err"), "no route\nno route\nerr\n");
}

#[test]
fn every_shape_shows_what_the_node_said_in_the_end_once() {
    for flag in ["-b", "-L", "--json", "--summary"] {
        let remote = stubborn(1);
        let done = run(&mut through(
            &remote,
            "n[1-3]",
            &["--retries", "1", flag],
            "echo $CLSH_HOST says hi",
        ));
        assert_eq!(done.code(), 0, "{flag}: {}", done.err());
        for node in ["n1", "n2", "n3"] {
            assert_eq!(
                done.out().matches(&format!("{node} says hi")).count(),
                1,
                "{}",
                done.out()
            );
        }
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_another_try() {
    let nap = nap();
    let remote = stubborn(usize::MAX >> 2);
    let mut call = through(
        &remote,
        "n[1-2]",
        &["--retries", "3", "--retry-delay", "300"],
        &format!("exec sleep {nap}"),
    );
    let running = start(&mut call);
    running.stderr.wait_for("trying again");
    wait_until("one that sleeps", || count(&["sleep", &nap]) == 1);
    running.signal(TERM);
    let done = running.finish();
    assert_eq!((done.code(), calls(remote.path(), "n2")), (143, 1));
    assert!(
        done.err().contains("clsh: n1: terminated\n"),
        "{}",
        done.err()
    );
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
}

#[test]
fn a_node_that_failed_for_good_stands_in_the_list_of_the_failed() {
    let remote = stubborn(1);
    let path = remote.path().join("failed");
    let flags = ["--retries", "1", "--failed", &text(&path)];
    run(&mut through(&remote, "n[1-3]", &flags, "true"));
    assert_eq!(fs::read_to_string(&path).expect("there"), "");
    let remote = stubborn(2);
    run(&mut through(&remote, "n[1-3]", &flags, "true"));
    assert_eq!(fs::read_to_string(&path).expect("there"), "n2\n");
}
