//! Lines that do not end: what clsh holds of them is bounded for all nodes together, and no node waits for another's line.

use crate::kit::{Held, TERM, by_label, count, exec, high_water_kib, nap, text, wait_idle};
use crate::support::{scratch, start, wait_until};
use std::process::Stdio;

/// The most that clsh may ever have held: 24 MiB of unfinished lines, what its output takes, and up to 2,000 nodes.
const PEAK_KIB_MAX: u64 = 40 * 1024;

/// Lets so many nodes run a script that writes lines without an end, and looks at the memory clsh took for them in these shapes.
fn stays_small(nodes: usize, script: &str, shapes: &[&str]) {
    let nap = nap();
    let script = format!("{script}; exec sleep {nap}");
    for shape in shapes {
        let (hosts, window) = (format!("n[1-{nodes}]"), nodes.to_string());
        let words = ["-n", "-q", "-f", &window, shape, "sh", "-c", &script];
        let mut call = exec(&hosts, words);
        let mut held = Held::start(call.stdout(Stdio::null()).stderr(Stdio::null()));
        wait_until("all nodes", || {
            wait_idle(held.pid());
            count(&["sleep", &nap]) == nodes
        });
        let kib = high_water_kib(held.pid()).expect("the process lives");
        held.signal(TERM);
        assert_eq!(held.wait(), 128 + TERM);
        assert!(kib < PEAK_KIB_MAX, "{nodes} nodes, {shape}: {kib} KiB");
    }
}

#[test]
fn memory_is_bounded_where_some_nodes_write_very_long_lines() {
    let script = "head -c 300000 /dev/zero";
    stays_small(300, script, &["--color=never", "--json", "-b"]);
}

#[test]
fn memory_is_bounded_where_many_nodes_write_long_lines_on_both_streams() {
    let script = "head -c 50000 /dev/zero; head -c 50000 /dev/zero >&2";
    stays_small(1000, script, &["--color=never"]);
}

#[test]
fn nobody_runs_into_a_time_limit_because_others_do_not_end_their_lines() {
    // All of them hold their line until all have written most of it: together more than there is room for.
    let place = scratch();
    let directory = text(place.path());
    let script = format!(
        "head -c 400000 /dev/zero; >{directory}/%h; until [ -e {directory}/go ]; do sleep 0.2; done"
    );
    let words = ["-n", "-f", "100", "-u", "240", "sh", "-c", &script];
    let running = start(&mut exec("n[1-100]", words));
    wait_until("all to have written", || {
        std::fs::read_dir(place.path()).expect("listed").count() == 100
    });
    std::fs::write(place.path().join("go"), "").expect("go");
    let done = running.finish();
    assert_eq!(done.code(), 0, "{}", done.err());
    // All that was written is printed, in however many pieces, and that is said once.
    let nodes = by_label(&done.stdout);
    assert_eq!(nodes.len(), 100);
    for (name, pieces) in nodes {
        let bytes: usize = pieces.iter().map(Vec::len).sum();
        assert_eq!(bytes, 400_000, "{name}");
    }
    assert_eq!(done.err().matches("in pieces").count(), 1, "{}", done.err());
}

#[test]
fn lines_that_never_end_hold_up_nobody_else() {
    // Silent nodes with long unfinished lines, and one that has something to say.
    let nap = nap();
    let script = format!(
        "[ %h = talker ] && {{ head -c 300000 /dev/zero; echo; echo told; }} || head -c 300000 /dev/zero; exec sleep {nap}"
    );
    let running = start(&mut exec("n[1-15],talker", ["sh", "-c", &script]));
    running.stdout.wait_for("talker: told\n");
    running.signal(TERM);
    let done = running.finish();
    // What had arrived comes at the end, each a line of its own.
    assert_eq!(done.out().lines().count(), 15 + 2);
    assert_eq!(count(&["sleep", &nap]), 0);
}
