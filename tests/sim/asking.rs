//! Nodes that ask for a password on their way to run the command as another user, by hand: who gets it, and that nothing else is ever taken
//! for it.

use clsh::engine::{Effect, Engine, Event, Exit, Order, Plan, Protocol, Source, Stdin, Supply};
use clsh::outcome::Outcome;
use clsh::output::Stream;
use clsh::remote::Nonce;
use std::time::Duration;

/// A run of one node under `--sudo`, and all it wished for.
struct Run {
    engine: Engine,
    wishes: Vec<Effect>,
    stages: u8,
}

impl Run {
    fn new(input: Stdin) -> Self {
        let mut plan = plan();
        (plan.sudo, plan.input) = (true, input);
        Self::of(plan)
    }

    fn with_password() -> Self {
        let mut plan = plan();
        (plan.ssh, plan.password, plan.retries.most) = (true, true, 5);
        Self::of(plan)
    }

    fn of(plan: Plan) -> Self {
        let (engine, wishes) = (Engine::new(plan), Vec::new());
        let mut run = Self {
            engine,
            wishes,
            stages: 0,
        };
        run.turn(&[]);
        run.turn(&[Event::Spawned { node: 0, pid: 1 }]);
        run
    }

    fn turn(&mut self, facts: &[Event]) {
        self.engine.begin_turn(Duration::ZERO);
        facts.iter().for_each(|&fact| self.engine.on_event(fact));
        self.engine.on_timeout();
        while let Some(wish) = self.engine.poll_effect() {
            if let Effect::Write { sink } = wish {
                self.engine.on_event(Event::Blocked { sink });
            }
            self.wishes.push(wish);
        }
        self.engine.check();
    }

    /// The far side says a frame.
    fn says(&mut self, frame: &str) {
        self.hears(&format!("\x1e{} {frame}\x1e\n", nonce().as_str()));
    }

    fn hears(&mut self, text: &str) {
        let source = Source {
            node: 0,
            stream: Stream::Err,
        };
        let bytes = text.as_bytes();
        self.turn(&[Event::Bytes {
            source,
            bytes,
            dry: true,
        }]);
    }

    /// A bootstrap is ready, and is given its script.
    fn is_ready(&mut self) {
        self.hears("\x1eclsh ready 2\x1e\n");
        let (node, stage) = (0, self.stages);
        assert_eq!(self.wishes.last(), Some(&Effect::Give { node, stage }));
        self.stages += 1;
        self.engine.give(0, [(*b"script\n").into()]);
        self.turn(&[Event::Fed { node: 0, bytes: 7 }]);
    }

    /// Its ssh gives up.
    fn leaves(&mut self) {
        let closed = Stream::BOTH.map(|stream| Event::Eof {
            source: Source { node: 0, stream },
        });
        self.turn(&closed);
        let exit = Exit::Code(255);
        self.turn(&[Event::Exited { node: 0, exit }]);
    }

    fn count(&self, wish: Effect) -> usize {
        self.wishes.iter().filter(|&&other| other == wish).count()
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(self.engine.pending(Stream::Err)).into()
    }
}

#[test]
fn words_of_sshs_are_known_wherever_a_read_cuts_them() {
    for (words, wanted) in [
        (
            "root@n1: Permission denied (publickey).\r\n",
            "ssh was not let in",
        ),
        (
            "Password change required but no TTY available.\r\n",
            "has expired",
        ),
    ] {
        let text = format!("{}\n{words}", "of the site ".repeat(20));
        for cut in text.len() - words.len()..=text.len() {
            let mut plan = plan();
            plan.ssh = true;
            let mut run = Run::of(plan);
            run.hears(&text[..cut]);
            run.hears(&text[cut..]);
            run.leaves();
            assert!(run.said().contains(wanted), "{cut}: {}", run.said());
        }
    }
}

const ANSWER: Effect = Effect::Answer { node: 0 };
const HANG_UP: Effect = Effect::HangUp { node: 0 };

fn plan() -> Plan {
    Plan::new(vec!["n1".into()], Protocol::Framed(nonce()))
}

fn nonce() -> Nonce {
    Nonce::new([5; 16])
}

#[test]
fn the_password_is_given_once_and_a_second_question_ends_the_input() {
    let mut run = Run::new(Stdin::Nothing);
    run.is_ready();
    run.says("ask");
    assert_eq!((run.count(ANSWER), run.count(HANG_UP)), (1, 0));
    run.says("ask");
    assert_eq!((run.count(ANSWER), run.count(HANG_UP)), (1, 1));
    assert!(run.said().contains("n1: sudo does not take this password"));
    run.says("ask");
    assert_eq!(run.count(ANSWER), 1);
}

#[test]
fn without_a_password_the_first_question_ends_the_input() {
    let mut run = Run::new(Stdin::Nothing);
    run.is_ready();
    run.says("ask");
    run.turn(&[Event::Unanswered { node: 0 }]);
    assert_eq!(run.count(HANG_UP), 1);
    assert!(run.said().contains("n1: sudo asks for a password"));
}

#[test]
fn nothing_is_read_before_the_hello_and_all_of_it_after() {
    let mut run = Run::new(Stdin::Stream);
    run.turn(&[Event::StdinBytes { bytes: b"data" }]);
    assert_eq!(run.engine.supply(0), Supply::Nothing);
    run.is_ready();
    let fed = run.count(Effect::Feed { node: 0 });
    run.says("ask");
    assert_eq!(run.engine.supply(0), Supply::Nothing);
    // The same once more, as the other user.
    run.is_ready();
    assert_eq!(run.engine.supply(0), Supply::Nothing);
    run.says("hello 7");
    assert_eq!(run.engine.supply(0), Supply::Bytes(b"data"));
    assert_eq!(run.count(Effect::Feed { node: 0 }), fed + 1);
}

#[test]
fn without_sudo_the_input_follows_the_script_at_once() {
    let mut plan = plan();
    plan.input = Stdin::Stream;
    let mut run = Run::of(plan);
    run.turn(&[Event::StdinBytes { bytes: b"data" }]);
    assert_eq!(run.engine.supply(0), Supply::Nothing);
    run.is_ready();
    assert_eq!(run.engine.supply(0), Supply::Bytes(b"data"));
}

#[test]
fn a_script_is_given_once_though_both_streams_ask_for_it() {
    let mut run = Run::of(plan());
    run.is_ready();
    let bytes = b"\x1eclsh ready 1\x1e\n";
    let stream = Stream::Out;
    let source = Source { node: 0, stream };
    run.turn(&[Event::Bytes {
        source,
        bytes,
        dry: true,
    }]);
    // And one bootstrap is all there is without sudo.
    run.hears("\x1eclsh ready 2\x1e\n");
    let gives = |wish: &&Effect| matches!(wish, Effect::Give { .. });
    assert_eq!(run.wishes.iter().filter(gives).count(), 1);
    assert!(run.engine.pending(Stream::Out).is_empty());
}

#[test]
fn behind_the_hello_the_mark_of_a_bootstrap_is_output() {
    let mut run = Run::of(plan());
    run.is_ready();
    run.says("hello 7");
    run.hears("\x1eclsh ready 2\x1e\n");
    assert_eq!(run.said(), "n1: \x1eclsh ready 2\x1e\n");
}

#[test]
fn a_question_before_the_script_gets_no_password() {
    let mut run = Run::new(Stdin::Nothing);
    run.says("ask");
    assert_eq!(run.count(ANSWER), 0);
}

#[test]
fn a_command_that_plays_sudo_gets_no_password() {
    let mut run = Run::new(Stdin::Nothing);
    run.says("hello 7");
    run.says("ask");
    assert_eq!(run.count(ANSWER), 0);
}

#[test]
fn nobody_may_ask_any_more_once_all_have_said_hello_or_are_gone() {
    let mut run = Run::new(Stdin::Nothing);
    assert!(run.engine.may_ask());
    run.says("hello 7");
    assert!(run.engine.take_greeted() && !run.engine.may_ask());
    let mut run = Run::new(Stdin::Nothing);
    run.leaves();
    assert!(run.engine.take_greeted() && !run.engine.may_ask());
}

#[test]
fn a_node_whose_password_was_not_taken_is_ended_and_not_tried_again() {
    let mut run = Run::with_password();
    run.turn(&[Event::Denied {
        node: 0,
        expired: false,
    }]);
    let order = Order::Terminate;
    assert_eq!(
        run.count(Effect::Signal {
            node: 0,
            pid: 1,
            order
        }),
        1
    );
    run.leaves();
    assert_eq!(
        run.engine.outcomes().collect::<Vec<_>>(),
        [(0, Outcome::Failed)]
    );
}

#[test]
fn what_ssh_says_of_a_password_that_was_not_taken_ends_the_tries() {
    for (said, outcomes) in [("b@n1: Permission denied (password).\r\n", 1), ("x\r\n", 0)] {
        let mut run = Run::with_password();
        run.hears(said);
        run.leaves();
        assert_eq!(run.engine.outcomes().count(), outcomes);
    }
}

#[test]
fn without_frames_each_node_may_ask_until_it_is_done() {
    let mut run = Run::of(Plan::new(vec!["n1".into(), "n2".into()], Protocol::Bare));
    run.turn(&[Event::Spawned { node: 1, pid: 2 }]);
    run.leaves();
    assert!(run.engine.take_greeted() && run.engine.may_ask());
}
