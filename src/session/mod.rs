//! The interactive mode: what a line at the prompt does, and when the next prompt is due. Pure: it is told what the engine noticed and
//! what was typed, and asks the driver for what only the kernel can do.
//!
//! Invariant: there is a prompt exactly when no command runs, and every command that was given to a node is waited for until its shell
//! is done with it or the node is gone. Nothing is guessed by silence or time.

mod act;
mod complete;
mod construct;
mod editor;
mod line;
mod prompt;
mod round;
mod scan;
mod seats;
mod words;

pub use prompt::Manner;

use crate::engine::{Engine, Notice, Order, Time};
use crate::hosts::Node;
use crate::limits::INTERRUPT_TWICE;
use crate::order::order;
use crate::outcome::{self, Outcome, Reason};
use crate::output::Stream;
use crate::remote::Nonce;
use complete::Words;
use construct::Construct;
use prompt::{Asked, Prompt};
use round::Round;
use seats::{Seats, State};
use std::collections::VecDeque;

/// What a session is from its start.
pub struct Setting {
    /// How lines are read.
    pub manner: Manner,
    /// Where prompt, banner and rules go.
    pub face: Stream,
    /// No summaries.
    pub quiet: bool,
    /// The session goes on without a node that is lost, and stays when none is left.
    pub keep_going: bool,
    /// Marks an interrupt on its way to a node.
    pub nonce: Nonce,
}

/// What the driver is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The terminal is a command's that runs here, or clsh's own again.
    Lend(bool),
    /// Keep this line in the history.
    Remember(String),
    /// Stop as a shell job does.
    Suspend,
}

/// A command that runs here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// For the user's own shell.
    pub command: String,
    /// It draws on the terminal itself.
    pub full_screen: bool,
}

/// Who has a slot of the engine.
enum Owner {
    Node(usize),
    Local(Local),
}

enum Stage {
    /// Nodes are on their way: so many, and since the beginning or by `:reconnect`.
    Connecting {
        pending: usize,
        back: Option<Vec<usize>>,
    },
    /// Waiting for a line.
    Ready,
    /// A command runs on the nodes.
    Running(Round),
    /// What was gathered of it is on its way out.
    Showing(Round),
    /// A command runs here, in this slot.
    Local(u32),
    /// Over.
    Left,
}

/// The session.
pub struct Session {
    setting: Setting,
    prompt: Prompt,
    /// The beginning of a command that goes on.
    construct: Option<Construct>,
    seats: Seats,
    owners: Vec<Owner>,
    stage: Stage,
    number: u32,
    gather: bool,
    status: u8,
    interrupted: Option<Time>,
    /// Nodes that went this turn, and how: told together.
    parted: Vec<(usize, Outcome)>,
    effects: VecDeque<Effect>,
}

impl Session {
    /// All nodes are on their way.
    pub fn new(setting: Setting, nodes: &[Node], labels: &[Box<str>]) -> Self {
        Self {
            prompt: Prompt::new(setting.manner.clone(), setting.face),
            construct: None,
            seats: Seats::new(nodes, labels),
            owners: (0..nodes.len()).map(Owner::Node).collect(),
            stage: Stage::Connecting {
                pending: nodes.len(),
                back: None,
            },
            number: 0,
            gather: false,
            status: 0,
            interrupted: None,
            parted: Vec::new(),
            effects: VecDeque::new(),
            setting,
        }
    }

    /// The next wish, until there is none.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The node that has this slot, by rank, or the command that runs in it here.
    pub fn owner(&self, slot: u32) -> Result<usize, &Local> {
        match self.owners.get(slot as usize) {
            Some(Owner::Local(local)) => Err(local),
            Some(&Owner::Node(rank)) => Ok(rank),
            None => Ok(slot as usize),
        }
    }

    /// The slot of the command that runs here, if one does.
    pub fn local(&self) -> Option<u32> {
        match self.stage {
            Stage::Local(slot) => Some(slot),
            _ => None,
        }
    }

    /// Whether single keys are read.
    pub fn reads_keys(&self) -> bool {
        self.prompt.is_editor()
    }

    /// Whether input should be read now.
    pub fn is_hungry(&self) -> bool {
        let ready = matches!(self.stage, Stage::Ready);
        !matches!(self.stage, Stage::Left | Stage::Local(_)) && self.prompt.is_hungry(ready)
    }

    /// The terminal has so many columns.
    pub fn resize(&mut self, columns: usize, engine: &mut Engine) {
        self.prompt.resize(columns, engine);
    }

    /// Input was read.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.prompt.feed(bytes);
    }

    /// The input is at its end.
    pub fn end_of_input(&mut self) {
        self.prompt.end();
    }

    /// Ctrl-C, as a signal.
    pub fn interrupt(&mut self, engine: &mut Engine) {
        match &self.stage {
            Stage::Left => {}
            Stage::Connecting { back: None, .. } => engine.end(Reason::INTERRUPTED),
            Stage::Connecting {
                back: Some(ranks), ..
            } => {
                for &rank in ranks {
                    engine.part(self.seats.seats[rank].slot);
                }
            }
            Stage::Ready => {
                self.prompt.clear();
                if !self.prompt.is_editor() {
                    self.prompt.leave(engine, &Asked::Interrupt);
                    self.drop_construct();
                }
            }
            Stage::Running(round) => {
                let now = engine.now();
                let again = self
                    .interrupted
                    .is_some_and(|before| now - before < INTERRUPT_TWICE);
                self.interrupted = Some(now);
                if again {
                    engine.end(Reason::INTERRUPTED);
                } else {
                    round.interrupt(&self.seats, &self.setting.nonce, engine);
                }
            }
            Stage::Showing(_) => engine.drop_shown(),
            Stage::Local(slot) => engine.signal(*slot, Order::Interrupt),
        }
    }

    /// Works off what is known: called once a turn, after the facts are in.
    pub fn advance(&mut self, engine: &mut Engine) {
        loop {
            while let Some(notice) = engine.poll_notice() {
                self.note(notice, engine);
            }
            self.tell_parted(engine);
            if engine.reason().is_some() {
                self.leave(engine);
                return;
            }
            let more = match &self.stage {
                Stage::Ready => self.read(engine),
                _ => self.hurry(engine),
            };
            if !more {
                break;
            }
        }
        if matches!(self.stage, Stage::Ready) {
            self.prompt.show(engine);
        }
    }

    /// The session is over: nothing of it stays on the screen.
    fn leave(&mut self, engine: &mut Engine) {
        engine.set_footer(None);
        if let Stage::Running(round) = std::mem::replace(&mut self.stage, Stage::Left) {
            self.show_round(&round, engine);
        }
    }

    /// Takes the next line. Says whether there was one.
    fn read(&mut self, engine: &mut Engine) -> bool {
        let words = Words {
            seats: &self.seats.seats,
        };
        let Some(asked) = self.prompt.next(&words) else {
            return false;
        };
        if matches!(asked, Asked::Suspend) {
            self.effects.push_back(Effect::Suspend);
            return false;
        }
        self.prompt.leave(engine, &asked);
        match asked {
            Asked::Line(line) => self.collect(&line, engine),
            Asked::TooLong => self.refuse_long(engine),
            Asked::Interrupt => self.drop_construct(),
            Asked::End => {
                if !self.end_construct(engine) {
                    self.quit(None, engine);
                }
            }
            Asked::Quit => engine.end_at_once(Reason::QUIT),
            Asked::Suspend => {}
        }
        true
    }

    /// While something runs only Ctrl-C and the like are heard.
    fn hurry(&mut self, engine: &mut Engine) -> bool {
        match self.prompt.urgent() {
            None => return false,
            Some(Asked::Quit) => engine.end_at_once(Reason::QUIT),
            Some(Asked::Suspend) => {
                self.effects.push_back(Effect::Suspend);
                return false;
            }
            Some(_) => self.interrupt(engine),
        }
        true
    }

    /// Something became known of a node.
    fn note(&mut self, notice: Notice, engine: &mut Engine) {
        match notice {
            Notice::Up { node } => {
                if let Ok(rank) = self.owner(node) {
                    self.seats.seats[rank].state = State::Ready;
                    self.arrived(engine);
                }
            }
            Notice::Done {
                node,
                command,
                status,
            } => {
                if let Ok(rank) = self.owner(node)
                    && command == self.number
                {
                    self.finished(rank, Outcome::Exited(status), engine);
                }
            }
            Notice::Shown => match std::mem::replace(&mut self.stage, Stage::Ready) {
                Stage::Showing(round) => self.end_round(&round, engine),
                other => self.stage = other,
            },
            Notice::Gone { node, outcome } => match self.owner(node) {
                Ok(rank) => self.gone(rank, outcome, engine),
                Err(_) => self.local_ended(outcome, engine),
            },
        }
    }

    /// A node is gone for good, or until it is connected again.
    fn gone(&mut self, rank: usize, outcome: Outcome, engine: &mut Engine) {
        let seat = &mut self.seats.seats[rank];
        let before = seat.state;
        seat.state = State::Gone(outcome);
        if matches!(outcome, Outcome::Exited(_) | Outcome::TimedOut) {
            self.parted.push((rank, outcome));
        }
        match before {
            State::Connecting => self.arrived(engine),
            State::Running => self.finished(rank, outcome, engine),
            _ => {}
        }
        self.quit_if_deserted(engine);
    }

    /// With nobody left to talk to the session is over, unless somebody is there who wants to go on.
    fn quit_if_deserted(&mut self, engine: &mut Engine) {
        let stays = self.setting.keep_going && self.prompt.is_attended();
        let idle = matches!(self.stage, Stage::Ready);
        if idle && !stays && !self.seats.any(State::is_alive) {
            self.tell_parted(engine);
            engine.say(words::DESERTED);
            self.quit(None, engine);
        }
    }

    /// Says which nodes' shells are no more, those that ended alike together.
    fn tell_parted(&mut self, engine: &mut Engine) {
        let parted = std::mem::take(&mut self.parted);
        if engine.reason().is_some() {
            return;
        }
        let order = order(parted.iter().map(|&(rank, _)| rank as u128));
        let mut named = order.iter().map(|&at| {
            let (rank, outcome) = parted[at];
            (&*self.seats.seats[rank].label, outcome)
        });
        for (outcome, names) in outcome::kinds(&mut named) {
            engine.say(&words::parted(&names, outcome));
        }
    }

    /// One of the nodes that were on their way is there, or won't be.
    fn arrived(&mut self, engine: &mut Engine) {
        let Stage::Connecting { pending, back } = &mut self.stage else {
            return;
        };
        *pending -= 1;
        if *pending > 0 {
            return;
        }
        let back = back.take();
        self.stage = Stage::Ready;
        let ready = self.seats.ranks(|seat| seat.state == State::Ready);
        match back {
            Some(ranks) => {
                let ranks: Vec<usize> = ranks
                    .into_iter()
                    .filter(|rank| ready.contains(rank))
                    .collect();
                if !ranks.is_empty() {
                    engine.say(&words::back(&self.seats.labels(&ranks)));
                }
            }
            None if ready.is_empty() => engine.end(Reason::Left(Outcome::Failed.status())),
            None => {
                let text = words::banner(&self.seats.labels(&ready));
                engine.tell(self.setting.face, &text);
            }
        }
    }

    /// Leaves: with this status, or the largest of the last command and of the nodes that are gone: those that should be here, and where
    /// nobody watches, also those that ended otherwise.
    #[inline(never)]
    fn quit(&mut self, status: Option<u8>, engine: &mut Engine) {
        let counts = |state: &State| {
            let unreached = matches!(state, State::Gone(Outcome::Failed | Outcome::Lost));
            unreached || !self.prompt.is_attended()
        };
        let states = self.seats.seats.iter().map(|seat| seat.state);
        let gone = states.filter(counts).map(State::status);
        let status = status.unwrap_or_else(|| gone.fold(self.status, u8::max));
        engine.end(Reason::Left(status));
    }
}
