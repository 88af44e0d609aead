//! One command's round trip: to every node that is meant, and back from all of them.

use super::seats::{Seats, State};
use super::{Session, Stage, words};
use crate::engine::{Engine, Interrupt, Time};
use crate::outcome::Outcome;
use crate::remote::{self, Nonce};
use crate::report;
use std::rc::Rc;

/// A command that runs.
pub struct Round {
    /// The nodes it was given to, by rank, and what each returned.
    outcomes: Vec<(usize, Option<Outcome>)>,
    pending: usize,
    started: Time,
    /// Its output is gathered.
    gathers: bool,
}

impl Round {
    /// How many are done, and the ranks of those that are not.
    pub fn standing(&self) -> (usize, Vec<usize>, Time) {
        let running = self
            .outcomes
            .iter()
            .filter(|(_, outcome)| outcome.is_none());
        let running: Vec<usize> = running.map(|&(rank, _)| rank).collect();
        (self.outcomes.len() - running.len(), running, self.started)
    }

    /// Interrupts it where it still runs.
    pub fn interrupt(&self, seats: &Seats, nonce: &Nonce, engine: &mut Engine) {
        let interrupt = Interrupt {
            first: remote::interrupt(nonce).into(),
            again: remote::interrupt_again(nonce).into(),
        };
        for &(rank, _) in self
            .outcomes
            .iter()
            .filter(|(_, outcome)| outcome.is_none())
        {
            engine.interrupt(seats.seats[rank].slot, interrupt.clone());
        }
    }
}

impl Session {
    /// Gives a command to these nodes.
    pub(super) fn run(&mut self, ranks: Vec<usize>, command: &[u8], engine: &mut Engine) {
        self.number = self.number.wrapping_add(1);
        let text: Rc<[u8]> = remote::command(self.number, command).into();
        self.rule(engine);
        if self.gather {
            let slot = |&rank: &usize| self.seats.seats[rank].slot;
            engine.gather(ranks.iter().map(slot));
        }
        for &rank in &ranks {
            let seat = &mut self.seats.seats[rank];
            seat.state = State::Running;
            engine.command(seat.slot, self.number, text.clone());
        }
        self.status = 0;
        self.interrupted = None;
        self.stage = Stage::Running(Round {
            pending: ranks.len(),
            outcomes: ranks.into_iter().map(|rank| (rank, None)).collect(),
            started: engine.now(),
            gathers: self.gather,
        });
    }

    /// A node is done with the command, or gone.
    pub(super) fn finished(&mut self, rank: usize, outcome: Outcome, engine: &mut Engine) {
        let Stage::Running(round) = &mut self.stage else {
            return;
        };
        let seat = &mut self.seats.seats[rank];
        if seat.state == State::Running {
            seat.state = State::Ready;
        }
        engine.gathered(seat.slot, outcome);
        seat.last = Some((outcome.status(), engine.now().saturating_sub(round.started)));
        self.status = self.status.max(outcome.status());
        // In order of rank, so that each node is found at once.
        if let Ok(place) = round
            .outcomes
            .binary_search_by_key(&rank, |&(rank, _)| rank)
            && round.outcomes[place].1.replace(outcome).is_none()
        {
            round.pending -= 1;
        }
        if round.pending == 0 {
            self.close_round(engine);
        }
    }

    fn close_round(&mut self, engine: &mut Engine) {
        match std::mem::replace(&mut self.stage, Stage::Ready) {
            Stage::Running(round) if round.gathers => {
                self.show_round(&round, engine);
                self.stage = Stage::Showing(round);
            }
            Stage::Running(round) => self.end_round(&round, engine),
            other => self.stage = other,
        }
    }

    /// Prints what was gathered. Nodes that have not finished are groups of their own.
    pub(super) fn show_round(&self, round: &Round, engine: &mut Engine) {
        let slot = |&(rank, _): &(usize, Option<Outcome>)| self.seats.seats[rank].slot;
        let order: Vec<u32> = round.outcomes.iter().map(slot).collect();
        engine.show_gathered(&order);
    }

    /// All of a command's output is out.
    pub(super) fn end_round(&mut self, round: &Round, engine: &mut Engine) {
        self.rule(engine);
        if !self.setting.quiet && engine.reason().is_none() {
            let seats = &self.seats.seats;
            let nodes = round
                .outcomes
                .iter()
                .filter_map(|&(rank, outcome)| Some((rank, outcome?)));
            // Of nodes that are gone it was said already.
            let here = nodes.filter(|&(rank, _)| seats[rank].state == State::Ready);
            engine.say(&report::summary(
                here.map(|(rank, outcome)| (&*seats[rank].label, outcome)),
                None,
            ));
        }
    }

    /// Says how it stands (SIGUSR1).
    pub fn tell_status(&self, engine: &mut Engine) {
        let alive = self.seats.ranks(|seat| seat.state.is_alive()).len();
        let (done, running, started) = match &self.stage {
            Stage::Running(round) => round.standing(),
            _ => (0, Vec::new(), engine.now()),
        };
        let took = engine.now().saturating_sub(started);
        let labels = self.seats.labels(&running);
        let longest: Vec<(Time, &str)> = labels.into_iter().map(|label| (took, label)).collect();
        engine.say(&words::status(
            alive,
            &report::status(&report::Standing::of(done, running.len()), 0, &longest),
        ));
    }

    /// The line around a command's output.
    pub(super) fn rule(&self, engine: &mut Engine) {
        engine.tell(self.setting.face, words::RULE);
    }
}
