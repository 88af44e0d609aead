//! Whole lines on their way out: labels, colours, harmless escapes, and the bounded queue in front of each sink.
//!
//! Nothing here writes. Invariant: a queue only ever grows by whole lines, so lines of different nodes never mix; what stands below all
//! lines, the footer, is taken away before a line and drawn anew behind it.

mod block;
pub mod diff;
mod escape;
mod footer;
mod gather;
pub mod json;
mod lines;
mod ordered;
mod queue;
mod replay;
mod returns;
mod store;

pub use footer::Footer;
pub use gather::{Gather, Group};
pub use lines::{End, Line, Lines};
pub use ordered::Ordered;
pub use queue::Queue;
pub use replay::{Form, Part, Replay};
pub use returns::Returns;
pub use store::{Kept, Store};

use crate::limits::OUT_HIGH_BYTES;
use footer::Bottom;
use unicode_width::UnicodeWidthStr;

/// One of the two streams of a node, and of clsh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Both, in the order of their descriptors.
    pub const BOTH: [Self; 2] = [Self::Out, Self::Err];
}

/// How lines are shown on one sink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Labels carry colour.
    pub color: bool,
    /// Bytes that would drive a terminal are made harmless.
    pub harmless: bool,
}

/// The two sinks of a run, as they were found at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sinks {
    /// Style of stdout and of stderr.
    pub styles: [Style; 2],
    /// Both lead to the same place: one queue keeps the order and the lines whole.
    pub merged: bool,
    /// Lines carry labels.
    pub label: bool,
    /// On a terminal, labels take so many columns.
    pub columns: usize,
}

/// Colours of labels, one after the other over the nodes: readable on dark and on light, none of them red.
const LABEL_COLORS: [&str; 5] = ["36", "32", "35", "34", "33"];
/// Colour of labels before what came on stderr.
const ERROR_COLOR: &str = "31";
/// Labels whose widths differ by no more columns than this are padded to one width.
const PADDED_COLUMNS_MAX: usize = 3;

/// How many columns the labels of these nodes take on a terminal, or 0 where they are too different to be padded.
pub fn columns<'a>(labels: impl Iterator<Item = &'a str> + Clone) -> usize {
    let widths = labels.map(UnicodeWidthStr::width);
    let widest = widths.clone().max().unwrap_or(0);
    let differ = widest - widths.min().unwrap_or(0);
    if differ <= PADDED_COLUMNS_MAX {
        widest
    } else {
        0
    }
}

/// What becomes of what is said on stderr.
#[derive(Debug, PartialEq, Eq)]
enum Voice {
    /// It goes out.
    Free,
    /// It is held until it is known what becomes of it.
    Held(Vec<u8>),
    /// It is dropped.
    Muted,
}

/// The queues and how lines get into them.
#[derive(Debug)]
pub struct Output {
    sinks: Sinks,
    queues: [Queue; 2],
    closed: [bool; 2],
    voice: Voice,
    bottom: Bottom,
}

impl Output {
    /// With empty queues.
    pub fn new(sinks: Sinks) -> Self {
        Self {
            sinks,
            queues: Default::default(),
            closed: [false; 2],
            voice: Voice::Free,
            bottom: Bottom::default(),
        }
    }

    /// The sink that carries this stream.
    pub fn sink(&self, stream: Stream) -> Stream {
        if self.sinks.merged {
            Stream::Out
        } else {
            stream
        }
    }

    /// What stands before each line of a node on this stream.
    pub fn prefix(&self, stream: Stream, rank: usize, label: &str) -> Box<[u8]> {
        let style = self.sinks.styles[self.sink(stream) as usize];
        if !self.sinks.label {
            return Box::default();
        }
        let pad = match style.harmless {
            true => self.sinks.columns.saturating_sub(label.width()),
            false => 0,
        };
        let color = match stream {
            Stream::Out => LABEL_COLORS[rank % LABEL_COLORS.len()],
            Stream::Err => ERROR_COLOR,
        };
        let text = match style.color {
            false => format!("{label}: {:pad$}", ""),
            true => format!("\x1b[{color}m{label}:\x1b[0m {:pad$}", ""),
        };
        text.into_bytes().into()
    }

    /// Queues one line of a node, newline not included.
    pub fn line(&mut self, stream: Stream, prefix: &[u8], line: &[u8]) {
        let sink = self.sink(stream) as usize;
        let harmless = self.sinks.styles[sink].harmless;
        self.put(sink, |out| {
            out.reserve(prefix.len() + line.len() + 1);
            out.extend_from_slice(prefix);
            if harmless {
                escape::harmless(line, out);
            } else {
                out.extend_from_slice(line);
            }
            out.push(b'\n');
        });
    }

    /// Queues whole lines of a node, newlines included.
    pub fn lines(&mut self, stream: Stream, prefix: &[u8], lines: &[u8]) {
        let sink = self.sink(stream) as usize;
        if self.sinks.styles[sink].harmless {
            for line in lines.split_inclusive(|&byte| byte == b'\n') {
                self.line(stream, prefix, line.strip_suffix(b"\n").unwrap_or(line));
            }
        } else {
            self.put(sink, |out| block::prefixed(prefix, lines, out));
        }
    }

    /// Queues one line of a node as an object.
    pub fn object(&mut self, prefix: &[u8], line: &[u8], more: bool) {
        let sink = Stream::Out as usize;
        let harmless = self.sinks.styles[sink].harmless;
        self.put(sink, |out| {
            let from = out.len();
            json::line(prefix, line, more, out);
            if harmless {
                json::harmless(out, from);
            }
        });
    }

    /// Queues clsh's own words, whole lines, on stderr.
    pub fn say(&mut self, text: &str) {
        self.tell(Stream::Err, text.as_bytes());
    }

    /// Queues clsh's own words as they are.
    pub fn tell(&mut self, stream: Stream, text: &[u8]) {
        let sink = self.sink(stream) as usize;
        if !text.is_empty() {
            self.put(sink, |out| out.extend_from_slice(text));
        }
    }

    /// Queues what `write` makes, in the place of the footer.
    fn put(&mut self, sink: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let on_stderr = sink == self.sink(Stream::Err) as usize;
        match &mut self.voice {
            _ if self.closed[sink] => {}
            Voice::Held(held) if on_stderr => write(held),
            Voice::Muted if on_stderr => {}
            _ => self.queues[sink].append(|out| {
                self.bottom.lift(sink, out);
                write(out);
            }),
        }
    }

    /// What stands below all lines from now on. The same as before costs nothing.
    pub fn set_footer(&mut self, footer: Option<Footer>) {
        if self.bottom.is(&footer) {
            return;
        }
        for (sink, queue) in self.queues.iter_mut().enumerate() {
            if !self.closed[sink] {
                queue.append(|out| self.bottom.lift(sink, out));
            }
        }
        let sink = footer
            .as_ref()
            .map(|footer| self.sink(footer.stream) as usize);
        self.bottom.set(footer, sink.unwrap_or_default());
    }

    /// Leaves the footer where it stands, `tail` behind it, as lines of the past.
    pub fn keep_footer(&mut self, tail: &[u8]) {
        self.lay_footer([false; 2]);
        if let Some(sink) = self.bottom.keep()
            && !self.closed[sink]
        {
            self.queues[sink].append(|out| out.extend_from_slice(tail));
        }
    }

    /// The terminal has rearranged the footer: this takes it away now.
    pub fn reshape_footer(&mut self, erase: Vec<u8>) {
        self.bottom.reshape(erase);
    }

    /// The screen was another's meanwhile: the footer is drawn anew where the cursor stands.
    pub fn forget_footer(&mut self) {
        self.bottom.forget();
    }

    /// Draws the footer where it is missing and its sink is not blocked: no more lines come before the next write.
    pub fn lay_footer(&mut self, blocked: [bool; 2]) {
        if let Some(sink) = self.bottom.missing()
            && !self.closed[sink]
            && self.voice == Voice::Free
            && !blocked[sink]
        {
            self.queues[sink].append(|out| self.bottom.lay(out));
        }
    }

    /// What waits for a sink.
    pub fn pending(&self, sink: Stream) -> &[u8] {
        self.queues[sink as usize].pending()
    }

    /// That many bytes were written to a sink.
    pub fn consume(&mut self, sink: Stream, count: usize) {
        self.queues[sink as usize].consume(count);
    }

    /// Nobody reads this sink any more: what waits and what comes is dropped.
    pub fn close(&mut self, sink: Stream) {
        self.closed[sink as usize] = true;
        self.queues[sink as usize].clear();
    }

    /// What is said on stderr from now on is held, by clsh and by nodes; what waits still goes out.
    pub fn hold(&mut self) {
        self.voice = Voice::Held(Vec::new());
    }

    /// What is held is dropped, and what comes.
    pub fn mute(&mut self) {
        self.voice = Voice::Muted;
    }

    /// What is held goes out, and what comes; where it was dropped already, no part of it comes now.
    pub fn release(&mut self) {
        if let Voice::Held(held) = &mut self.voice {
            let held = std::mem::take(held);
            self.voice = Voice::Free;
            self.tell(Stream::Err, &held);
        }
    }

    /// Whether so much waits that the nodes should not be read.
    pub fn is_high(&self) -> bool {
        let held = matches!(&self.voice, Voice::Held(held) if held.len() >= OUT_HIGH_BYTES);
        held || self
            .queues
            .iter()
            .any(|queue| queue.len() >= OUT_HIGH_BYTES)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queues.iter().all(Queue::is_empty)
    }
}
