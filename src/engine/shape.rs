//! The shape of the output: what of it is kept instead of printed, and when that is shown.

use super::doors::Spool;
use super::teardown::Demand;
use super::{Effect, Engine, Notice, Slot, Source};
use crate::job::Shape;
use crate::limits::{DIFF_BYTES_MAX, REPLAY_STEPS_PER_TURN, SPOOL_BYTES};
use crate::outcome::{Outcome, Reason, Verdict};
use crate::output::{End, Form, Gather, Group, Kept, Line, Ordered, Part, Store, Stream, json};
use crate::report;
use std::time::Duration;

/// What is told of a node at the end.
#[derive(Debug, Clone, Copy)]
pub struct Book {
    took: Duration,
    connected: Option<Duration>,
    bytes: u64,
}

/// What is kept.
#[derive(Debug)]
pub enum Keeping {
    /// Nothing: lines go straight on.
    Nothing,
    /// All that some nodes say, until it is shown by groups.
    Gather(Box<Gather>),
    /// What nodes say before their turn.
    Ordered(Box<Ordered>),
}

impl Keeping {
    /// As a run in this shape begins.
    pub fn new(shape: Shape, seed: u64, at_once: usize) -> Self {
        match shape {
            Shape::Lines | Shape::Json => Self::Nothing,
            Shape::Gathered { .. } => Self::Gather(Box::new(Gather::new(seed, at_once))),
            Shape::Ordered => Self::Ordered(Box::new(Ordered::new(seed, at_once))),
        }
    }

    /// Whether all that this node says is kept as it is.
    pub fn takes(&self, node: u32) -> bool {
        matches!(self, Self::Gather(gather) if gather.keeps(node))
    }

    /// Whether nothing that this node says is kept.
    pub fn passes(&self, node: u32) -> bool {
        match self {
            Self::Nothing => true,
            Self::Gather(gather) => !gather.keeps(node),
            Self::Ordered(ordered) => ordered.passes(node),
        }
    }

    /// Keeps a part of what a node says, if it is to be kept.
    pub fn keep(&mut self, source: Source, line: Line) -> bool {
        match self {
            Self::Gather(gather) if gather.keeps(source.node) => {
                gather.append(source.node, source.stream, line.text);
                if line.end == End::Newline {
                    gather.append(source.node, source.stream, b"\n");
                }
                true
            }
            Self::Ordered(ordered) if !ordered.passes(source.node) => {
                ordered.keep(source.node, source.stream, line.text);
                true
            }
            _ => false,
        }
    }

    fn store(&self) -> Option<&Store> {
        match self {
            Self::Nothing => None,
            Self::Gather(gather) => Some(&gather.store),
            Self::Ordered(ordered) => Some(&ordered.store),
        }
    }

    fn store_mut(&mut self) -> Option<&mut Store> {
        match self {
            Self::Nothing => None,
            Self::Gather(gather) => Some(&mut gather.store),
            Self::Ordered(ordered) => Some(&mut ordered.store),
        }
    }
}

impl Engine {
    /// What stands before each line of a node.
    pub(super) fn prefix(&self, stream: Stream, node: u32) -> Box<[u8]> {
        let label = self.label(node);
        match self.plan.shape {
            Shape::Json => json::prefix(label, stream),
            _ => self.output.prefix(stream, node as usize, label),
        }
    }

    /// A node starts to say something.
    pub(super) fn open_book(&mut self, node: u32) {
        if let (Keeping::Gather(gather), false) = (&mut self.keeping, self.plan.session) {
            gather.begin(node);
        }
    }

    /// A node has said all.
    pub(super) fn close_book(&mut self, node: u32, outcome: Outcome) {
        let book = match self.slots.get(node as usize) {
            Some(Slot::Live(live)) => Some(Book {
                took: self.now.saturating_sub(live.started),
                connected: live.connected,
                bytes: live.halves.iter().map(|half| half.bytes).sum(),
            }),
            _ => None,
        };
        if let (Some(books), Some(_)) = (&mut self.books, book) {
            let at = node as usize;
            books.resize(books.len().max(at + 1), None);
            books[at] = book;
        }
        self.failed += usize::from(outcome != Outcome::Exited(0));
        if self.plan.shape == Shape::Json {
            let took = book.map_or(Duration::ZERO, |book| book.took);
            let connected = book.and_then(|book| book.connected);
            let text = json::exit(self.label(node), outcome, took, connected);
            self.output.tell(Stream::Out, &text);
        }
        match &mut self.keeping {
            Keeping::Gather(gather) if !self.plan.session => {
                gather.finish(node, (outcome != Outcome::Ended).then_some(outcome));
            }
            Keeping::Ordered(ordered) => {
                if ordered.finish(node) {
                    self.replayed();
                }
            }
            Keeping::Gather(_) | Keeping::Nothing => {}
        }
    }

    /// Every node has its outcome.
    pub(super) fn close_books(&mut self) {
        if !self.plan.session && !self.hidden {
            self.show_groups(&|node| node);
        }
    }

    /// Queues the groups, members in the order of `place`.
    pub(super) fn show_groups(&mut self, place: &dyn Fn(u32) -> u32) {
        let Keeping::Gather(gather) = &mut self.keeping else {
            return;
        };
        let diff = self.plan.shape == Shape::Gathered { diff: true };
        let groups = gather.groups(diff, place);
        let small = |group: &Group| group.bytes() <= DIFF_BYTES_MAX;
        let mut comparable = diff && groups.first().is_some_and(small);
        for (number, group) in groups.iter().enumerate() {
            let names: Vec<&str> = group.members.iter().map(|&node| self.label(node)).collect();
            let alike = groups.iter().any(|other| group.looks_like(other));
            let name = report::group(&names, group.outcome, alike);
            if self.plan.sinks.label {
                self.replay.push(Part::Text(report::group_header(&name)));
            }
            let compared = comparable && small(group);
            if diff && !compared && (number == 0 || comparable) {
                self.output.say(&report::not_compared(&name));
            }
            comparable &= number > 0 || compared;
            if compared {
                self.push_group(group, true);
            }
            match (compared, number) {
                (false, _) => self.push_group(group, false),
                (true, 0) => {
                    self.replay.push(Part::Base(name));
                    self.push_group(group, false);
                }
                (true, _) => self.replay.push(Part::Difference(name)),
            }
        }
    }

    fn push_group(&mut self, group: &Group, compared: bool) {
        for (stream, mark) in [(Stream::Out, &b""[..]), (Stream::Err, report::STDERR_MARK)] {
            let form = match compared {
                true => Form::Compared(mark),
                false => Form::Marked(mark),
            };
            let kept = group.streams[stream as usize];
            self.replay.push(Part::Stream(kept, form));
        }
    }

    /// All that was queued is shown.
    pub(super) fn replayed(&mut self) {
        if self.hidden {
            return;
        }
        let next: Option<(u32, Kept)> = match &mut self.keeping {
            Keeping::Ordered(ordered) => ordered.advance(),
            _ => None,
        };
        if let Some((node, kept)) = next {
            let prefixes = Stream::BOTH.map(|stream| self.prefix(stream, node));
            let form = Form::Ordered(prefixes);
            self.replay.push(Part::Stream(kept, form));
        }
        if self.plan.session {
            self.keeping = Keeping::Nothing;
            self.notices.push_back(Notice::Shown);
        }
    }

    /// Shows more of what was kept, as long as the output takes it.
    pub(super) fn show(&mut self) -> Option<Effect> {
        while self.replay.is_ready() && self.replay_left > 0 && !self.output.is_high() {
            // What is asked for may be on its way to the file.
            if let Some(effect) = self.spool_output(0) {
                return Some(effect);
            }
            self.replay_left = match self.replay.is_slow() {
                true => 0,
                false => self.replay_left - 1,
            };
            if let Some(fetch) = self.replay.step(self.keeping.store(), &mut self.output) {
                return Some(Effect::Fetch {
                    offset: fetch.offset,
                    bytes: fetch.bytes,
                });
            }
            if !self.replay.is_active() {
                self.replayed();
                self.await_flush();
            }
        }
        None
    }

    /// A turn begins: what was kept may be shown for a while.
    pub(super) fn begin_show(&mut self) {
        self.replay_left = REPLAY_STEPS_PER_TURN;
    }

    pub(super) fn fetched(&mut self, bytes: &[u8]) {
        self.replay.fetched(bytes, &mut self.output);
    }

    /// What is on its way will not be seen: the rest of it is left out.
    pub fn drop_shown(&mut self) {
        if self.replay.is_active() {
            self.replay.clear();
            self.replayed();
        }
    }

    /// Nothing that is kept will be seen any more.
    pub(super) fn hide_kept(&mut self) {
        self.hidden = true;
        self.replay.clear();
    }

    /// Writes kept output to its file once there is more of it than this.
    pub(super) fn spool_output(&self, beyond: usize) -> Option<Effect> {
        let waiting = self.unspooled(Spool::Output).1.len();
        let spool = Spool::Output;
        (waiting > beyond).then_some(Effect::Spool { spool })
    }

    /// After something may have been kept.
    pub(super) fn spool_kept(&mut self) {
        self.effects.extend(self.spool_output(SPOOL_BYTES));
    }

    /// What should go into this file next, and at which offset; empty when all is there.
    pub fn unspooled(&self, spool: Spool) -> (u64, &[u8]) {
        let none = (0, &[][..]);
        match spool {
            Spool::Input => self
                .broadcast
                .as_ref()
                .map_or(none, |input| input.unfiled()),
            Spool::Output => self.keeping.store().map_or(none, Store::unfiled),
        }
    }

    pub(super) fn spooled(&mut self, spool: Spool, bytes: usize) {
        match spool {
            Spool::Input => self.broadcast.iter_mut().for_each(|input| input.filed()),
            Spool::Output => {
                let store = self.keeping.store_mut();
                store.into_iter().for_each(|store| store.filed(bytes));
            }
        }
    }

    pub(super) fn spool_failed(&mut self, spool: Spool, error: &str) {
        match spool {
            Spool::Input => {
                // What can't be written must not wait for it, either.
                while !self.unspooled(spool).1.is_empty() {
                    let bytes = self.unspooled(spool).1.len();
                    self.spooled(spool, bytes);
                }
                self.stdin_failed(&report::spool_failed(error));
            }
            Spool::Output => {
                self.keeping
                    .store_mut()
                    .into_iter()
                    .for_each(Store::give_up);
                if !self.hidden {
                    self.output.say(&report::keep_failed(error));
                }
                self.demand(Demand::End(Reason::OutputFailed));
            }
        }
    }

    pub(super) fn fetch_failed(&mut self, error: &str) {
        if !self.hidden {
            self.output.say(&report::fetch_failed(error));
            self.hide_kept();
            self.demand(Demand::End(Reason::OutputFailed));
        }
    }

    /// What waits for the files of nodes.
    pub fn unstored(&self) -> &[u8] {
        self.files.pending()
    }

    pub(super) fn store_failed(&mut self, node: u32, file: &str, error: &str) {
        let text = report::store_failed(self.label(node), file, error);
        self.output.say(&text);
        self.unkept = true;
    }

    /// Something that should have been written to a file was not, and that was said.
    pub fn note_unwritten(&mut self) {
        self.unkept = true;
    }

    /// How the run ends, as far as is known.
    pub fn verdict(&self) -> Verdict {
        let outcomes = self.outcomes().map(|(_, outcome)| outcome);
        Verdict::of(outcomes, self.reason()).or_worse(self.unkept)
    }

    /// Queues what stands at the end of the output: all nodes are done, and what was kept is shown.
    pub fn close_output(&mut self) {
        if self.plan.shape == Shape::Json && !self.plan.session {
            let counts = json::Counts::of(self.outcomes().map(|(_, outcome)| outcome));
            let text = json::end(self.verdict().shell_status(), counts, self.now);
            self.output.tell(Stream::Out, &text);
        }
        if let Some(books) = &self.books {
            let rows = self.outcomes().map(|(rank, outcome)| {
                let book = books.get(rank).copied().flatten();
                report::Row {
                    label: &self.plan.labels[rank],
                    outcome,
                    took: book.map(|book| book.took),
                    connected: book.and_then(|book| book.connected),
                    bytes: book.map_or(0, |book| book.bytes),
                }
            });
            let text = report::table(rows.collect());
            self.output.say(&text);
        }
        self.await_flush();
    }
}
