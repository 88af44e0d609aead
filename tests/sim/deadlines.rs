//! Deadlines: from when they count, what they do, and that they stand still while clsh does. And starts that the kernel refuses.

use super::script::{Actor, Quirks, Scenario, Spawn, Step, farewell, hello, nonce, out, wait};
use super::turn::run;
use clsh::engine::{Exit, Order, Protocol, Request};
use clsh::limits::{CONNECT_GRACE, DRAIN_GRACE, SPAWN_RETRY, SPAWN_TRIES_MAX, STOP_GRACE};
use clsh::outcome::Outcome;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

fn framed(actors: Vec<Actor>) -> Scenario {
    Scenario::calm(Protocol::Framed(nonce()), actors)
}

#[test]
fn a_node_without_a_hello_is_given_up_when_its_time_is_over() {
    let silent = Actor::new(vec![Step::Sleep]);
    let slow = [vec![Step::Wait(SECOND * 10), hello()], farewell(0).to_vec()].concat();
    let record = run(&framed(vec![silent, Actor::new(slow)]));
    assert_eq!(record.outcomes, [Outcome::Failed, Outcome::Exited(0)]);
    let at = SECOND * 10 + CONNECT_GRACE;
    assert_eq!(record.orders, [(at, 0, Order::Terminate)]);
}

#[test]
fn the_time_limit_counts_from_the_hello_or_from_the_start_where_there_is_none() {
    let actor = Actor::new(vec![wait(3000), hello(), out("begun\n"), Step::Sleep]);
    for (protocol, from) in [
        (Protocol::Framed(nonce()), SECOND * 3),
        (Protocol::Bare, Duration::ZERO),
        (Protocol::Local, Duration::ZERO),
    ] {
        let mut scenario = Scenario::calm(protocol, vec![actor.clone()]);
        scenario.plan.time_limit = Some(SECOND * 2);
        let record = run(&scenario);
        assert_eq!(record.outcomes, [Outcome::TimedOut]);
        assert_eq!(record.orders, [(from + SECOND * 2, 0, Order::Terminate)]);
    }
}

#[test]
fn a_transport_that_stays_after_the_command_is_ended_and_the_status_stands() {
    let [out_frame, err_frame, _] = farewell(7);
    let script = vec![hello(), out_frame, wait(1000), err_frame, Step::Sleep];
    let record = run(&framed(vec![Actor::new(script)]));
    assert_eq!(record.outcomes, [Outcome::Exited(7)]);
    let at = SECOND + DRAIN_GRACE;
    assert_eq!(record.orders, [(at, 0, Order::Terminate)]);
}

#[test]
fn no_deadline_passes_while_clsh_is_stopped() {
    for seed in 0..20 {
        let mut actor = Actor::new([&[hello(), wait(1900)], &farewell(0)[..]].concat());
        actor.dies_after = MILLISECOND;
        let mut scenario = framed(vec![actor; 3]);
        scenario.seed = seed;
        scenario.plan.time_limit = Some(SECOND * 2);
        scenario.requests = vec![(SECOND, Request::Suspend)];
        scenario.quirks = Quirks {
            suspend_max: SECOND * 100,
            ..Quirks::default()
        };
        let record = run(&scenario);
        assert_eq!(record.outcomes, [Outcome::Exited(0); 3]);
        let orders: Vec<Order> = record.orders.iter().map(|&(.., order)| order).collect();
        assert_eq!(orders, [[Order::Stop; 3], [Order::Continue; 3]].concat());
    }
}

#[test]
fn what_ended_while_somebody_held_clsh_is_not_timed_out() {
    let quick = Actor::new([&[hello(), wait(1900)], &farewell(0)[..]].concat());
    // More to read than one turn reads, behind a pipe that takes little.
    let long = [
        &[hello(), wait(1900), out("line\n".repeat(20_000))],
        &farewell(0)[..],
    ]
    .concat();
    let slow = Actor::new([&[hello(), wait(60_000)], &farewell(0)[..]].concat());
    for seed in 0..20 {
        let actors = vec![quick.clone(), Actor::new(long.clone()), slow.clone()];
        let mut scenario = framed(actors);
        scenario.seed = seed;
        scenario.plan.time_limit = Some(SECOND * 2);
        scenario.stops = vec![(SECOND + MILLISECOND * 40 * seed as u32, SECOND * 20)];
        scenario.quirks.pipe_bytes = 4096;
        let record = run(&scenario);
        let fine = Outcome::Exited(0);
        assert_eq!(record.outcomes, [fine, fine, Outcome::TimedOut], "{seed}");
        // The time limit itself is still in force.
        assert!(record.over <= SECOND * 2 + STOP_GRACE, "{:?}", record.over);
    }
}

#[test]
fn no_grace_at_all_kills_right_after_the_request() {
    let mut actor = Actor::new(vec![Step::Sleep]);
    actor.on_term = None;
    let mut scenario = Scenario::calm(Protocol::Local, vec![actor]);
    scenario.plan.kill_after = Duration::ZERO;
    scenario.requests = vec![(SECOND, Request::End(15))];
    let record = run(&scenario);
    let expected = [(SECOND, 0, Order::Terminate), (SECOND, 0, Order::Kill)];
    assert_eq!(record.orders, expected);
}

#[test]
fn a_kernel_without_room_slows_the_start_and_breaks_nothing() {
    let mut actor = Actor::new(vec![wait(10), out("here\n"), Step::Exit(Exit::Code(0))]);
    for delays in 1..4 {
        actor.spawn = Spawn::Delayed(delays);
        let record = run(&Scenario::calm(Protocol::Local, vec![actor.clone(); 10]));
        assert_eq!(record.outcomes, [Outcome::Exited(0); 10]);
        let words = String::from_utf8_lossy(&record.shown[1]);
        assert_eq!(words.matches("start more slowly").count(), 1, "{words}");
    }
}

#[test]
fn a_moment_without_room_does_not_slow_down_the_rest_of_the_run() {
    let long = Actor::new(vec![Step::Wait(SECOND * 60), Step::Exit(Exit::Code(0))]);
    let mut actors = vec![long; 40];
    actors[3].spawn = Spawn::Delayed(1);
    let record = run(&Scenario::calm(Protocol::Local, actors));
    assert_eq!(record.outcomes, [Outcome::Exited(0); 40]);
    assert!(record.over < SECOND * 62, "{:?}", record.over);
}

#[test]
fn a_node_that_never_gets_a_process_is_given_up_and_the_others_go_on() {
    let mut refused = Actor::new(vec![]);
    refused.spawn = Spawn::Delayed(u32::MAX);
    let fine = Actor::new(vec![Step::Exit(Exit::Code(0))]);
    for (protocol, outcome) in [
        (Protocol::Local, Outcome::Exited(126)),
        (Protocol::Bare, Outcome::Failed),
    ] {
        let record = run(&Scenario::calm(
            protocol,
            vec![refused.clone(), fine.clone()],
        ));
        assert_eq!(record.outcomes, [outcome, Outcome::Exited(0)]);
        assert!(record.over >= SPAWN_RETRY * SPAWN_TRIES_MAX);
    }
}

#[test]
fn tries_are_counted_anew_once_the_kernel_had_room() {
    let mut actor = Actor::new(vec![Step::Exit(Exit::Code(0))]);
    actor.spawn = Spawn::Delayed(SPAWN_TRIES_MAX * 2 / 3);
    let mut scenario = Scenario::calm(Protocol::Bare, vec![actor; 3]);
    scenario.plan.window = 1;
    assert_eq!(run(&scenario).outcomes, [Outcome::Exited(0); 3]);
}

#[test]
fn a_program_that_is_not_there_is_told_of_as_a_shell_does() {
    for (found, status) in [(true, 126), (false, 127)] {
        let mut actor = Actor::new(vec![]);
        actor.spawn = Spawn::Fails { found };
        let record = run(&Scenario::calm(Protocol::Local, vec![actor.clone()]));
        assert_eq!(record.outcomes, [Outcome::Exited(status)]);
        let record = run(&Scenario::calm(Protocol::Bare, vec![actor]));
        assert_eq!(record.outcomes, [Outcome::Failed]);
    }
}
