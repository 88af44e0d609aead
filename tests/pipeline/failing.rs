//! `-k`: the first node that does not return 0 ends the run.

use crate::gear::{Way, await_file};
use crate::kit::{count, nap, text};
use crate::support::{clsh_with, run, scratch, wait_until};

#[test]
fn the_first_failure_ends_the_others_and_its_status_is_that_of_the_run() {
    for way in Way::BOTH {
        for flag in ["-k", "--fail-fast"] {
            let nap = nap();
            let place = scratch();
            let at = |name: &str| place.path().join(name);
            // It fails once the others are under way.
            let script = format!(
                "[ $h = n2 ] && {{ {}; {}; exit 7; }}; echo >{}/$h; exec sleep {nap}",
                await_file(&at("n1")),
                await_file(&at("n3")),
                text(place.path())
            );
            let done = run(&mut way.call("n[1-3]", &[flag], &script));
            assert_eq!((done.code(), done.out()), (7, String::new()), "{way:?}");
            let wanted = "clsh: n2: exited with exit code 7\nclsh: n[1,3] (2): terminated\n";
            assert_eq!(done.err(), wanted);
            wait_until("nothing left", || count(&["sleep", &nap]) == 0);
        }
    }
}

#[test]
fn nodes_whose_turn_has_not_come_are_not_started() {
    for way in Way::BOTH {
        let place = scratch();
        let script = format!("echo >{}/$h; exit $r", text(place.path()));
        let done = run(&mut way.call("n[1-5]", &["-k", "-f", "1"], &script));
        assert_eq!(done.code(), 1, "{way:?}");
        let wanted = "clsh: n2: exited with exit code 1\nclsh: n[3-5] (3): not started\n";
        assert_eq!(done.err(), wanted);
        assert_eq!(crate::gear::names(place.path()), ["n1", "n2"]);
    }
}

#[test]
fn nothing_ends_a_run_in_which_nothing_fails() {
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-5]", &["-k", "-f", "2"], "echo ok"));
        assert_eq!(done.sorted(), crate::gear::from_all(5, "ok"), "{way:?}");
        assert_eq!((done.code(), done.err()), (0, String::new()));
    }
}

#[test]
fn the_largest_status_counts_when_two_fail_before_the_end() {
    // The second one answers SIGTERM with a status of its own, but it is one of those that clsh ended.
    let place = scratch();
    let up = place.path().join("up");
    let script = format!(
        "[ $h = n1 ] && {{ {}; exit 3; }}; trap 'exit 9' TERM; echo >{}; while :; do sleep 0.02; done",
        await_file(&up),
        text(&up)
    );
    for way in Way::BOTH {
        let _ = std::fs::remove_file(&up);
        let done = run(&mut way.call("n[1-2]", &["-k"], &script));
        assert_eq!(done.code(), 3, "{way:?}: {}", done.err());
        assert!(
            done.err().contains("clsh: n1: exited with exit code 3\n"),
            "{}",
            done.err()
        );
    }
}

#[test]
fn a_node_that_is_not_reached_or_too_slow_is_a_failure_too() {
    let nap = nap();
    let place = scratch();
    let remote = "#!/bin/sh\n[ $1 != n2 ] || { while [ ! -e n1.up ]; do sleep 0.02; done; exit 1; }; exec sh -c \"$2\"\n";
    crate::support::script(place.path(), "remote", remote);
    let mut call = clsh_with(["-h", "n[1-3]", "-R", "./remote", "-k", "-f", "2"]);
    let done = run(call
        .current_dir(place.path())
        .arg(format!("echo >$CLSH_HOST.up; exec sleep {nap}")));
    assert_eq!(done.code(), 255, "{}", done.err());
    assert!(
        done.err().contains("clsh: n1: terminated\n"),
        "{}",
        done.err()
    );
    assert!(
        done.err().contains("clsh: n3: not started\n"),
        "{}",
        done.err()
    );
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    for way in Way::BOTH {
        let done = run(&mut way.call(
            "n[1-2]",
            &["-k", "-f", "1", "-u", "0.3"],
            &format!("exec sleep {nap}"),
        ));
        assert_eq!(done.code(), 124, "{way:?}");
        assert_eq!(done.err(), "clsh: n1: timed out\nclsh: n2: not started\n");
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn what_had_been_said_is_printed_in_every_shape() {
    let nap = nap();
    for (flag, wanted) in [
        ("-L", "n1: up\nn2: up\nn3: up\n".to_owned()),
        ("-b", {
            let rule = "-".repeat(15);
            format!("{rule}\nn[1,3] (2): unfinished\n{rule}\nup\n{rule}\nn2\n{rule}\nup\n")
        }),
    ] {
        for way in Way::BOTH {
            let place = scratch();
            let at = |name: &str| place.path().join(name);
            let script = format!(
                "echo up; [ $h = n2 ] && {{ {}; {}; exit 7; }}; echo >{}/$h; exec sleep {nap}",
                await_file(&at("n1")),
                await_file(&at("n3")),
                text(place.path())
            );
            let done = run(&mut way.call("n[1-3]", &["-k", flag], &script));
            assert_eq!((done.code(), done.out()), (7, wanted.clone()), "{way:?}");
            wait_until("nothing left", || count(&["sleep", &nap]) == 0);
        }
    }
}
