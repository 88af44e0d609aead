//! Input for nodes whose turn has not come waits in a file without a name, and a run that cannot keep it says so and ends.

use crate::gear::{
    Way, await_file, cksum, from_all, names, on_small_disk, random, run_fed, start_fed, unnamed,
};
use crate::support::{Finished, scratch, wait_until};
use std::fs;

const BYTES: usize = 3 << 20;

#[test]
fn one_node_at_a_time_gets_everything_from_a_file_without_a_name() {
    let bytes = random(BYTES);
    let sum = cksum(&bytes);
    for way in Way::BOTH {
        let place = scratch();
        let outside = scratch();
        let go = outside.path().join("go");
        let script = format!("cksum; [ $h != n2 ] || {{ {}; }}", await_file(&go));
        let mut call = way.call("n[1-4]", &["-f", "1"], &script);
        let (running, writer) = start_fed(call.env("TMPDIR", place.path()), &bytes);
        running.stdout.wait_for("n2: ");
        assert_eq!(unnamed(running.pid(), place.path()), 1, "{way:?}");
        assert_eq!(names(place.path()), [""; 0]);
        fs::write(&go, "").expect("go");
        let done = running.finish();
        writer.join();
        assert_eq!(done.sorted(), from_all(4, &sum), "{way:?}");
        assert_eq!((done.code(), done.err()), (0, String::new()));
        assert_eq!(names(place.path()), [""; 0]);
    }
}

#[test]
fn nobody_but_the_user_can_open_the_file_without_a_name() {
    use std::os::unix::fs::PermissionsExt;
    let place = scratch();
    let outside = scratch();
    let go = outside.path().join("go");
    let script = format!("cksum; {}", await_file(&go));
    let mut call = Way::Exec.call("n[1-2]", &["-f", "1"], &script);
    let bytes = random(BYTES);
    let (running, writer) = start_fed(call.env("TMPDIR", place.path()), &bytes);
    wait_until("the file", || unnamed(running.pid(), place.path()) == 1);
    let entries = fs::read_dir(format!("/proc/{}/fd", running.pid())).expect("fd");
    let modes: Vec<u32> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let inside = fs::read_link(&path).ok()?.starts_with(place.path());
            inside.then(|| fs::metadata(&path).expect("metadata").permissions().mode() & 0o777)
        })
        .collect();
    assert_eq!(modes, [0o600]);
    fs::write(&go, "").expect("go");
    assert_eq!(running.finish().code(), 0);
    writer.join();
}

/// What a run says that cannot keep its input: the reason, the way out, status 255, and only whole answers.
fn assert_unkept(done: &Finished, reason: &str, sum: &str) {
    let err = done.err();
    assert_eq!(done.code(), 255, "{err}");
    let words = "clsh: cannot keep standard input for nodes that start later: ";
    let said = err
        .lines()
        .find(|line| line.starts_with(words))
        .unwrap_or_default();
    assert!(said.contains(reason) && said.contains("TMPDIR"), "{err}");
    // Nobody took a part of it for all of it.
    for line in done.out().lines() {
        assert!(line.ends_with(sum), "{line}");
    }
}

#[test]
fn a_place_that_is_not_there_ends_the_run_with_words_once_it_is_needed() {
    let bytes = random(BYTES);
    for way in Way::BOTH {
        let mut call = way.call("n[1-3]", &["-f", "1"], "cksum");
        let call = call.env("TMPDIR", "/no/such/place");
        assert_unkept(&run_fed(call, &bytes), "No such file", &cksum(&bytes));
        // What fits into memory needs no file.
        let little = &bytes[..900_000];
        let done = run_fed(call, little);
        assert_eq!(done.sorted(), from_all(3, &cksum(little)));
        assert_eq!((done.code(), done.err()), (0, String::new()));
    }
}

#[test]
fn a_place_that_is_full_ends_the_run_with_words() {
    let bytes = random(BYTES);
    for way in Way::BOTH {
        let place = scratch();
        let mut call = way.call("n[1-3]", &["-f", "1"], "cksum");
        call.env("TMPDIR", place.path());
        let Some(mut call) = on_small_disk(place.path(), 256, &call) else {
            return;
        };
        assert_unkept(&run_fed(&mut call, &bytes), "No space left", &cksum(&bytes));
    }
}

#[test]
fn a_place_that_is_full_does_not_matter_when_all_nodes_run_at_once() {
    let bytes = random(BYTES);
    let mut call = Way::Exec.call("n[1-3]", &[], "cksum");
    let done = run_fed(call.env("TMPDIR", "/no/such/place"), &bytes);
    assert_eq!(done.sorted(), from_all(3, &cksum(&bytes)));
    assert_eq!((done.code(), done.err()), (0, String::new()));
}
