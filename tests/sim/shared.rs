//! A node whose ssh carries the sessions of others, by hand: it is not signalled as long as its command can be ended in another way, and
//! left to itself then.

use clsh::engine::{Effect, Engine, Event, Order, Plan, Protocol, Request, Source, Stdin};
use clsh::outcome::Outcome;
use clsh::output::Stream;
use clsh::remote::Nonce;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A run of one node that is connected, and all it wished for.
struct Run {
    engine: Engine,
    wishes: Vec<Effect>,
    now: Duration,
}

fn nonce() -> Nonce {
    Nonce::new([6; 16])
}

fn source(stream: Stream) -> Source {
    Source { node: 0, stream }
}

impl Run {
    fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::new(vec!["n1".into()], Protocol::Framed(nonce()));
        (plan.ssh, plan.shared, plan.time_limit) = (true, true, Some(SECOND * 5));
        change(&mut plan);
        let mut run = Self {
            engine: Engine::new(plan),
            wishes: Vec::new(),
            now: Duration::ZERO,
        };
        run.turn(&[]);
        run.turn(&[Event::Spawned { node: 0, pid: 1 }]);
        run.say_on_both("hello 7");
        run
    }

    fn turn(&mut self, facts: &[Event]) {
        self.engine.begin_turn(self.now);
        facts.iter().for_each(|&fact| self.engine.on_event(fact));
        self.engine.on_timeout();
        while let Some(wish) = self.engine.poll_effect() {
            match wish {
                Effect::Write { sink } => self.engine.on_event(Event::Blocked { sink }),
                Effect::Read { source, .. } => self.engine.on_event(Event::Dry { source }),
                _ => {}
            }
            self.wishes.push(wish);
        }
        self.engine.check();
    }

    fn say_on_both(&mut self, frame: &str) {
        let text = format!("\x1e{} {frame}\x1e\n", nonce().as_str());
        let facts = Stream::BOTH.map(|stream| Event::Bytes {
            source: source(stream),
            bytes: text.as_bytes(),
            dry: true,
        });
        self.turn(&facts);
    }

    fn after(&mut self, time: Duration) {
        self.now += time;
        self.turn(&[]);
    }

    fn carries_others(&mut self, order: Order) {
        assert_eq!(self.count(part(order)), 1, "{:?}", self.wishes);
        self.turn(&[Event::CarriesOthers { node: 0, order }]);
        // What is left in its streams is read in the next turn, which comes at once.
        if self.count(LEAVE) > 0 {
            assert_eq!(self.engine.poll_timeout(), Some(Duration::ZERO));
        }
        self.turn(&[]);
    }

    fn count(&self, wish: Effect) -> usize {
        self.wishes.iter().filter(|&&other| other == wish).count()
    }

    fn signals(&self) -> usize {
        let signal = |wish: &&Effect| matches!(wish, Effect::Signal { .. });
        self.wishes.iter().filter(signal).count()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.engine.outcomes().next().map(|(_, outcome)| outcome)
    }
}

fn part(order: Order) -> Effect {
    let (node, pid) = (0, 1);
    Effect::Part { node, pid, order }
}

const LEAVE: Effect = Effect::Leave { node: 0, pid: 1 };

#[test]
fn one_whose_command_is_done_is_left_to_itself() {
    let mut run = Run::new(|_| {});
    run.say_on_both("exit 7");
    run.after(SECOND);
    run.carries_others(Order::Terminate);
    assert_eq!((run.count(LEAVE), run.signals()), (1, 0));
    assert_eq!(run.outcome(), Some(Outcome::Exited(7)));
    assert!(run.engine.is_done());
}

#[test]
fn one_whose_command_runs_gets_its_time_and_no_signal() {
    for ended in [false, true] {
        let mut run = Run::new(|_| {});
        match ended {
            true => run.turn(&[Event::Request(Request::End(15))]),
            false => run.after(SECOND * 5),
        }
        run.carries_others(Order::Terminate);
        // The far side learns it by the end of its lifeline.
        assert_eq!(run.count(Effect::HangUp { node: 0 }), 1);
        assert_eq!((run.count(LEAVE), run.outcome()), (0, None));
        run.after(SECOND * 2);
        run.carries_others(Order::Kill);
        assert_eq!((run.count(LEAVE), run.signals()), (1, 0));
        let outcome = match ended {
            true => Outcome::Ended,
            false => Outcome::TimedOut,
        };
        assert_eq!(run.outcome(), Some(outcome));
    }
}

#[test]
fn one_that_only_a_signal_can_end_gets_it() {
    for change in [
        |plan: &mut Plan| plan.input = Stdin::Stream,
        |plan: &mut Plan| plan.tty = true,
    ] {
        let mut run = Run::new(change);
        run.turn(&[Event::Request(Request::End(15))]);
        assert_eq!((run.signals(), run.count(part(Order::Terminate))), (1, 0));
    }
    // So does every node where nothing is shared.
    let mut run = Run::new(|plan| plan.shared = false);
    run.say_on_both("exit 7");
    run.after(SECOND);
    assert_eq!((run.signals(), run.count(part(Order::Terminate))), (1, 0));
}
