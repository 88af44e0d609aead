//! Streams: when they end, who holds them, how much is read of them.

use super::script::{Actor, Quirks, Scenario, SinkStep, Step, farewell, hello, nonce, out, wait};
use super::turn::run;
use clsh::engine::{Exit, Protocol};
use clsh::limits::{DRAIN_GRACE, LONG_LINE_BYTES, LONG_LINES_MAX, READ_BYTES_MAX};
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

#[test]
fn long_lines_do_not_grow_memory_beyond_the_seats() {
    const NODES: usize = 40;
    const LINE: usize = 900_000;
    let actors = (0..NODES).map(|_| {
        Actor::new(vec![
            out(vec![b'x'; LINE]),
            wait(500),
            out("\n"),
            Step::Exit(Exit::Code(0)),
        ])
    });
    let mut scenario = Scenario::calm(Protocol::Local, actors.collect());
    scenario.long_lines = true;
    let record = run(&scenario);
    assert_eq!(record.outcomes, [Outcome::Exited(0); NODES]);
    assert_eq!(
        record.shown[0].len(),
        NODES * LINE + "n0: \n".len() * 10 + "n10: \n".len() * 30
    );
    let seats = LONG_LINES_MAX * LINE;
    let others = NODES * (LONG_LINE_BYTES + READ_BYTES_MAX);
    assert!(record.unfinished_max > seats / 2, "the seats are used");
    assert!(
        record.unfinished_max <= seats + others,
        "{} bytes are held",
        record.unfinished_max
    );
}

#[test]
fn seats_held_by_the_silent_do_not_starve_the_others() {
    // As many as there are seats begin a line and never end it. The last node's long line still comes, also when its process ends while
    // the rest of the line waits in the pipe.
    let silent = Actor::new(vec![out(vec![b'x'; 100_000]), Step::Sleep]);
    for length in [120_000, 300_000] {
        let line = [vec![b'y'; length], b"\n".to_vec()].concat();
        let last = Actor::new(vec![wait(10), out(line), Step::Exit(Exit::Code(0))]);
        let mut actors = vec![silent.clone(); LONG_LINES_MAX];
        actors.push(last);
        let mut scenario = Scenario::calm(Protocol::Local, actors);
        scenario.long_lines = true;
        scenario.plan.time_limit = Some(SECOND * 20);
        let record = run(&scenario);
        let (others, last) = record.outcomes.split_at(LONG_LINES_MAX);
        assert_eq!(others, [Outcome::TimedOut; LONG_LINES_MAX]);
        assert_eq!(last, [Outcome::Exited(0)]);
    }
}

#[test]
fn a_seat_is_given_on_as_soon_as_its_line_is_done() {
    let long_line = |rank: u64| {
        let line = [vec![b'x'; 300_000], b"\n".to_vec()].concat();
        Actor::new(vec![wait(rank * 10), out(line), Step::Exit(Exit::Code(0))])
    };
    let actors = (0..3 * LONG_LINES_MAX as u64).map(long_line);
    let mut scenario = Scenario::calm(Protocol::Local, actors.collect());
    scenario.long_lines = true;
    let record = run(&scenario);
    assert!(record.over < SECOND, "{:?}", record.over);
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
