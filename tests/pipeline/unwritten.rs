//! A stdout that cannot be written: the run ends, says why, and its status is 255, in every shape.

use crate::gear::{Way, call};
use crate::kit::{Held, count, nap, read_all, text};
use crate::support::{run, scratch, wait_until};
use std::fs::OpenOptions;
use std::process::{Command, Stdio};

/// Runs the call into a full device: status and stderr.
fn into_full(call: &mut Command) -> (i32, String) {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let mut held = Held::start(call.stdout(full).stderr(Stdio::piped()));
    let err = read_all(held.0.stderr.take().expect("piped"));
    (held.wait(), String::from_utf8(err).expect("text"))
}

#[test]
fn a_full_disk_under_stdout_ends_the_run_with_words() {
    let words =
        "clsh: cannot write to standard output: No space left on device; the run ends here\n";
    for way in Way::BOTH {
        for flag in ["-L", "--json", "-N"] {
            let nap = nap();
            let (status, err) =
                into_full(&mut way.call("n[1-3]", &[flag], &format!("echo hi; exec sleep {nap}")));
            assert_eq!(status, 255, "{way:?} {flag}: {err}");
            assert_eq!(err.matches(words).count(), 1, "{flag}: {err}");
            wait_until("nothing left", || count(&["sleep", &nap]) == 0);
        }
        for flags in [&["-b"][..], &["-b", "--diff"], &["-L"], &["--json"]] {
            let (status, err) = into_full(&mut way.call("n[1-3]", flags, "echo $h; exit 3"));
            assert_eq!(status, 255, "{way:?} {flags:?}: {err}");
            assert_eq!(err.matches(words).count(), 1, "{flags:?}: {err}");
        }
    }
}

#[test]
fn a_stdout_that_nothing_is_written_to_may_be_full() {
    let place = scratch();
    let directory = text(place.path());
    for flags in [&["-b"][..], &["-L"], &["--summary"]] {
        let (status, err) = into_full(&mut call("n[1-3]", flags, "true"));
        assert_eq!(status, 0, "{flags:?}: {err}");
    }
    let (status, err) = into_full(&mut call("n[1-3]", &["--out", &directory], "echo hi"));
    assert_eq!((status, err), (0, String::new()));
}

#[test]
fn the_failed_are_still_written_when_stdout_cannot_be() {
    let place = scratch();
    let path = place.path().join("failed");
    let flags = ["-b", "--failed", &text(&path)];
    let (status, _) = into_full(&mut call("n[1-3]", &flags, "echo $h; [ $h != n2 ]"));
    let failed = std::fs::read_to_string(&path).expect("there");
    assert_eq!((status, failed), (255, "n2\n".into()));
}

#[test]
fn a_stderr_that_cannot_be_written_is_no_error() {
    for flags in [&["-b"][..], &["-L"], &["--json"], &["--summary"]] {
        let call = call("n[1-3]", flags, "echo out; echo err >&2; exit 3");
        let done = run(&mut crate::kit::through(
            "sh",
            "exec \"$@\" 2>/dev/full",
            &call,
        ));
        assert_eq!(done.code(), 3, "{flags:?}");
        assert!(done.out().contains("out"), "{}", done.out());
    }
}
