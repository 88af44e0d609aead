//! Output that does not fit into memory: kept in a file, and read again from there.

use super::{Case, Faults, run};
use crate::script::{Actor, Scenario, Step, farewell, hello, nonce, out, wait};
use clsh::engine::{Protocol, Source};
use clsh::job::Shape;
use clsh::outcome::{Outcome, Reason};
use clsh::output::Stream;

const MIB: usize = 1024 * 1024;
const GATHERED: Shape = Shape::Gathered { diff: false };

/// Nodes that say so many MiB each after so many milliseconds; those with the same first line say the same.
fn flood(shape: Shape, nodes: &[(u64, &str, usize)]) -> Case {
    let longest = nodes.iter().map(|node| node.2).max().unwrap_or(0) * MIB;
    let mut text = Vec::new();
    while text.len() < longest {
        let line = format!("o{};{}\n", text.len(), "x".repeat(60_000));
        text.extend_from_slice(line.as_bytes());
    }
    let actor = |&(after, first, size): &(u64, &str, usize)| {
        let mut script = vec![hello(), wait(after), out(format!("o{first}\n"))];
        script.extend(text[..size * MIB].chunks(50_000).map(out));
        script.push(Step::Write(Stream::Err, b"e\n".to_vec()));
        script.extend(farewell(0));
        Actor::new(script)
    };
    let actors: Vec<Actor> = nodes.iter().map(actor).collect();
    let mut scenario = Scenario::calm(Protocol::Framed(nonce()), actors);
    scenario.plan.shape = shape;
    Case {
        tries: nodes.iter().map(|_| Vec::new()).collect(),
        scenario,
        text: Vec::new(),
        supply: Vec::new(),
        faults: Faults::default(),
    }
}

#[test]
fn groups_beyond_memory_come_back_from_the_file() {
    let nodes = [(0, "same", 31), (0, "same", 31), (5, "other", 30)];
    let case = flood(GATHERED, &nodes);
    let world = run(&case, false);
    assert_eq!(world.engine.reason(), None);
    assert!(!world.spools[1].bytes.is_empty());
}

#[test]
fn nodes_in_order_beyond_memory_come_back_from_the_file() {
    let case = flood(
        Shape::Ordered,
        &[(1000, "one", 0), (0, "two", 31), (0, "three", 30)],
    );
    let world = run(&case, false);
    assert_eq!(world.engine.reason(), None);
    assert!(!world.spools[1].bytes.is_empty());
}

/// The file of output takes no more, or can't be read; before that, a file of a node may have taken no more, too.
fn refused(shape: Shape, room: Option<usize>, stored: bool) {
    let mut case = flood(shape, &[(1000, "one", 0), (0, "two", 31), (0, "three", 30)]);
    case.faults.spool_room[1] = room;
    case.faults.fetch_fails = room.is_none();
    case.scenario.plan.files[1] = stored;
    case.faults.store_room = stored.then_some((
        Source {
            node: 1,
            stream: Stream::Err,
        },
        0,
    ));
    let world = run(&case, false);
    assert_eq!(world.engine.reason(), Some(Reason::OutputFailed));
    let outcomes = world
        .engine
        .outcomes()
        .filter(|one| one.1 == Outcome::Ended);
    assert!(room.is_some() || outcomes.count() == 0);
    let text = String::from_utf8_lossy(world.shown(Stream::Err)).into_owned();
    let words = match room {
        Some(_) => "cannot keep output that is printed later",
        None => "cannot read what was kept of the output",
    };
    assert_eq!(text.matches(words).count(), 1, "{text}");
    if room.is_some() {
        let out = world.shown(Stream::Out);
        assert!(!out.is_empty(), "nothing of what was kept is shown");
    }
    // Nothing that still moves is waited for.
    let ended = world.ended_at.expect("ended");
    let last = world.lives.iter().flatten().filter_map(|life| life.reaped);
    let last = last.map(|(at, _)| at).max().expect("a node");
    assert!(
        world.now <= last.max(ended) + std::time::Duration::from_secs(1),
        "waits for nothing"
    );
}

#[test]
fn output_that_can_not_be_kept_ends_the_run() {
    refused(GATHERED, Some(MIB), false);
}

#[test]
fn output_that_can_not_be_read_again_ends_the_run() {
    refused(GATHERED, None, false);
}

#[test]
fn ordered_output_that_can_not_be_kept_ends_the_run() {
    refused(Shape::Ordered, Some(MIB), false);
}

#[test]
fn ordered_output_that_can_not_be_read_again_ends_the_run() {
    refused(Shape::Ordered, None, false);
}

#[test]
fn output_that_can_not_be_read_again_ends_the_run_when_a_file_failed_before() {
    refused(GATHERED, None, true);
}
