//! A line is out as soon as it is complete, whatever else goes on.

use crate::kit::{Held, TERM, count, exec, labelled, nap, sleeps, wait_idle};
use crate::support::{children, start, wait_until};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

fn lines_are_out_while_all_nodes_live(nodes: usize) {
    let nap = nap();
    let list = format!("n[1-{nodes}]");
    let script = format!("echo ready %h; exec sleep {nap}");
    let running = start(&mut exec(
        &list,
        ["-f", &nodes.to_string(), "sh", "-c", &script],
    ));
    wait_until("a line of each node", || {
        let bytes = running.stdout.bytes();
        bytes.iter().filter(|&&byte| byte == b'\n').count() == nodes
    });
    assert_eq!(children(running.pid()).len(), nodes);
    running.signal(TERM);
    let done = running.finish();
    let mut wanted: Vec<String> = (1..=nodes).map(|n| format!("n{n}: ready n{n}")).collect();
    wanted.sort();
    assert_eq!(done.sorted(), wanted);
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn a_line_is_out_while_its_node_lives() {
    lines_are_out_while_all_nodes_live(1);
}

#[test]
fn lines_are_out_while_500_nodes_live() {
    lines_are_out_while_all_nodes_live(500);
}

#[test]
fn a_partial_line_waits_for_its_newline() {
    let directory = crate::support::scratch();
    let script = r#"
printf 'half'; echo mark >&2; while [ ! -e first ]; do sleep 0.01; done
echo ' and half'; printf 'rest'; echo mark >&2; while [ ! -e second ]; do sleep 0.01; done"#;
    let running = start(exec("n1", ["sh", "-c", script]).current_dir(directory.path()));
    running.stderr.wait_for("n1: mark\n");
    wait_idle(running.pid());
    assert_eq!(running.stdout.text(), "");
    fs::write(directory.path().join("first"), "").expect("write");
    running.stderr.wait_for("n1: mark\nn1: mark\n");
    running.stdout.wait_for("half");
    wait_idle(running.pid());
    assert_eq!(running.stdout.text(), "n1: half and half\n");
    fs::write(directory.path().join("second"), "").expect("write");
    let done = running.finish();
    assert_eq!(done.out(), labelled("n1", &["half and half", "rest"]));
}

#[test]
fn a_flood_on_one_node_does_not_hold_back_the_lines_of_another() {
    let nap = nap();
    let script =
        format!("case %n in 0) exec yes {nap};; esac; while :; do echo tick; sleep 0.02; done");
    let mut call = exec("flood,clock", ["sh", "-c", &script]);
    let mut held = Held::start(call.stdout(Stdio::piped()).stderr(Stdio::null()));
    let pipe = held.0.stdout.take().expect("piped");
    let reader = thread::spawn(move || {
        let (mut pipe, mut line) = (BufReader::with_capacity(1 << 18, pipe), Vec::new());
        let (mut flood, mut ticks) = (0_u64, 0);
        while ticks < 20 {
            line.clear();
            assert!(pipe.read_until(b'\n', &mut line).expect("read") > 0);
            if line == b"clock: tick\n" {
                // Only ticks that came while the flood went on count.
                ticks += u32::from(std::mem::take(&mut flood) > 0);
            } else {
                flood += 1;
            }
        }
        pipe
    });
    wait_until("20 ticks amid a flood", || reader.is_finished());
    let pipe = reader.join().expect("ticks");
    let drained = thread::spawn(move || {
        let mut pipe = pipe;
        std::io::copy(&mut pipe, &mut std::io::sink())
    });
    held.signal(TERM);
    assert_eq!(held.wait(), 128 + TERM);
    drained.join().expect("joined").expect("drained");
    assert_eq!(count(&["yes", &nap]), 0);
}

#[test]
fn nothing_wakes_clsh_while_nothing_happens() {
    let script = format!("echo up; exec sleep {}", nap());
    let running = start(&mut exec("n[1-8]", ["-u", "900", "sh", "-c", &script]));
    wait_until("all up", || running.stdout.text().lines().count() == 8);
    wait_idle(running.pid());
    let before = sleeps(running.pid());
    thread::sleep(Duration::from_millis(500));
    assert_eq!(sleeps(running.pid()), before);
    running.signal(TERM);
    running.finish();
}

#[test]
fn a_flood_into_a_place_that_takes_everything_holds_back_neither_lines_nor_signals() {
    let nap = nap();
    let script =
        format!("case %n in 0) exec yes {nap};; esac; while :; do echo tick >&2; sleep 0.02; done");
    let mut call = exec("flood,clock", ["-q", "sh", "-c", &script]);
    let mut held = Held::start(call.stdout(Stdio::null()).stderr(Stdio::piped()));
    let pipe = held.0.stderr.take().expect("piped");
    let reader = thread::spawn(move || {
        let ticks = BufReader::new(pipe).lines().map_while(Result::ok);
        ticks.filter(|line| line == "clock: tick").take(20).count()
    });
    wait_until("20 ticks beside a flood", || reader.is_finished());
    assert_eq!(reader.join().expect("joined"), 20);
    assert_eq!(count(&["yes", &nap]), 1);
    held.signal(TERM);
    assert_eq!(held.wait(), 128 + TERM);
    assert_eq!(count(&["yes", &nap]), 0);
}
