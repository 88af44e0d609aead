//! Endings: who is signalled when, and what stands in the way of it.

use super::script::{Actor, Quirks, Scenario, SinkStep, Step, farewell, hello, nonce, out, wait};
use super::turn::{Record, run};
use clsh::engine::{Exit, Order, Protocol, Request, Time};
use clsh::limits::{DRAIN_GRACE, FLUSH_GRACE, HANGUP_TWICE, KILL_AFTER_DEFAULT, SIGNAL_MOMENT};
use clsh::outcome::{Outcome, Reason};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const INT: Request = Request::End(2);
const QUIT: Request = Request::Kill(3);

/// Runs until a signal comes.
fn endless() -> Actor {
    Actor::new(vec![out("begun\n"), out("half a line"), Step::Sleep])
}

fn stubborn() -> Actor {
    Actor {
        on_term: None,
        ..endless()
    }
}

/// Lines of so many bytes together.
fn lines(bytes: usize) -> Vec<u8> {
    [&[b'x'; 99][..], b"\n"].concat().repeat(bytes / 100)
}

fn signalled(actors: Vec<Actor>, requests: &[(Time, Request)]) -> Record {
    let mut scenario = Scenario::calm(Protocol::Local, actors);
    scenario.requests = requests.to_vec();
    run(&scenario)
}

#[test]
fn term_ignorers_are_killed_after_the_grace() {
    let record = signalled(vec![endless(), stubborn()], &[(SECOND, INT)]);
    let expected = [
        (SECOND, 0, Order::Terminate),
        (SECOND, 1, Order::Terminate),
        (SECOND * 3, 1, Order::Kill),
    ];
    assert_eq!(record.orders, expected);
    assert_eq!(record.outcomes, [Outcome::Ended; 2]);
    assert_eq!(record.reason, Some(Reason::Signal(2)));
    let text = String::from_utf8_lossy(&record.shown[0]);
    assert!(text.contains("n1: half a line\n"), "{text}");
}

#[test]
fn a_second_signal_kills_at_once_whichever_it_is() {
    for second in [INT, Request::End(15), QUIT] {
        let at = SECOND + SECOND / 5;
        let record = signalled(vec![stubborn(); 3], &[(SECOND, INT), (at, second)]);
        let kills = |&&(time, _, order): &&(Time, usize, Order)| (time, order) == (at, Order::Kill);
        assert_eq!(record.orders.iter().filter(kills).count(), 3);
        assert_eq!(record.reason, Some(Reason::Signal(2)));
        assert!(record.over < at + SECOND / 100);
    }
}

#[test]
fn quit_kills_at_once_and_asks_nobody() {
    let record = signalled(vec![endless(); 3], &[(SECOND, QUIT)]);
    assert_eq!(
        record.orders,
        [0, 1, 2].map(|node| (SECOND, node, Order::Kill))
    );
    assert_eq!(record.reason, Some(Reason::Signal(3)));
}

#[test]
fn three_signals_at_once_wait_for_no_stream() {
    let mut flood = Actor::new(vec![wait(999), out(lines(4_000_000)), Step::Sleep]);
    flood.dies_after = SECOND / 2;
    let requests = [INT, Request::End(15), QUIT].map(|request| (SECOND, request));
    let record = signalled(vec![flood; 3], &requests);
    assert_eq!(record.outcomes, [Outcome::Ended; 3]);
    // The processes themselves are waited for.
    assert_eq!(record.over, SECOND * 3 / 2);
}

#[test]
fn a_run_that_ends_starts_no_more() {
    let mut scenario = Scenario::calm(Protocol::Local, vec![endless(); 5]);
    scenario.plan.window = 2;
    scenario.requests = vec![(SECOND, INT)];
    let record = run(&scenario);
    let (ended, waiting) = (Outcome::Ended, Outcome::NotStarted);
    assert_eq!(record.outcomes, [ended, ended, waiting, waiting, waiting]);
}

#[test]
fn a_stuck_stdout_does_not_stop_a_termination() {
    let flood = Actor::new(vec![out(lines(400_000)), Step::Sleep]);
    let late = Actor::new(vec![wait(999), out(lines(120_000)), Step::Sleep]);
    let stubborn = Actor {
        on_term: None,
        ..late.clone()
    };
    // It gets stuck at once, while lines wait, and in the last moment: after the children were ended.
    for seed in 0..120 {
        let actor = [&flood, &late, &stubborn][seed % 3];
        let mut scenario = Scenario::calm(Protocol::Local, vec![actor.clone(); 1 + seed / 3 % 12]);
        scenario.seed = seed as u64;
        scenario.sinks[0] = vec![SinkStep::Take(seed * seed * 50)];
        scenario.requests = vec![(SECOND, INT)];
        scenario.quirks = Quirks {
            race_percent: 90,
            ..Quirks::default()
        };
        let record = run(&scenario);
        assert_eq!(record.reason, Some(Reason::Signal(2)));
        let patience = SECOND * 3 + DRAIN_GRACE + FLUSH_GRACE;
        assert!(record.over <= patience + SECOND / 10, "{:?}", record.over);
    }
}

#[test]
fn a_stdout_that_gets_stuck_after_the_last_child_was_reaped_holds_nobody() {
    // Nothing waits for stdout when the last child is reaped; what comes into the pipes after that is more than the queue takes.
    // Open streams hold a dead leader back until SIGKILL went to its group, so QUIT and INT differ in when that is.
    let grace = KILL_AFTER_DEFAULT.as_millis() as u64;
    for (request, quiet) in [(QUIT, 100), (INT, 100), (INT, grace + 100)] {
        let mut actor = Actor::new(vec![Step::Sleep]);
        actor.background = Some(vec![wait(quiet), out(lines(500_000)), Step::Sleep]);
        let mut scenario = Scenario::calm(Protocol::Local, vec![actor; 12]);
        scenario.sinks[0] = vec![SinkStep::Take(1)];
        scenario.requests = vec![(SECOND, request)];
        let record = run(&scenario);
        let patience = SECOND * 2 + KILL_AFTER_DEFAULT + DRAIN_GRACE + FLUSH_GRACE;
        assert!(record.over <= patience, "{:?}", record.over);
    }
}

#[test]
fn a_reader_that_is_only_slow_gets_all_that_had_arrived() {
    let actor = Actor::new(vec![out(lines(200_000)), Step::Sleep]);
    let mut scenario = Scenario::calm(Protocol::Local, vec![actor]);
    scenario.sinks[0] = vec![SinkStep::Drip(10_000, SECOND / 2)];
    scenario.requests = vec![(SECOND, INT)];
    let record = run(&scenario);
    assert_eq!(record.shown[0].len(), 200_000 / 100 * ("n0: ".len() + 100));
    assert!(record.over > SECOND + FLUSH_GRACE * 2);
}

#[test]
fn a_signal_never_follows_a_process_that_was_reaped() {
    // The first is lost in the turn in which the others are reaped: their pids may be somebody else's when the run is ended for it.
    let lost = Actor::new(vec![hello(), wait(10), Step::Exit(Exit::Code(255))]);
    let done = Actor::new([&[hello(), wait(10)], &farewell(0)[..]].concat());
    for seed in 0..20 {
        let mut actors = vec![done.clone(); 6];
        actors[seed as usize % 6] = lost.clone();
        let mut scenario = Scenario::calm(Protocol::Framed(nonce()), actors);
        scenario.seed = seed;
        let record = run(&scenario);
        assert_eq!(record.reason, Some(Reason::NodeLost));
    }
}

#[test]
fn a_lost_node_ends_the_others_unless_they_may_go_on() {
    let lost = Actor::new(vec![hello(), out("last\n"), Step::Exit(Exit::Code(255))]);
    let done = Actor::new([&[hello(), wait(3000)], &farewell(0)[..]].concat());
    for keep_going in [false, true] {
        let actors = vec![done.clone(), lost.clone()];
        let mut scenario = Scenario::calm(Protocol::Framed(nonce()), actors);
        scenario.plan.keep_going = keep_going;
        let record = run(&scenario);
        let (other, reason) = if keep_going {
            (Outcome::Exited(0), None)
        } else {
            (Outcome::Ended, Some(Reason::NodeLost))
        };
        assert_eq!(record.outcomes, [other, Outcome::Lost]);
        assert_eq!(record.reason, reason);
    }
}

#[test]
fn a_closed_stdout_ends_the_run_without_a_word() {
    let noisy = Actor::new(vec![wait(100), out("line\n".repeat(100)), Step::Sleep]);
    let mut scenario = Scenario::calm(Protocol::Bare, vec![noisy, endless()]);
    scenario.plan.verbose = true;
    scenario.sinks[0] = vec![SinkStep::Take(50), SinkStep::Close];
    let record = run(&scenario);
    assert_eq!(record.reason, Some(Reason::OutputClosed));
    assert_eq!(record.outcomes, [Outcome::Ended; 2]);
    assert!(record.shown[1].is_empty());
}

/// What a reader of stdout that ends at `at` and this signal, so much later, make of a run.
fn closed_and_signalled(at: Time, later: Time, request: Request) -> Record {
    let grace = vec![wait(300), out("mark\n"), Step::Exit(Exit::Code(0))];
    let flow = (0..3000).flat_map(|_| [wait(1), out("line\n")]).collect();
    let noisy = Actor {
        on_term: Some(grace),
        ..Actor::new(flow)
    };
    let mut scenario = Scenario::calm(Protocol::Local, vec![noisy, endless()]);
    scenario.sinks[0] = vec![SinkStep::Free, SinkStep::Wait(at), SinkStep::Close];
    scenario.requests = vec![(at + later, request)];
    run(&scenario)
}

#[test]
fn one_signal_is_one_though_the_reader_of_stdout_ends_by_it_too() {
    for later in [Duration::ZERO, SECOND / 500, SECOND / 20] {
        for signal in [1, 2, 15] {
            let record = closed_and_signalled(SECOND, later, Request::End(signal));
            assert_eq!(record.reason, Some(Reason::Signal(signal)), "{later:?}");
            let orders: Vec<Order> = record.orders.iter().map(|&(.., order)| order).collect();
            assert_eq!(orders, [Order::Terminate; 2], "nobody is killed");
            // What comes later comes after the reader left by itself, who has seen enough.
            let words = String::from_utf8_lossy(&record.shown[1]);
            let together = later < SIGNAL_MOMENT;
            assert_eq!(words.contains("clsh: the summary\n"), together, "{words}");
        }
    }
    let record = closed_and_signalled(SECOND, SECOND / 500, QUIT);
    assert_eq!(record.reason, Some(Reason::Signal(3)));
    assert_eq!(record.orders.last().map(|order| order.2), Some(Order::Kill));
}

#[test]
fn a_signal_is_waited_for_a_moment_where_all_else_is_over() {
    for (later, reason) in [
        (SIGNAL_MOMENT / 2, Reason::Signal(2)),
        (SIGNAL_MOMENT * 2, Reason::OutputClosed),
    ] {
        let done = Actor::new(vec![out(lines(1000)), Step::Exit(Exit::Code(0))]);
        let mut scenario = Scenario::calm(Protocol::Local, vec![done]);
        scenario.sinks[0] = vec![SinkStep::Take(10), SinkStep::Wait(SECOND), SinkStep::Close];
        scenario.requests = vec![(SECOND + later, INT)];
        assert_eq!(run(&scenario).reason, Some(reason));
    }
}

#[test]
fn a_terminal_that_goes_sends_its_signal_twice_and_that_is_one() {
    for (apart, kills) in [(HANGUP_TWICE * 9 / 10, 0), (HANGUP_TWICE * 2, 1)] {
        let hangup = Request::End(1);
        let record = signalled(
            vec![stubborn()],
            &[(SECOND, hangup), (SECOND + apart, hangup)],
        );
        let early = SECOND + KILL_AFTER_DEFAULT;
        let killed = |&&(at, _, order): &&(Time, usize, Order)| order == Order::Kill && at < early;
        assert_eq!(record.orders.iter().filter(killed).count(), kills);
        assert_eq!(record.reason, Some(Reason::Signal(1)));
    }
}

#[test]
fn a_reader_of_stdout_that_leaves_is_noticed_before_the_next_line() {
    let mut scenario = Scenario::calm(Protocol::Local, vec![endless()]);
    scenario.sinks[0] = vec![SinkStep::Free, SinkStep::Wait(SECOND), SinkStep::Close];
    let record = run(&scenario);
    assert_eq!(record.orders, [(SECOND, 0, Order::Terminate)]);
    assert_eq!(record.reason, Some(Reason::OutputClosed));
}

#[test]
fn a_full_disk_ends_the_run_and_says_so() {
    let mut scenario = Scenario::calm(Protocol::Local, vec![endless(); 2]);
    scenario.sinks[0] = vec![SinkStep::Take(4), SinkStep::Fail];
    let record = run(&scenario);
    assert_eq!(record.reason, Some(Reason::OutputFailed));
    let words = String::from_utf8_lossy(&record.shown[1]);
    assert!(words.contains("No space left on device"), "{words}");
}
