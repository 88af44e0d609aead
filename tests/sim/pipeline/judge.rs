//! What has to be true once a run is over.

use super::{Life, World, shapes};
use crate::naive::raw;
use crate::script::nonce;
use clsh::engine::{Exit, Protocol, Stdin};
use clsh::limits::{DRAIN_GRACE, FLUSH_GRACE};
use clsh::outcome::{Outcome, Reason, Verdict};
use clsh::output::Stream;
use std::time::Duration;

/// What turns, stalls and the lateness of wake-ups add up to.
const SLACK: Duration = Duration::from_secs(1);

pub fn judge(world: &mut World) {
    ends_in_time(world);
    leaves_nothing_behind(world);
    outcomes_are_true(world);
    reason_is_true(world);
    inputs_are_whole(world);
    files_are_raw(world);
    shapes::judge(world);
    world.engine.begin_turn(world.now);
    world.engine.on_timeout();
    assert_eq!(world.engine.poll_effect(), None, "a wish after the end");
}

impl World<'_> {
    /// What the wrapper's frames carry, if there is a wrapper.
    pub fn secret(&self) -> Option<&'static str> {
        static NONCE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let text = NONCE.get_or_init(|| nonce().as_str().to_owned());
        match self.case.scenario.plan.protocol {
            Protocol::Framed(_) => Some(text),
            Protocol::Bare | Protocol::Local => None,
        }
    }

    /// Whether the run was given up, so that what was not printed yet never is.
    pub fn is_given_up(&self) -> bool {
        let pending = Stream::BOTH.map(|sink| self.engine.pending(sink).len());
        self.demands > 1 || self.quit_late || pending != [0, 0]
    }
}

fn ends_in_time(world: &World) {
    let Some(from) = world.ended_at else { return };
    let scenario = &world.case.scenario;
    let dies = scenario.actors.iter().map(|actor| actor.dies_after);
    let nodes = scenario.plan.kill_after + dies.max().unwrap_or_default() + DRAIN_GRACE;
    let last = (from + nodes).max(world.last_written);
    let over = world.now;
    // Time in which nothing was due counts also where clsh was stopped.
    let stopped: Duration = scenario.stops.iter().map(|stop| stop.1).sum();
    let latest = last + FLUSH_GRACE + SLACK + scenario.quirks.stall_max * 3 + stopped;
    assert!(over <= latest, "ends at {over:?}, not {latest:?}");
}

fn leaves_nothing_behind(world: &World) {
    assert_eq!(world.kernel.unreaped(), 0, "children are left");
    for (rank, lives) in world.lives.iter().enumerate() {
        for life in lives {
            assert!(life.is_over(), "n{rank} is not over");
            assert!(life.hung_up, "the lifeline of n{rank}");
        }
    }
}

fn outcomes_are_true(world: &World) {
    let plan = &world.case.scenario.plan;
    let outcomes: Vec<(usize, Outcome)> = world.engine.outcomes().collect();
    assert_eq!(outcomes.len(), world.lives.len());
    for &(rank, outcome) in &outcomes {
        let possible = possible(world, rank);
        assert!(
            possible.contains(&outcome),
            "n{rank} is {outcome:?}, not {possible:?}"
        );
        let tries = world.lives[rank].len();
        if outcome == Outcome::Failed && world.engine.reason().is_none() {
            let all = tries == plan.retries.most as usize + 1 || world.refused[rank].is_some();
            assert!(all, "n{rank} was given up after {tries} tries");
        }
    }
    let all = outcomes.iter().map(|&(_, outcome)| outcome);
    if plan.fail_fast && all.clone().any(|outcome| outcome.status() > 0) {
        assert!(world.engine.reason().is_some(), "goes on after a failure");
    }
    if !plan.keep_going && all.clone().any(|outcome| outcome == Outcome::Lost) {
        assert!(world.engine.reason().is_some(), "goes on without a node");
    }
    let largest = all.map(Outcome::status).max().unwrap_or(0);
    let unkept = world.stored.iter().flatten().any(|shelf| shelf.failed)
        || world.spools[1].failed && world.engine.reason().is_none();
    let expected = match world.engine.reason() {
        Some(Reason::Signal(signal)) => Verdict::Signal(signal),
        Some(Reason::OutputClosed) => Verdict::Signal(13),
        Some(Reason::FailFast) | None if !unkept => Verdict::Status(largest),
        _ => Verdict::Status(255),
    };
    assert_eq!(world.engine.verdict(), expected);
}

/// The first signal is the reason, whatever else ended the run in the same moment or before.
fn reason_is_true(world: &World) {
    let signal = |reason: &&Reason| matches!(reason, Reason::Signal(_));
    if let Some(first) = world.causes.iter().find(signal) {
        assert_eq!(world.engine.reason(), Some(*first));
    }
}

fn possible(world: &World, rank: usize) -> Vec<Outcome> {
    let plan = &world.case.scenario.plan;
    let local = plan.protocol == Protocol::Local;
    if let Some(found) = world.refused[rank] {
        return vec![match local {
            true => Outcome::not_run(found),
            false => Outcome::Failed,
        }];
    }
    let Some(life) = world.lives[rank].last() else {
        assert!(world.engine.reason().is_some(), "n{rank} was forgotten");
        return vec![Outcome::NotStarted];
    };
    let Some(ordered) = life.ordered else {
        let mut possible = vec![by_itself(&plan.protocol, life)];
        // It ended by itself in the very turn in which it was to be told to.
        let reaped = life.reaped.map(|(at, _)| at);
        possible.extend((reaped >= world.ended_at && reaped.is_some()).then_some(Outcome::Ended));
        return possible;
    };
    let mut possible: Vec<Outcome> = life.status.map(Outcome::Exited).into_iter().collect();
    if world.ended_at.is_some_and(|at| at <= ordered) {
        possible.push(Outcome::Ended);
    }
    if plan
        .time_limit
        .is_some_and(|limit| life.spawned + limit <= ordered)
    {
        possible.push(Outcome::TimedOut);
    }
    if world.secret().is_some() && life.spawned + plan.connect <= ordered {
        possible.push(Outcome::Failed);
    }
    possible
}

fn by_itself(protocol: &Protocol, life: &Life) -> Outcome {
    let exit = life.reaped.map(|(_, exit)| exit);
    match (protocol, life.status, exit) {
        (Protocol::Framed(_), Some(status), _) => Outcome::Exited(status),
        (Protocol::Framed(_), None, _) if life.hello => Outcome::Lost,
        (Protocol::Framed(_), None, _) => Outcome::Failed,
        (Protocol::Bare, _, Some(Exit::Code(255) | Exit::Signal(_))) => Outcome::Lost,
        (_, _, Some(Exit::Code(status))) => Outcome::Exited(status),
        (_, _, Some(Exit::Signal(signal))) => Outcome::Exited(128 + signal),
        (_, _, None) => unreachable!("nobody is left"),
    }
}

/// Whoever met the end of the input had all of it before; that every byte was the right one was seen when it was given.
fn inputs_are_whole(world: &World) {
    let all = world.input_bytes();
    let whole = world.case.faults.file_ends.is_none();
    for (rank, life) in world
        .lives
        .iter()
        .enumerate()
        .flat_map(|(rank, lives)| lives.iter().map(move |life| (rank, life)))
    {
        assert!(life.read <= life.fed, "n{rank}");
        if life.saw_end && life.ordered.is_none() && whole {
            let plan = &world.case.scenario.plan;
            assert!(plan.input == Stdin::Nothing || world.stdin_ended);
            let read = life.read;
            assert_eq!(read, all, "n{rank} met the end too early");
        }
    }
}

/// What stands in a node's files is what it said, and no more.
fn files_are_raw(world: &World) {
    let plan = &world.case.scenario.plan;
    for (rank, shelves) in world.stored.iter().enumerate() {
        for (stream, shelf) in shelves.iter().enumerate() {
            let said = |life: &Life| raw(&life.delivered[stream], world.secret());
            let expected: Vec<u8> = match plan.files[stream] {
                true => world.lives[rank].iter().flat_map(said).collect(),
                false => Vec::new(),
            };
            let equal = match shelf.failed {
                true => expected.starts_with(&shelf.bytes),
                false => expected == shelf.bytes,
            };
            assert!(equal, "the file of n{rank}, stream {stream}");
        }
    }
}
