//! Bytes from the nodes: which source is read, and what its lines say.

use super::node::{Link, Process, State};
use super::shape::Keeping;
use super::transport_words::without_returns;
use super::{Effect, Engine, Notice, Protocol, Slot, Source};
use crate::job::Shape;
use crate::limits::{DRAIN_GRACE, LINE_BYTES_MAX, READ_BYTES_MAX};
use crate::output::{End, Line, Output, Queue, Stream};
use crate::remote::{Frame, MARK, Nonce};
use crate::report;

impl Engine {
    pub(super) fn readable(&mut self, source: Source, hung_up: bool) {
        let Some(Slot::Live(node)) = self.slots.get_mut(source.node as usize) else {
            return;
        };
        let half = node.half(source.stream);
        half.hung_up |= hung_up;
        if !half.queued && half.state != State::Closed {
            self.reading.enqueue(source, &mut half.queued);
            // An edge that came in this turn is served in it.
            self.reads_left += 1;
        }
    }

    pub(super) fn read(&mut self, source: Source) -> Option<Effect> {
        let half = self.live(source.node)?.half(source.stream);
        half.queued = false;
        let limit = match half.state {
            State::Open => READ_BYTES_MAX,
            State::Draining(left) => left.min(READ_BYTES_MAX),
            State::Closed => return None,
        };
        Some(Effect::Read { source, limit })
    }

    pub(super) fn bytes(&mut self, source: Source, bytes: &[u8], dry: bool) {
        if source.stream == Stream::Err {
            self.look_for_refusal(source.node, bytes);
        }
        let seen = match self.holds_words(source, bytes) {
            true => Seen::default(),
            false => self.assemble(source, Arrival::Bytes(bytes)),
        };
        let Some(Slot::Live(node)) = self.slots.get_mut(source.node as usize) else {
            return;
        };
        let half = node.half(source.stream);
        let mut finished = false;
        if let State::Draining(left) = half.state {
            finished = dry || bytes.len() >= left;
            half.advance(State::Draining(left.saturating_sub(bytes.len())));
        }
        if !finished && (!dry || half.hung_up) {
            self.reading.enqueue(source, &mut half.queued);
        }
        self.saw(source, seen);
        self.spool_kept();
        self.keep_to_budget();
        if finished {
            self.close(source);
        }
    }

    pub(super) fn dry(&mut self, source: Source) {
        let Some(node) = self.live(source.node) else {
            return;
        };
        let half = node.half(source.stream);
        half.hung_up = false;
        if matches!(half.state, State::Draining(_)) {
            self.close(source);
        }
    }

    /// Prints the longest unfinished lines as far as they go, while all together take too much.
    pub(super) fn keep_to_budget(&mut self) {
        while let Some(source) = self.unfinished.excess() {
            if self.plan.warn && !std::mem::replace(&mut self.told_cut, true) {
                self.output.say(report::LINES_CUT);
            }
            self.assemble(source, Arrival::Cut);
        }
        if self.unfinished.gives_back() {
            self.effects.push_back(Effect::GiveBackMemory);
        }
    }

    /// Puts what came of a stream through line assembly, queues the lines and picks out the frames.
    pub(super) fn assemble(&mut self, source: Source, arrival: Arrival) -> Seen {
        let mut seen = Seen::default();
        let Some(Slot::Live(node)) = self.slots.get_mut(source.node as usize) else {
            return seen;
        };
        let nonce = match &self.plan.protocol {
            Protocol::Framed(nonce) if !self.locals.contains(&source.node) => Some(nonce),
            Protocol::Framed(_) | Protocol::Bare | Protocol::Local => None,
        };
        let half = &mut node.halves[source.stream as usize];
        let greeted = half.greeted;
        let taken = half.lines.taken();
        let stripped = arrival
            .bytes()
            .and_then(|bytes| without_returns(half, &self.plan, source, bytes, nonce.is_some()));
        let arrival = stripped.as_deref().map_or(arrival, Arrival::Bytes);
        let mut way = Way {
            source,
            prefix: &half.prefix,
            bytes: &mut half.bytes,
            run: &mut half.run,
            file: self.plan.files[source.stream as usize].then_some(&mut self.files),
            json: self.plan.shape == Shape::Json,
            keeping: &mut self.keeping,
            output: &mut self.output,
        };
        let stored = way.file.as_ref().map_or(0, |file| file.len());
        let whole = way.file.is_some() || way.keeping.takes(source.node);
        // A frame can only be where its mark is.
        let plain = |bytes| nonce.is_none() || memchr::memchr(MARK, bytes).is_none();
        let together = way.is_straight() && arrival.bytes().is_some_and(plain);
        let emit = |line: Line| {
            seen.piece |= way.is_long(line);
            // Behind a hello there is no bootstrap: what looks like its mark is a command's output.
            let is_one = |frame| !matches!(frame, Frame::Ready(_)) || !(greeted || seen.hello);
            match frame_in(line, nonce).filter(|&(_, frame)| is_one(frame)) {
                None => way.put(line),
                Some((start, frame)) => {
                    seen.note(frame);
                    if start > 0 {
                        way.put(Line::open(&line.text[..start]));
                    }
                }
            }
        };
        match arrival {
            Arrival::Bytes(bytes) if whole => half.lines.pass(bytes, nonce, emit),
            Arrival::Bytes(bytes) if together => half.lines.feed_together(bytes, nonce, emit),
            Arrival::Bytes(bytes) => half.lines.feed(bytes, nonce, emit),
            Arrival::Cut => half.lines.cut(nonce, emit),
            Arrival::End => half.lines.finish(nonce, emit),
        }
        self.unfinished.changed(source, taken, half.lines.taken());
        let bytes = self.files.len().saturating_sub(stored);
        if self.plan.files[source.stream as usize] && bytes > 0 {
            self.effects.push_back(Effect::Store { source, bytes });
        }
        seen
    }

    /// Draws the conclusions from what line assembly saw.
    fn saw(&mut self, source: Source, seen: Seen) {
        let (now, session) = (self.now, self.plan.session);
        let Some(node) = self.live(source.node) else {
            return;
        };
        if seen.piece && !std::mem::replace(&mut node.warned_long, true) && self.plan.warn {
            let text = report::long_line(self.label(source.node));
            self.output.say(&text);
        }
        let Some(node) = self.live(source.node) else {
            return;
        };
        node.half(source.stream).greeted |= seen.hello;
        let free = node.cause.is_none() && matches!(node.process, Process::Running(_));
        let greeted = seen.hello && node.link != Link::Up;
        if greeted && session && !node.is_greeted() {
            // A shell's reports count once both streams have brought them, so both have to be known to work, or not to.
            if free {
                self.set_deadline(source.node, Some(now + DRAIN_GRACE));
            }
        } else if greeted {
            self.up(source.node);
        }
        for number in seen.ready {
            self.ready(source.node, number);
        }
        if seen.ask {
            self.asked(source.node);
        }
        for (command, status) in seen.commands {
            self.reported(source, command, status);
        }
        let Some(node) = self.live(source.node) else {
            return;
        };
        if let Some(status) = seen.exit {
            node.link = Link::Up;
            node.half(source.stream).exit_seen = true;
            node.status.get_or_insert(status);
        }
        // Also where a stream brings its hello late: then it has an exit to bring, too.
        let lingers = free && node.status.is_some() && (seen.hello || seen.exit.is_some());
        if seen.exit.is_some() {
            self.got_through(source.node);
        }
        if lingers {
            self.linger(source.node);
        }
    }

    /// A node is connected, and its command is about to run.
    pub(super) fn up(&mut self, node: u32) {
        let now = self.now;
        let limit = self.plan.time_limit.map(|limit| now + limit);
        let Some(live) = self.live(node) else { return };
        live.link = Link::Up;
        let free = live.cause.is_none() && matches!(live.process, Process::Running(_));
        live.connected = live
            .cause
            .is_none()
            .then(|| now.saturating_sub(live.started));
        self.greeted = true;
        if free && self.plan.session {
            self.set_deadline(node, None);
            self.notices.push_back(Notice::Up { node });
        } else if free {
            self.set_deadline(node, limit);
        }
        self.got_through(node);
        self.let_in(node);
    }

    /// A stream ended, or is given up.
    pub(super) fn close(&mut self, source: Source) {
        let Some(node) = self.live(source.node) else {
            return;
        };
        if node.half(source.stream).state == State::Closed {
            return;
        }
        self.release_held(source);
        let seen = self.assemble(source, Arrival::End);
        self.effects.push_back(Effect::Close { source });
        let Some(Slot::Live(node)) = self.slots.get_mut(source.node as usize) else {
            return;
        };
        let half = node.half(source.stream);
        half.advance(State::Closed);
        let silent = node.is_silent();
        let lingering = node.cause.is_none()
            && node.status.is_some()
            && matches!(node.process, Process::Running(_));
        self.saw(source, seen);
        if lingering {
            self.linger(source.node);
        }
        if silent {
            self.silenced(source.node);
        }
        self.join(source.node);
    }
}

/// What came of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrival<'a> {
    Bytes(&'a [u8]),
    /// Nothing, but there is no room for what is unfinished.
    Cut,
    /// Its end.
    End,
}

impl<'a> Arrival<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Cut | Self::End => None,
        }
    }
}

/// The frame at the end of a line, and where it starts.
fn frame_in(line: Line, nonce: Option<&Nonce>) -> Option<(usize, Frame)> {
    nonce
        .filter(|_| line.end != End::Cut && Nonce::is_candidate(line.text))?
        .find(line.text)
}

/// Where a line goes.
struct Way<'a> {
    source: Source,
    prefix: &'a [u8],
    /// What the stream has said so far.
    bytes: &'a mut u64,
    /// How long the line is so far that is handed on as it comes.
    run: &'a mut usize,
    file: Option<&'a mut Queue>,
    json: bool,
    keeping: &'a mut Keeping,
    output: &'a mut Output,
}

impl Way<'_> {
    /// Whether this belongs to a line that is printed in pieces, now or later.
    fn is_long(&mut self, line: Line) -> bool {
        match (self.file.is_some(), line.end) {
            (true, _) => false,
            (false, End::Cut) => true,
            (false, _) if !self.keeping.takes(self.source.node) => false,
            (false, end) => {
                let first = memchr::memchr(b'\n', line.text).unwrap_or(line.text.len());
                let long = *self.run + first > LINE_BYTES_MAX;
                *self.run = match (end, memchr::memrchr(b'\n', line.text)) {
                    (End::Newline, _) => 0,
                    (_, Some(last)) => line.text.len() - last - 1,
                    (_, None) => *self.run + line.text.len(),
                };
                long
            }
        }
    }

    fn put(&mut self, line: Line) {
        let newline = line.end == End::Newline;
        *self.bytes += line.text.len() as u64 + u64::from(newline);
        if let Some(file) = &mut self.file {
            file.append(|out| {
                out.extend_from_slice(line.text);
                out.extend(newline.then_some(b'\n'));
            });
        } else if self.keeping.keep(self.source, line) {
        } else if self.json {
            let more = line.end == End::Cut;
            self.output.object(self.prefix, line.text, more);
        } else if line.end == End::Lines {
            self.output
                .lines(self.source.stream, self.prefix, line.text);
        } else {
            self.output.line(self.source.stream, self.prefix, line.text);
        }
    }

    /// Whether lines are printed as they are, a label before each.
    fn is_straight(&self) -> bool {
        self.file.is_none() && !self.json && self.keeping.passes(self.source.node)
    }
}

/// What line assembly came across.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Bootstraps that are ready, by the numbers of their marks.
    ready: Vec<u8>,
    hello: bool,
    ask: bool,
    exit: Option<u8>,
    piece: bool,
    /// Commands that a session's shell began, or ended with a status.
    commands: Vec<(u32, Option<u8>)>,
}

impl Seen {
    fn note(&mut self, frame: Frame) {
        match frame {
            Frame::Ready(number) => self.ready.push(number),
            Frame::Hello => self.hello = true,
            Frame::Ask => self.ask = true,
            Frame::Exit(status) => self.exit = Some(status),
            Frame::Start(command) => self.commands.push((command, None)),
            Frame::Done(command, status) => self.commands.push((command, Some(status))),
        }
    }
}
