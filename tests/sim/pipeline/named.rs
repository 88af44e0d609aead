//! The same world by hand, for each behaviour that has a name.

use super::{Case, Faults, World, run};
use crate::script::{
    Actor, Scenario, SinkStep, SourceStep, Step, farewell, hello, nonce, out, wait,
};
use clsh::engine::{Exit, Progress, Protocol, Request, Stdin};
use clsh::job::{Retries, Shape};
use clsh::limits::LINE_BYTES_MAX;
use clsh::outcome::{Outcome, Reason};
use clsh::output::Stream;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// These actors behind the wrapper, each with this script between hello and farewell, in a well-behaved world.
fn calm(scripts: Vec<Vec<Step>>) -> Case {
    let actors = scripts.into_iter().map(|body| {
        let mut script = vec![hello()];
        script.extend(body);
        script.extend(farewell(0));
        Actor::new(script)
    });
    let actors: Vec<Actor> = actors.collect();
    Case {
        tries: actors.iter().map(|_| Vec::new()).collect(),
        scenario: Scenario::calm(Protocol::Framed(nonce()), actors),
        text: Vec::new(),
        supply: Vec::new(),
        faults: Faults::default(),
    }
}

/// The same with so much on clsh's stdin.
fn fed(scripts: Vec<Vec<Step>>, supply: Vec<SourceStep>) -> Case {
    let mut case = calm(scripts);
    let given = |step: &SourceStep| match *step {
        SourceStep::Give(bytes) => bytes,
        _ => 0,
    };
    let size: usize = supply.iter().map(given).sum();
    case.text = (0..size).map(|at| (at % 251) as u8).collect();
    case.scenario.plan.input = Stdin::Stream;
    case.supply = supply;
    case
}

fn drain() -> Step {
    Step::Drain(65_536, Duration::ZERO)
}

#[test]
fn a_node_that_waits_for_another_that_does_not_read_is_not_timed_out() {
    let second = Duration::from_secs(1);
    // The one that sleeps holds up the input of both.
    for (seed, limit) in [(1, 5), (2, 2), (3, 60)] {
        let scripts = vec![vec![drain(), wait(1500)], vec![Step::Sleep]];
        let mut case = fed(scripts, vec![SourceStep::Give(20 * MIB), SourceStep::End]);
        case.scenario.seed = seed;
        case.scenario.plan.time_limit = Some(second * limit);
        let world = run(&case, false);
        let outcomes: Vec<Outcome> = world.engine.outcomes().map(|one| one.1).collect();
        assert_eq!(outcomes, [Outcome::Exited(0), Outcome::TimedOut]);
        assert!(world.now >= second * limit);
    }
}

#[test]
fn the_clock_of_a_node_goes_on_while_nobody_holds_its_input_back() {
    let second = Duration::from_secs(1);
    let limit = second * 3;
    // Nothing comes; it has all and does something else; it reads slowly, and is the one for whose sake the other waits.
    let slow = Step::Drain(65_536, second / 10);
    let late = vec![
        SourceStep::Wait(second * 9),
        SourceStep::Give(10),
        SourceStep::End,
    ];
    let much = vec![SourceStep::Give(20 * MIB), SourceStep::End];
    let little = vec![SourceStep::Give(MIB), SourceStep::End];
    for (scripts, supply, wanted) in [
        (vec![vec![drain()]], late, vec![Outcome::TimedOut]),
        (
            vec![vec![drain(), wait(9000)]],
            little,
            vec![Outcome::TimedOut],
        ),
        (
            vec![vec![slow], vec![drain()]],
            much,
            vec![Outcome::TimedOut, Outcome::Exited(0)],
        ),
    ] {
        let mut case = fed(scripts, supply);
        case.scenario.plan.time_limit = Some(limit);
        let world = run(&case, false);
        let outcomes: Vec<Outcome> = world.engine.outcomes().map(|one| one.1).collect();
        assert_eq!(outcomes, wanted);
    }
}

fn all_well(world: &World) {
    let outcomes = world.engine.outcomes();
    assert!(
        outcomes
            .map(|(_, outcome)| outcome)
            .all(|outcome| outcome == Outcome::Exited(0))
    );
    assert_eq!(world.engine.reason(), None);
}

#[test]
fn nodes_that_start_later_get_all_of_a_stream_from_its_first_byte_on() {
    let nodes = (0..5).map(|_| vec![drain()]).collect();
    let mut case = fed(nodes, vec![SourceStep::Give(5 * MIB), SourceStep::End]);
    case.scenario.plan.window = 2;
    let world = run(&case, false);
    all_well(&world);
    assert!(world.spooled);
    assert!(world.lives.iter().all(|lives| lives[0].read == 5 * MIB));
}

#[test]
fn nodes_that_start_together_need_no_file() {
    let nodes = (0..5).map(|_| vec![drain()]).collect();
    let case = fed(nodes, vec![SourceStep::Give(5 * MIB), SourceStep::End]);
    let world = run(&case, false);
    all_well(&world);
    assert!(!world.spooled);
}

#[test]
fn a_node_that_never_reads_holds_the_others_until_it_ends() {
    let nodes = vec![vec![drain()], vec![wait(3000)]];
    let case = fed(nodes, vec![SourceStep::Give(4 * MIB), SourceStep::End]);
    let world = run(&case, false);
    all_well(&world);
    let end = |node: usize| world.lives[node][0].reaped.map(|(at, _)| at);
    assert!(end(0) > end(1));
}

#[test]
fn a_node_that_is_done_does_not_take_the_others_down() {
    let some = (0..17).map(|_| Step::Take(65_536));
    let mut reads_again = vec![hello()];
    reads_again.extend(some);
    reads_again.push(wait(300));
    let [stdout, stderr, exit] = farewell(0);
    // Its transport reads on after the command is done.
    reads_again.extend([
        stdout,
        stderr,
        wait(100),
        Step::Take(65_536),
        wait(100),
        exit,
    ]);
    let supply = vec![SourceStep::Give(3 * MIB), SourceStep::End];
    let mut case = fed(vec![vec![drain()], vec![drain()], vec![]], supply);
    case.scenario.actors[1].script.insert(0, wait(200));
    case.scenario.actors[2].script = reads_again;
    // While a node connects, all is kept in the file, for it may have to be tried again.
    case.scenario.plan.retries.most = 1;
    all_well(&run(&case, false));
}

#[test]
fn a_late_hello_costs_no_input() {
    let supply = vec![
        SourceStep::Give(1_000_000),
        SourceStep::Wait(Duration::from_millis(1600)),
        SourceStep::Give(2 * MIB),
        SourceStep::End,
    ];
    let mut case = fed(vec![vec![drain()], vec![drain()]], supply);
    case.scenario.plan.connect = Duration::from_secs(1);
    case.scenario.plan.retries = Retries {
        most: 1,
        delay: Duration::from_millis(10),
    };
    let mut late = Actor::new(vec![Step::Sleep]);
    late.on_term = Some(vec![
        wait(10),
        hello(),
        wait(300),
        Step::Exit(Exit::Code(255)),
    ]);
    case.tries[1] = vec![late];
    let world = run(&case, false);
    all_well(&world);
    assert_eq!(world.lives[1][1].read, case.text.len());
}

#[test]
fn nodes_that_are_not_started_count_as_done_at_once() {
    let mut case = calm(vec![vec![wait(60_000)], vec![]]);
    case.scenario.plan.window = 1;
    case.scenario.plan.progress = Some(Progress {
        after: Duration::ZERO,
        columns: 80,
    });
    case.scenario.actors[0].on_term = None;
    case.scenario.requests = vec![(Duration::from_secs(1), Request::End(2))];
    let world = run(&case, false);
    let shown = String::from_utf8_lossy(world.shown(Stream::Err)).into_owned();
    assert!(shown.contains("1/2 done"), "{shown:?}");
}

#[test]
fn a_closed_stderr_takes_no_progress_line() {
    let mut case = calm(vec![vec![wait(1000)]]);
    case.scenario.plan.progress = Some(Progress {
        after: Duration::ZERO,
        columns: 80,
    });
    let closes = vec![
        SinkStep::Take(3),
        SinkStep::Wait(Duration::from_millis(100)),
        SinkStep::Close,
    ];
    case.scenario.sinks[1] = closes;
    all_well(&run(&case, false));
}

/// Three signals, after which nobody is waited for.
fn impatience(case: &mut Case, from: u64) {
    let at = |number: u64| Duration::from_millis(from + 300 * number);
    case.scenario.requests = (0..3)
        .map(|number| (at(number), Request::End([2, 15, 1][number as usize])))
        .collect();
}

fn flood() -> Step {
    let lines = (0..8000).flat_map(|number| format!("o{number:050}\n").into_bytes());
    out(lines.collect::<Vec<u8>>())
}

#[test]
fn a_reader_that_stands_still_does_not_hold_a_run_that_is_given_up() {
    for shape in [
        Shape::Lines,
        Shape::Ordered,
        Shape::Json,
        Shape::Gathered { diff: false },
    ] {
        for from in [100, 2000] {
            let nodes = vec![
                vec![flood(), wait(1500)],
                vec![flood()],
                vec![flood(), out("o\n")],
            ];
            let mut case = calm(nodes);
            case.scenario.plan.shape = shape;
            case.scenario.sinks[0] = vec![SinkStep::Take(10)];
            for actor in &mut case.scenario.actors {
                (actor.on_term, actor.dies_after) = (None, Duration::from_secs(3));
            }
            impatience(&mut case, from);
            let world = run(&case, false);
            assert!(matches!(world.engine.reason(), Some(Reason::Signal(_))));
        }
    }
}

#[test]
fn one_signal_is_enough_where_a_reader_stands_still() {
    for shape in [
        Shape::Lines,
        Shape::Ordered,
        Shape::Json,
        Shape::Gathered { diff: false },
    ] {
        let nodes = vec![
            vec![flood(), wait(1500)],
            vec![flood()],
            vec![flood(), out("o\n")],
        ];
        let mut case = calm(nodes);
        case.scenario.plan.shape = shape;
        case.scenario.sinks[0] = vec![SinkStep::Take(10)];
        case.scenario.requests = vec![(Duration::from_secs(2), Request::End(2))];
        let world = run(&case, false);
        assert_eq!(world.engine.reason(), Some(Reason::Signal(2)), "{shape:?}");
    }
}

#[test]
fn words_of_a_try_that_failed_end_their_line() {
    for shape in [
        Shape::Lines,
        Shape::Ordered,
        Shape::Json,
        Shape::Gathered { diff: false },
    ] {
        let line = Step::Write(Stream::Err, b"e0\n".to_vec());
        let mut case = calm(vec![vec![line]]);
        case.scenario.plan.shape = shape;
        case.scenario.plan.retries = Retries {
            most: 1,
            delay: Duration::ZERO,
        };
        let words = Step::Write(Stream::Err, b"ssh: no newline".to_vec());
        case.tries[0] = vec![Actor::new(vec![words, Step::Exit(Exit::Code(255))])];
        all_well(&run(&case, false));
    }
}

#[test]
fn a_line_as_long_as_lines_may_be_is_not_said_to_go_on() {
    for length in LINE_BYTES_MAX - 60..=LINE_BYTES_MAX + 2 {
        let mut case = calm(vec![vec![out(vec![b'o'; length])]]);
        case.scenario.plan.shape = Shape::Json;
        all_well(&run(&case, false));
    }
}

#[test]
fn a_longer_line_is_cut_alike_in_every_shape() {
    for shape in [
        Shape::Lines,
        Shape::Ordered,
        Shape::Json,
        Shape::Gathered { diff: false },
    ] {
        for length in [LINE_BYTES_MAX, LINE_BYTES_MAX + 1, 3 * LINE_BYTES_MAX + 5] {
            let long = |seed: u8| out([vec![seed; length], b"\no\n".to_vec()].concat());
            let mut case = calm(vec![vec![wait(200)], vec![long(b'o')], vec![long(b'p')]]);
            case.scenario.plan.shape = shape;
            all_well(&run(&case, false));
        }
    }
}
