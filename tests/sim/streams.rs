//! Streams: when they end, who holds them, how much is read of them.

use super::script::{Actor, Quirks, Scenario, SinkStep, Step, farewell, hello, nonce, out, wait};
use super::turn::run;
use clsh::engine::{Exit, Protocol, Request};
use clsh::limits::{DRAIN_GRACE, READ_BYTES_MAX};
use clsh::outcome::Outcome;
use clsh::output::Stream;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn exit_before_eof_and_eof_before_exit_join_alike() {
    let exit = Step::Exit(Exit::Code(7));
    let close = [Step::Close(Stream::Out), Step::Close(Stream::Err)];
    let says = || vec![wait(5), out("whole\nhalf")];
    let together = Actor::new([says(), vec![exit.clone()]].concat());
    let eof_first = Actor::new([says(), close.to_vec(), vec![wait(50), exit.clone()]].concat());
    let mut exit_first = Actor::new([says(), vec![exit]].concat());
    exit_first.background = Some(vec![wait(100)]);
    for protocol in [Protocol::Bare, Protocol::Local] {
        for actor in [&together, &eof_first, &exit_first] {
            let record = run(&Scenario::calm(protocol.clone(), vec![actor.clone()]));
            assert_eq!(record.outcomes, [Outcome::Exited(7)]);
            assert_eq!(shown(&record.shown[0]), "n0: whole\nn0: half\n");
            assert!(record.over < DRAIN_GRACE, "waits for the grace for nothing");
        }
    }
}

#[test]
fn a_background_writer_does_not_hold_the_node() {
    let line = |number: u32| [wait(10), out(format!("late {number}\n"))];
    let chatty: Vec<Step> = (0..1000).flat_map(line).collect();
    let flooding = vec![
        out("late flood of a background process\n".repeat(100_000)),
        Step::Sleep,
    ];
    for background in [vec![Step::Sleep], chatty, flooding] {
        let mut actor = Actor::new(vec![out("early\n"), Step::Exit(Exit::Code(0))]);
        actor.background = Some(background);
        let record = run(&Scenario::calm(Protocol::Local, vec![actor]));
        assert_eq!(record.outcomes, [Outcome::Exited(0)]);
        assert!(record.shown[0].starts_with(b"n0: early\n"));
        assert!(
            record.over <= DRAIN_GRACE + SECOND / 100,
            "{:?}",
            record.over
        );
    }
}

#[test]
fn what_arrives_within_the_grace_is_shown() {
    let mut actor = Actor::new(vec![Step::Exit(Exit::Code(0))]);
    actor.background = Some(vec![
        wait(499),
        out("just in time\n"),
        wait(2),
        out("late\n"),
    ]);
    let record = run(&Scenario::calm(Protocol::Local, vec![actor]));
    assert_eq!(shown(&record.shown[0]), "n0: just in time\n");
}

#[test]
fn a_flood_on_one_node_does_not_delay_the_lines_of_another() {
    let flood = Actor::new(vec![
        out(format!("{:99}\n", "flood").repeat(40_000)),
        Step::Exit(Exit::Code(0)),
    ]);
    let quiet = Actor::new(vec![wait(1), out("quiet\n"), Step::Exit(Exit::Code(0))]);
    for seed in 0..5 {
        let mut scenario = Scenario::calm(Protocol::Local, vec![flood.clone(), quiet.clone()]);
        scenario.seed = seed;
        let record = run(&scenario);
        let text = shown(&record.shown[0]);
        let before = text.find("n1: quiet\n").expect("the quiet node's line");
        // A pipe is filled anew every 100 microseconds or so; a read's worth may stand before the line, and one after it in the queue.
        let filled = before / READ_BYTES_MAX;
        assert!(filled < 20, "{filled} reads of the flood come first");
    }
}

/// A node that says so many bytes without an end, one after the other as its pipe takes them, and ends its line a while later.
fn mumbling(rank: usize, bytes: usize) -> Actor {
    let text = format!("{rank};").repeat(bytes / 2);
    Actor::new(vec![
        out(&text[..bytes]),
        wait(3000),
        out("\n"),
        Step::Exit(Exit::Code(0)),
    ])
}

#[test]
fn beyond_the_budget_the_longest_lines_come_in_pieces_and_whole_when_joined() {
    const BUDGET: usize = 1_000_000;
    for (nodes, bytes, cut) in [(10, 90_000, false), (10, 900_000, true), (60, 30_000, true)] {
        let actors = (0..nodes).map(|rank| mumbling(rank, bytes)).collect();
        let mut scenario = Scenario::calm(Protocol::Local, actors);
        scenario.long_lines = true;
        scenario.plan.unfinished_max = BUDGET;
        let record = run(&scenario);
        assert_eq!(record.outcomes, vec![Outcome::Exited(0); nodes]);
        let text = shown(&record.shown[0]);
        assert_eq!(text.lines().count() > nodes, cut, "{nodes} x {bytes}");
        let said = shown(&record.shown[1]);
        let told = said.matches("unfinished lines").count();
        assert_eq!(told, usize::from(cut), "{said}");
        // Nobody's line is cut more often than the budget asks for.
        assert!(
            text.lines().count() <= nodes + 2 * nodes * bytes / BUDGET * 10,
            "{nodes} x {bytes}"
        );
        for rank in 0..nodes {
            let label = format!("n{rank}: ");
            let pieces = text.lines().filter_map(|line| line.strip_prefix(&label));
            let whole = format!("{rank};").repeat(bytes / 2);
            assert!(pieces.collect::<String>() == whole[..bytes], "n{rank}");
        }
    }
}

#[test]
fn short_lines_are_never_cut_however_many_there_are() {
    let text = |rank: usize| format!("{rank};").repeat(1000)[..1000].to_owned();
    let actors = (0..60).map(|rank| mumbling(rank, 1000)).collect();
    let mut scenario = Scenario::calm(Protocol::Local, actors);
    scenario.plan.unfinished_max = 10_000;
    let record = run(&scenario);
    let shown = shown(&record.shown[0]);
    assert_eq!(shown.lines().count(), 60);
    assert!((0..60).all(|rank| shown.contains(&format!("n{rank}: {}\n", text(rank)))));
}

#[test]
fn nobody_waits_for_the_end_of_anothers_line() {
    // More bytes without an end than the budget has, from nodes that then say nothing more; and one with a long line of its own.
    let silent = Actor::new(vec![out(vec![b'x'; 100_000]), Step::Sleep]);
    for length in [120_000, 300_000] {
        let line = [vec![b'y'; length], b"\n".to_vec()].concat();
        let last = Actor::new(vec![wait(10), out(line), Step::Exit(Exit::Code(0))]);
        let mut actors = vec![silent.clone(); 40];
        actors.push(last);
        let mut scenario = Scenario::calm(Protocol::Local, actors);
        scenario.long_lines = true;
        scenario.plan.unfinished_max = 1_000_000;
        scenario.requests = vec![(SECOND / 2, Request::End(15))];
        let record = run(&scenario);
        assert_eq!(record.outcomes[40], Outcome::Exited(0));
        assert!(record.over < SECOND, "{:?}", record.over);
    }
}

#[test]
fn a_reader_that_pauses_stops_the_reading_and_loses_nothing() {
    let actors = vec![
        Actor::new(vec![
            out(format!("{:99}\n", "line").repeat(5_000)),
            Step::Exit(Exit::Code(0))
        ]);
        3
    ];
    let mut scenario = Scenario::calm(Protocol::Local, actors);
    scenario.sinks[0] = vec![
        SinkStep::Take(1000),
        SinkStep::Wait(SECOND * 60),
        SinkStep::Free,
    ];
    let record = run(&scenario);
    assert_eq!(record.outcomes, [Outcome::Exited(0); 3]);
    assert_eq!(record.shown[0].len(), 3 * 5_000 * ("n0: ".len() + 100));
    assert!(record.over >= SECOND * 60);
}

#[test]
fn a_false_alarm_while_the_output_is_stuck_leaves_no_stream_open() {
    let mut holder = Actor::new(vec![Step::Exit(Exit::Code(0))]);
    holder.background = Some(vec![Step::Sleep]);
    let flood = Actor::new(vec![
        out(vec![b'\n'; 400_000]),
        wait(10),
        Step::Exit(Exit::Code(0)),
    ]);
    let mut scenario = Scenario::calm(Protocol::Local, vec![holder, flood]);
    scenario.quirks.spurious_percent = 100;
    scenario.sinks[0] = vec![SinkStep::Wait(SECOND * 2), SinkStep::Free];
    let record = run(&scenario);
    assert_eq!(record.outcomes, [Outcome::Exited(0); 2]);
    assert!(record.over < SECOND * 2 + DRAIN_GRACE * 2);
}

#[test]
fn what_was_written_before_the_end_is_shown_though_the_kernel_comes_late_to_tell_of_it() {
    // Of thousands of streams that have something to say at once, a turn hears of a part only; here of one, and turns take long.
    for (protocol, frames) in [
        (Protocol::Local, false),
        (Protocol::Bare, false),
        (Protocol::Framed(nonce()), true),
    ] {
        let [first, second, exit] = farewell(3);
        let said = vec![wait(10), out("whole\nhalf")];
        let script = match frames {
            true => [vec![hello()], said, vec![first, second, exit]].concat(),
            false => [said, vec![exit]].concat(),
        };
        let mut scenario = Scenario::calm(protocol, vec![Actor::new(script); 20]);
        scenario.quirks = Quirks {
            edges_max: 1,
            stall_percent: 100,
            stall_max: SECOND,
            ..Quirks::default()
        };
        for seed in 0..20 {
            scenario.seed = seed;
            let record = run(&scenario);
            assert_eq!(record.outcomes, [Outcome::Exited(3); 20], "seed {seed}");
            assert_eq!(shown(&record.shown[0]).lines().count(), 20 * 2);
        }
    }
}

#[test]
fn what_a_background_process_says_after_the_exit_frame_is_shown_too() {
    let [frame, other, exit] = farewell(3);
    let script = vec![
        hello(),
        out("a\n"),
        frame,
        other,
        out("b\n"),
        wait(100),
        out("c\n"),
        exit,
    ];
    let record = run(&Scenario::calm(
        Protocol::Framed(nonce()),
        vec![Actor::new(script)],
    ));
    assert_eq!(record.outcomes, [Outcome::Exited(3)]);
    assert_eq!(shown(&record.shown[0]), "n0: a\nn0: b\nn0: c\n");
}
