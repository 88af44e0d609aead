//! Nodes that read a part of standard input, nothing of it, or die over it: that is no error, and the others get everything.

use crate::gear::{Way, await_file, cksum, random, start_fed};
use crate::support::{process, scratch, wait_until};
use std::fs;

/// More than clsh and two pipes hold.
const BYTES: usize = 4 << 20;

#[test]
fn nodes_that_stop_reading_leave_the_others_everything() {
    let bytes = random(BYTES);
    let sum = cksum(&bytes);
    let script = "case $h in
        n1) head -c 10 >/dev/null;;
        n2) :;;
        n3) head -c 100000 >/dev/null; kill -9 $$;;
        n4) kill -9 $$;;
        n5) exit 7;;
        *) cksum;;
    esac";
    for way in Way::BOTH {
        for fanout in ["8", "2"] {
            let mut call = way.call("n[1-8]", &["-f", fanout], script);
            let (running, writer) = start_fed(&mut call, &bytes);
            let done = running.finish();
            writer.join();
            let wanted = ["n6", "n7", "n8"].map(|node| format!("{node}: {sum}"));
            assert_eq!(done.sorted(), wanted, "{way:?} -f {fanout}");
            assert_eq!(done.code(), 137);
            assert!(done.err().contains("clsh: n5: exited with exit code 7\n"));
        }
    }
}

#[test]
fn the_one_that_does_not_read_is_timed_out_and_not_those_that_wait_for_it() {
    let bytes = random(BYTES);
    let sum = cksum(&bytes);
    let script = "[ $h = n2 ] && exec sleep 1000; cksum; sleep 1";
    for way in Way::BOTH {
        let mut call = way.call("n[1-3]", &["-u", "3"], script);
        let (running, writer) = start_fed(&mut call, &bytes);
        let done = running.finish();
        writer.join();
        let wanted = ["n1", "n3"].map(|node| format!("{node}: {sum}"));
        assert_eq!(done.sorted(), wanted, "{way:?}");
        assert_eq!(done.err(), "clsh: n2: timed out\n", "{way:?}");
    }
}

#[test]
fn a_command_that_closed_its_stdin_holds_up_nobody_while_it_runs() {
    let bytes = random(BYTES);
    let place = scratch();
    let go = place.path().join("go");
    let script = format!(
        "[ $h = n1 ] && {{ exec </dev/null; {}; exit; }}; cksum",
        await_file(&go)
    );
    let (running, writer) = start_fed(&mut Way::Exec.call("n[1-3]", &[], &script), &bytes);
    running.stdout.wait_for("n2: ");
    running.stdout.wait_for("n3: ");
    fs::write(&go, "").expect("go");
    let done = running.finish();
    writer.join();
    let sum = cksum(&bytes);
    assert_eq!(done.sorted(), [format!("n2: {sum}"), format!("n3: {sum}")]);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn a_node_that_does_not_read_sets_the_pace_and_bounds_what_is_read_ahead() {
    const MIB: u64 = 1 << 20;
    const PIPE: u64 = 64 << 10;
    let bytes = random(BYTES);
    let sum = cksum(&bytes);
    for way in Way::BOTH {
        let place = scratch();
        let go = place.path().join("go");
        let script = format!("[ $h = n1 ] && {{ {}; }}; cksum", await_file(&go));
        let mut call = way.call("n[1-3]", &["-f", "3"], &script);
        let (running, writer) = start_fed(call.env("TMPDIR", place.path()), &bytes);
        // It comes to rest: what it was given is more than its leeway, and no longer grows.
        let (mut last, mut still) = (0, 0);
        wait_until("a writer that is held up", || {
            let now = writer.count();
            let asleep = process(running.pid()).is_some_and(|process| process.state == 'S');
            still = if now > 0 && now == last && asleep {
                still + 1
            } else {
                0
            };
            last = now;
            still == 50
        });
        // Its leeway, its own pipe, the node's pipe, and one read beyond.
        assert!(last >= MIB, "{way:?}: only {last} bytes were read ahead");
        assert!(
            last <= MIB + 4 * PIPE,
            "{way:?}: {last} bytes were read ahead"
        );
        assert_eq!(crate::gear::unnamed(running.pid(), place.path()), 0);
        fs::write(&go, "").expect("go");
        let done = running.finish();
        writer.join();
        assert_eq!(done.sorted(), crate::gear::from_all(3, &sum), "{way:?}");
        assert_eq!((done.code(), done.err()), (0, String::new()));
    }
}

#[test]
fn a_node_that_never_reads_and_ends_leaves_the_others_everything() {
    let bytes = random(BYTES);
    let sum = cksum(&bytes);
    for way in Way::BOTH {
        let place = scratch();
        let go = place.path().join("go");
        let script = format!("[ $h = n1 ] && {{ {}; exit 3; }}; cksum", await_file(&go));
        let (running, writer) = start_fed(&mut way.call("n[1-3]", &[], &script), &bytes);
        wait_until("a megabyte", || writer.count() > 1 << 20);
        fs::write(&go, "").expect("go");
        let done = running.finish();
        writer.join();
        assert_eq!(done.sorted(), [format!("n2: {sum}"), format!("n3: {sum}")]);
        assert_eq!(done.code(), 3, "{way:?}");
    }
}
