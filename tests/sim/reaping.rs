//! Many children: each end is seen in time, and the kernel is not made to look at all of them each time.

use super::script::{Actor, Scenario, Step, out};
use super::turn::{Record, run};
use clsh::engine::{Exit, Order, Protocol, Request};
use clsh::limits::{KILL_AFTER_DEFAULT, REAP_DISTANCE_PER_CHILD};
use clsh::outcome::Outcome;
use clsh::output::Stream;
use std::time::Duration;

const NODES: u32 = 800;
const SECOND: Duration = Duration::from_secs(1);
/// Between the ends of two nodes.
const APART: Duration = Duration::from_micros(500);
/// The longest distance between two walks.
const DISTANCE: Duration = Duration::from_micros(10 * NODES as u64);
const _: () = assert!(REAP_DISTANCE_PER_CHILD.as_micros() == 10);

/// All nodes at once; each ends a little later than the one before.
fn crowd(end: impl Fn(&mut Vec<Step>)) -> Scenario {
    let actors = (0..NODES).map(|node| {
        let mut script = vec![out("begun\n"), Step::Wait(SECOND + node * APART)];
        end(&mut script);
        Actor::new(script)
    });
    let mut scenario = Scenario::calm(Protocol::Local, actors.collect());
    scenario.plan.window = NODES as usize;
    scenario
}

fn all_exit(record: &Record, status: u8) {
    assert_eq!(
        record.outcomes,
        vec![Outcome::Exited(status); NODES as usize]
    );
    let last = SECOND + NODES * APART;
    assert!(
        record.over <= last + DISTANCE + SECOND / 100,
        "{:?}",
        record.over
    );
}

#[test]
fn ends_with_closed_streams_are_seen_singly_between_walks() {
    let record = run(&crowd(|script| script.push(Step::Exit(Exit::Code(3)))));
    all_exit(&record, 3);
    let looks = record.looks;
    assert!(looks.walks < u64::from(NODES) / 2, "{looks:?}");
    assert!(looks.singly < u64::from(NODES) * 3, "{looks:?}");
}

#[test]
fn silent_commands_that_live_on_are_not_asked_for_again_and_again() {
    let record = run(&crowd(|script| {
        script.splice(1..1, Stream::BOTH.map(Step::Close));
        script.push(Step::Exit(Exit::Code(0)));
    }));
    all_exit(&record, 0);
    let looks = record.looks;
    assert!(looks.walks < u64::from(NODES) / 2, "{looks:?}");
    assert!(looks.singly < u64::from(NODES), "{looks:?}");
}

#[test]
fn a_walk_that_was_put_off_takes_place_though_nothing_else_happens() {
    let mut scenario = crowd(|_| ());
    for (node, actor) in scenario.actors.iter_mut().enumerate() {
        let early = Duration::from_micros(node.min(2) as u64);
        actor.script = match node % 2 {
            0 => vec![Step::Wait(SECOND + early), Step::Exit(Exit::Code(0))],
            _ => vec![Step::Sleep],
        };
        // Whose streams stay open is not asked for singly; only the first one is gone at once, with the walk that puts off the next.
        actor.background = (node > 0).then(|| vec![Step::Sleep]);
    }
    scenario.plan.time_limit = Some(SECOND * 2);
    let record = run(&scenario);
    for (node, outcome) in record.outcomes.iter().enumerate() {
        let expected = [Outcome::Exited(0), Outcome::TimedOut][node % 2];
        assert_eq!(*outcome, expected, "n{node}");
    }
}

#[test]
fn a_crowd_that_is_told_to_end_is_reaped_when_it_may_be() {
    let mut scenario = crowd(|script| script.push(Step::Sleep));
    for actor in &mut scenario.actors {
        actor.on_term = None;
    }
    scenario.requests = vec![(SECOND, Request::End(15))];
    let record = run(&scenario);
    assert_eq!(record.outcomes, vec![Outcome::Ended; NODES as usize]);
    let kills = record.orders.iter().filter(|order| order.2 == Order::Kill);
    assert_eq!(kills.count(), NODES as usize);
    let last = SECOND + KILL_AFTER_DEFAULT;
    assert!(
        record.over <= last + DISTANCE + SECOND / 10,
        "{:?}",
        record.over
    );
}
