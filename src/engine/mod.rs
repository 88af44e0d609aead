//! What should happen next: the pure heart of clsh, without a kernel, a clock or randomness.
//!
//! The driver tells it facts ([`Engine::on_event`]), carries out what it asks for ([`Engine::poll_effect`]), sleeps no longer than it says
//! ([`Engine::poll_timeout`]) and tells it the time ([`Engine::on_timeout`]). Everything a test needs to know of time and of the kernel
//! goes through these four doors.
//!
//! Invariants, checked by [`Engine::check`], among them: waiting + running + done == total; every node gets exactly one outcome; for every stream
//! bytes in == bytes out + held; nothing is asked for after the end.

mod asking;
mod broadcast;
mod check;
mod clock;
mod connecting;
mod deadlines;
mod doors;
mod ending;
mod feeding;
mod flow;
mod input;
mod life;
mod node;
mod reaching;
mod reading;
mod reaping;
mod retry;
mod session;
mod shape;
mod shared;
mod standing;
mod teardown;
mod transport_words;
mod unfinished;
mod window;

pub use broadcast::Supply;
pub use clock::Clock;
pub use connecting::Work;
pub use doors::{
    Effect, Event, Exit, Notice, Order, Plan, Progress, Protocol, Request, Source, Spool, Stdin,
    Time,
};

pub use node::Interrupt;

use crate::limits::SPAWNS_PER_TURN;
use crate::outcome::{Outcome, Reason};
use crate::output::{Output, Queue, Replay, Stream};
use crate::report;
use broadcast::Broadcast;
use connecting::Connecting;
use deadlines::Deadlines;
use ending::Causes;
use node::Node;
use reaching::Drops;
use reading::Reading;
use reaping::Reaping;
use shape::{Book, Keeping};
use standing::Drawing;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use teardown::{Demand, Teardown};
use unfinished::Unfinished;
use window::Window;

#[derive(Debug)]
enum Slot {
    Waiting,
    Live(Box<Node>),
    Done(Outcome),
}

/// The whole state of a run.
#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    slots: Vec<Slot>,
    /// Slots whose command runs here, beside the nodes of a session.
    locals: Vec<u32>,
    done: usize,
    alive: usize,
    ending: usize,
    window: Window,
    connecting: Connecting,
    deadlines: Deadlines,
    reading: Reading,
    unfinished: Unfinished,
    reaping: Reaping,
    reads_left: usize,
    starts_left: usize,
    teardown: Teardown,
    output: Output,
    keeping: Keeping,
    replay: Replay,
    replay_left: usize,
    /// Nobody will see what is kept.
    hidden: bool,
    /// What goes into the files of nodes.
    files: Queue,
    /// Something that was to be kept was not.
    unkept: bool,
    /// Nodes whose outcome is a failure.
    failed: usize,
    /// What is told of each node at the end, if that is; `None` where it was never started, as those behind the last that was.
    books: Option<Vec<Option<Book>>>,
    broadcast: Option<Broadcast>,
    /// Nodes that have something to read and room for it.
    feeding: VecDeque<u32>,
    feeds_left: usize,
    /// How often each node was tried again, as far as the last that was.
    tries: Vec<u32>,
    /// How often connections were dropped, of those nodes where any was.
    drops: BTreeMap<u32, Drops>,
    drawing: Drawing,
    notices: VecDeque<Notice>,
    blocked: [bool; 2],
    flush: bool,
    flush_until: Option<Time>,
    causes: Causes,
    told_delay: bool,
    /// That lines are cut was said.
    told_cut: bool,
    /// A node said hello, or got its outcome.
    greeted: bool,
    /// What to do where ssh was not let in was said.
    told_refusal: bool,
    /// The first node whose host key ssh did not take, and whether that was told.
    unverified: Option<(u32, bool)>,
    effects: VecDeque<Effect>,
    now: Time,
}

impl Engine {
    /// At the start: every node waits.
    pub fn new(plan: Plan) -> Self {
        let total = plan.labels.len();
        Self {
            slots: (0..total).map(|_| Slot::Waiting).collect(),
            locals: Vec::new(),
            done: 0,
            alive: 0,
            ending: 0,
            window: Window::new(total as u32, plan.window, !plan.session),
            connecting: Connecting::new(plan.cores, plan.window),
            deadlines: Deadlines::default(),
            reading: Reading::default(),
            unfinished: Unfinished::new(plan.unfinished_max),
            reaping: Reaping::default(),
            reads_left: 0,
            starts_left: 0,
            teardown: Teardown::Running,
            output: Output::new(plan.sinks),
            keeping: Keeping::new(plan.shape, plan.seed, plan.window.min(total)),
            replay: Replay::default(),
            replay_left: 0,
            hidden: false,
            files: Queue::default(),
            unkept: false,
            failed: 0,
            books: plan.summary.then(Vec::new),
            broadcast: match plan.input {
                Stdin::Nothing => None,
                Stdin::Stream => Some(Broadcast::stream()),
                Stdin::File(bytes) => Some(Broadcast::file(bytes)),
            },
            feeding: VecDeque::new(),
            feeds_left: 0,
            tries: Vec::new(),
            drops: BTreeMap::new(),
            drawing: Drawing::default(),
            notices: VecDeque::new(),
            blocked: [false; 2],
            flush: false,
            flush_until: None,
            causes: Causes::default(),
            told_delay: false,
            told_cut: false,
            greeted: false,
            told_refusal: false,
            unverified: None,
            effects: VecDeque::new(),
            now: Time::ZERO,
            plan,
        }
    }

    /// A turn begins: `now` is the time for all of it, and each source in the run queue may be read once.
    pub fn begin_turn(&mut self, now: Time) {
        self.now = now;
        self.reads_left = self.reading.queued();
        self.feeds_left = self.feeding.len();
        self.starts_left = 0;
        self.flush = false;
        self.begin_show();
    }

    /// A fact, in the order it became known.
    pub fn on_event(&mut self, event: Event) {
        // Whatever it is, it may have been what the input waited for.
        self.broadcast
            .iter_mut()
            .for_each(|input| input.stalled = false);
        match event {
            Event::Spawned { node, pid } => self.spawned(node, pid),
            Event::SpawnDelayed { node, error } => self.spawn_delayed(node, error),
            Event::SpawnFailed { node, found, error } => self.spawn_failed(node, found, error),
            Event::Readable { source, hung_up } => self.readable(source, hung_up),
            Event::Bytes { source, bytes, dry } => self.bytes(source, bytes, dry),
            Event::Dry { source } => self.dry(source),
            Event::Eof { source } => self.close(source),
            Event::ChildrenEnded => self.children_ended(),
            Event::Exited { node, exit } => self.exited(node, exit),
            Event::Looked { node, work } => self.looked(node, work),
            Event::CarriesOthers { node, order } => self.carries_others(node, order),
            Event::Fed { node, bytes } => self.fed(node, bytes),
            Event::InputBlocked { node } => self.input_blocked(node),
            Event::InputWritable { node } => self.input_writable(node),
            Event::InputClosed { node } => self.input_closed(node),
            Event::Answered { node } => self.answered(node),
            Event::Denied { node, expired } => self.denied(node, expired),
            Event::Unanswered { node } => self.unanswered(node),
            Event::StdinReadable => self.stdin_readable(),
            Event::StdinBytes { bytes } => self.stdin_bytes(bytes),
            Event::StdinDry => self.stdin_dry(),
            Event::StdinEnded => self.stdin_ended(),
            Event::StdinFailed { error } => self.stdin_failed(&report::input_failed(error)),
            Event::Spooled { spool, bytes } => self.spooled(spool, bytes),
            Event::SpoolFailed { spool, error } => self.spool_failed(spool, error),
            Event::FetchFailed { error } => self.fetch_failed(error),
            Event::Fetched { bytes } => self.fetched(bytes),
            Event::Stored { bytes } => self.files.consume(bytes),
            Event::StoreFailed { node, file, error } => self.store_failed(node, file, error),
            Event::Resized { columns } => self.resized(columns),
            Event::Request(request) => self.requested(request),
            Event::Resumed => self.resumed(),
            Event::Wrote { sink, bytes } => self.wrote(sink, bytes),
            Event::Blocked { sink } => self.sink_blocked(sink),
            Event::Writable { sink } => self.blocked[sink as usize] = false,
            Event::SinkClosed { sink } => self.sink_closed(sink),
            Event::SinkFailed { sink, error } => self.sink_failed(sink, error),
        }
    }

    /// The facts of this turn are in: deadlines that are due, nodes whose turn it is, and output may go ahead.
    pub fn on_timeout(&mut self) {
        while let Some(node) = self.deadlines.pop(self.now) {
            self.due(node);
        }
        self.window.on_timeout(self.now);
        self.reap_on_timeout();
        self.pace();
        self.draw();
        if self.flush_until.is_some_and(|until| until <= self.now) {
            self.flush_until = None;
            self.demand(Demand::GiveUp);
        }
        self.await_signal_on_timeout();
        self.watch_connections();
        self.starts_left = SPAWNS_PER_TURN;
        self.flush = true;
    }

    /// The next wish, until there is none.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        while let Some(effect) = self.effects.pop_front() {
            if self.is_timely(effect) {
                return Some(effect);
            }
        }
        let full = self.output.is_high();
        if self.flush {
            // Not where it could not be written: it may have changed by then.
            self.output.lay_footer(self.blocked);
        }
        if (self.flush || full)
            && let Some(sink) = self.writable_sink()
        {
            return Some(Effect::Write { sink });
        }
        if let Some(effect) = self.show().or_else(|| self.next_feed()) {
            return Some(effect);
        }
        // What was shown just now counts.
        let full = self.output.is_high();
        while self.reads_left > 0 && !full {
            self.reads_left -= 1;
            let next = self.reading.next();
            if let Some(effect) = next.and_then(|source| self.read(source)) {
                return Some(effect);
            }
        }
        if self.starts_left > 0 && self.may_start() {
            self.starts_left -= 1;
            return self.window.take().map(|node| Effect::Spawn { node });
        }
        None
    }

    /// How long nothing will happen by itself; `None` for ever.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let full = self.output.is_high();
        let busy = !full && (self.reading.queued() > 0 || self.replay.is_ready())
            || !self.feeding.is_empty()
            || self.is_hungry();
        if busy || self.may_start() || self.writable_sink().is_some() {
            return Some(Duration::ZERO);
        }
        let times = [
            self.deadlines.first(),
            self.window.retry_at(),
            self.connecting.look_at().filter(|_| self.window.has_room()),
            self.reaping.at(),
            self.flush_until,
            self.causes.until,
            self.draw_at(),
        ];
        times
            .into_iter()
            .flatten()
            .min()
            .map(|time| time.saturating_sub(self.now))
    }

    /// Whether clsh is ending a process: one that ended must not be reaped in any order then.
    pub fn holds_back(&self) -> bool {
        self.ending > 0
    }

    /// What waits to be written to a sink.
    pub fn pending(&self, sink: Stream) -> &[u8] {
        self.output.pending(sink)
    }

    /// Whether every node has its outcome, what was kept is on its way out, and the reason is known.
    pub fn is_done(&self) -> bool {
        self.done == self.slots.len() && !self.replay.is_active() && self.causes.are_known()
    }

    /// Whether nothing is left to do, or to wait for.
    pub fn is_over(&self) -> bool {
        self.is_done()
            && (self.output.is_empty()
                || matches!(self.teardown, Teardown::Gone(_)) && self.writable_sink().is_none())
    }

    /// Why the run ends early, if it does.
    pub fn reason(&self) -> Option<Reason> {
        self.teardown.reason()
    }

    /// The outcomes of the nodes that have one, by rank.
    pub fn outcomes(&self) -> impl Iterator<Item = (usize, Outcome)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(rank, slot)| match slot {
                Slot::Done(outcome) => Some((rank, *outcome)),
                Slot::Waiting | Slot::Live(_) => None,
            })
    }

    /// Queues clsh's own words, whole lines, for stderr.
    pub fn say(&mut self, text: &str) {
        self.output.say(text);
        self.await_flush();
    }

    /// How nodes are told from one another, by rank.
    pub fn labels(&self) -> &[Box<str>] {
        &self.plan.labels
    }

    /// The time of this turn.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A sink that has something to take and takes it, as far as is known.
    fn writable_sink(&self) -> Option<Stream> {
        let ready =
            |&sink: &Stream| !self.blocked[sink as usize] && !self.output.pending(sink).is_empty();
        Stream::BOTH.into_iter().find(ready)
    }

    fn live(&mut self, node: u32) -> Option<&mut Node> {
        match self.slots.get_mut(node as usize) {
            Some(Slot::Live(live)) => Some(live),
            _ => None,
        }
    }

    fn set_deadline(&mut self, node: u32, next: Option<Time>) {
        if let Some(Slot::Live(live)) = self.slots.get_mut(node as usize) {
            self.deadlines.set(node, &mut live.deadline, next);
        }
    }

    fn label(&self, node: u32) -> &str {
        &self.plan.labels[node as usize]
    }
}
