//! Readers that leave, are slow, or read nothing at all: the run ends or waits, and memory stays bounded.

use crate::kit::{
    Held, Stray, TERM, assert_bounded_memory, count, exec, high_water_kib, nap, read_all, through,
    wait_idle,
};
use crate::support::{children, is_alive, run, wait_until};
use clsh::engine::{Effect, Engine, Event, Plan, Protocol};
use clsh::limits::{LINE_BYTES_MAX, UNFINISHED_BYTES_MAX};
use clsh::output::Stream;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Runs the call with `head -1` behind it; gives what head printed, and checks that clsh ended as its reader left and said nothing.
fn before_head(call: &Command) -> String {
    let script = r#""$@" | head -1; exit "${PIPESTATUS[0]}""#;
    let done = run(&mut through("bash", script, call));
    assert_eq!((done.code(), done.err()), (141, String::new()));
    done.out()
}

#[test]
fn a_flood_ends_quietly_when_its_reader_leaves() {
    let nap = nap();
    let _stray = Stray::new(&["yes", &nap]);
    assert_eq!(
        before_head(&exec("n1", ["yes", &nap])),
        format!("n1: {nap}\n")
    );
    assert_eq!(count(&["yes", &nap]), 0);
    let first = before_head(&exec("n[1-32]", ["-v", "yes", &nap]));
    assert!(first.ends_with(&format!(": {nap}\n")), "{first}");
    assert_eq!(count(&["yes", &nap]), 0);
}

#[test]
fn nodes_that_fall_silent_end_when_the_reader_leaves() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let script = format!("echo one; exec sleep {nap}");
    assert_eq!(before_head(&exec("n1", ["sh", "-c", &script])), "n1: one\n");
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn a_reader_that_leaves_is_noticed_on_a_merged_pipe() {
    let nap = nap();
    let _stray = Stray::new(&["yes", &nap]);
    let script = r#""$@" 2>&1 | head -1; exit "${PIPESTATUS[0]}""#;
    let done = run(&mut through("bash", script, &exec("n[1-4]", ["yes", &nap])));
    assert_eq!(done.code(), 141);
    assert_eq!(done.out().lines().count(), 1);
    assert_eq!(count(&["yes", &nap]), 0);
}

#[test]
fn a_stderr_whose_reader_left_does_not_end_the_run() {
    let script = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i >&2; done; echo done; exit 3";
    let mut call = exec("n[1-2]", ["sh", "-c", script]);
    let mut held = Held::start(call.stdout(Stdio::piped()).stderr(Stdio::piped()));
    drop(held.0.stderr.take());
    let out = read_all(held.0.stdout.take().expect("piped"));
    assert_eq!(held.wait(), 3);
    let out = String::from_utf8(out).expect("text");
    assert_eq!(out.lines().count(), 2, "{out}");
}

/// Starts the call with this stream never read, waits until it comes to rest, and checks its memory, its end by SIGTERM and that all
/// children are gone with it.
fn ends_while_stuck(call: &mut Command, stuck: Stream) {
    let (mut out, mut err) = (Stdio::piped(), Stdio::null());
    if stuck == Stream::Err {
        std::mem::swap(&mut out, &mut err);
    }
    let mut held = Held::start(call.stdout(out).stderr(err));
    wait_until("children", || !children(held.pid()).is_empty());
    wait_idle(held.pid());
    let nodes: Vec<i32> = children(held.pid()).iter().map(|node| node.pid).collect();
    assert!(!nodes.is_empty());
    assert_bounded_memory(held.pid());
    held.signal(TERM);
    assert_eq!(held.wait(), 128 + TERM);
    for pid in nodes {
        assert!(!is_alive(pid));
    }
}

#[test]
fn a_stuck_reader_of_a_flood_bounds_memory_and_sigterm_ends_it() {
    ends_while_stuck(&mut exec("n[1-16]", ["yes", &nap()]), Stream::Out);
}

#[test]
fn a_stuck_reader_of_empty_lines_under_long_labels_bounds_memory() {
    let names: Vec<String> = (1..=16)
        .map(|n| format!("{}{n}", "n".repeat(250)))
        .collect();
    ends_while_stuck(&mut exec(&names.join(","), ["yes", ""]), Stream::Out);
}

#[test]
fn a_stuck_reader_of_lines_without_end_bounds_memory_and_sigterm_ends_it() {
    ends_while_stuck(
        &mut exec("n[1-64]", ["head", "-c", "3000000", "/dev/zero"]),
        Stream::Out,
    );
}

#[test]
fn a_stuck_reader_of_stderr_bounds_memory_and_sigterm_ends_it() {
    let script = format!("exec yes {} >&2", nap());
    ends_while_stuck(&mut exec("n[1-16]", ["sh", "-c", &script]), Stream::Err);
}

#[test]
fn a_slow_reader_gets_every_byte_of_lines_without_end_within_bounded_memory() {
    const EACH: usize = 3_000_000;
    let mut call = exec("n[1-64]", ["-q", "head", "-c", "3000000", "/dev/zero"]);
    let mut held = Held::start(call.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut pipe = held.0.stdout.take().expect("piped");
    let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
    let mut reads = 0;
    loop {
        let count = pipe.read(&mut buffer).expect("read");
        if count == 0 {
            break;
        }
        // What a node wrote is all zeros, and no label is.
        bytes += memchr::memchr_iter(0, &buffer[..count]).count();
        reads += 1;
        // Slow at first, and again when the buffers are full: memory only ever grows while output waits.
        if reads % 8 == 0 && reads < 1600 {
            thread::sleep(Duration::from_millis(10));
        }
        if reads % 64 == 0 && high_water_kib(held.pid()).is_some() {
            assert_bounded_memory(held.pid());
        }
    }
    assert_eq!(bytes, 64 * EACH);
    assert_eq!(held.wait(), 0);
}

#[test]
fn a_reader_that_was_stuck_gets_every_line_once_it_reads_on() {
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i of many; done";
    let mut call = exec("n[1-4]", ["sh", "-c", script]);
    let mut held = Held::start(call.stdout(Stdio::piped()).stderr(Stdio::null()));
    wait_until("children", || !children(held.pid()).is_empty());
    wait_idle(held.pid());
    let out = String::from_utf8(read_all(held.0.stdout.take().expect("piped"))).expect("text");
    assert_eq!(held.wait(), 0);
    for node in 1..=4 {
        let label = format!("n{node}: ");
        let lines = out.lines().filter_map(|line| line.strip_prefix(&label));
        let wanted = (1..=20_000).map(|i| format!("line {i} of many"));
        assert!(lines.eq(wanted), "{label}");
    }
}

#[test]
fn a_terminal_that_is_stopped_bounds_memory_and_sigterm_ends_the_run() {
    let nap = nap();
    let _stray = Stray::new(&["yes", &nap]);
    let mut call = Command::new("script");
    let words = format!("exec \"$CLSH\" -h 'n[1-16]' -R exec yes {nap}");
    call.args(["-qec", &words, "/dev/null"])
        .env("CLSH", env!("CARGO_BIN_EXE_clsh"))
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    // Stopping script(1) stops the terminal: nobody reads its other side then.
    let mut terminal = Held::start(&mut call);
    wait_until("16 nodes", || count(&["yes", &nap]) == 16);
    let clsh = children(terminal.pid())[0].pid;
    terminal.signal(crate::kit::STOP);
    wait_idle(clsh);
    assert_bounded_memory(clsh);
    crate::support::kill(clsh, TERM);
    wait_until("no node", || count(&["yes", &nap]) == 0);
    wait_until("no clsh", || !is_alive(clsh));
    terminal.signal(crate::kit::CONT);
    assert_eq!(terminal.wait(), 128 + TERM);
}

/// 64 nodes that write without end and without newline, in the engine alone: its clock is ours, so a reader can be stuck for long.
/// Gives the most bytes it ever held, read and not yet handed on.
fn held_while_stuck(stuck: Duration) -> usize {
    let labels = (0..64).map(|node| format!("n{node}").into()).collect();
    let mut engine = Engine::new(Plan {
        warn: false,
        ..Plan::new(labels, Protocol::Local)
    });
    let bytes = vec![0; 1 << 16];
    let (mut now, mut taken, mut given, mut most) = (Duration::ZERO, 0, 0, 0);
    let mut turn = |now: Duration, reader: &mut dyn FnMut(usize) -> usize| {
        engine.begin_turn(now);
        for late in [false, true] {
            if late {
                engine.on_timeout();
            }
            while let Some(effect) = engine.poll_effect() {
                match effect {
                    Effect::Spawn { node } => {
                        engine.on_event(Event::Spawned {
                            node,
                            pid: 1 + node as i32,
                        });
                        let source = clsh::engine::Source {
                            node,
                            stream: Stream::Out,
                        };
                        engine.on_event(Event::Readable {
                            source,
                            hung_up: false,
                        });
                    }
                    Effect::Read { source, limit } => {
                        taken += limit;
                        let bytes = &bytes[..limit];
                        engine.on_event(Event::Bytes {
                            source,
                            bytes,
                            dry: false,
                        });
                    }
                    Effect::Write { sink } => {
                        let count = reader(engine.pending(sink).len());
                        given += count;
                        engine.on_event(Event::Wrote { sink, bytes: count });
                        if !engine.pending(sink).is_empty() {
                            engine.on_event(Event::Blocked { sink });
                        }
                    }
                    _ => {}
                }
            }
        }
        most = most.max(taken.saturating_sub(given));
        engine.on_event(Event::Writable { sink: Stream::Out });
        engine.poll_timeout()
    };
    // Nobody reads until `stuck` has passed; then a reader takes 64 KiB a turn.
    for _ in 0..200 {
        turn(now, &mut |_| 0);
        now += stuck / 200;
    }
    for _ in 0..1500 {
        turn(now, &mut |pending| pending.min(1 << 16));
        now += Duration::from_millis(1);
    }
    most
}

#[test]
fn long_lines_take_no_more_memory_the_longer_their_reader_was_stuck() {
    // Beside unfinished lines what waits for the reader: up to its bound, one line more, and what was read last.
    let bound = UNFINISHED_BYTES_MAX + 2 * LINE_BYTES_MAX;
    for secs in [0, 60] {
        let held = held_while_stuck(Duration::from_secs(secs));
        assert!(
            held < bound,
            "{held} bytes held after {secs} s without a reader"
        );
    }
}
