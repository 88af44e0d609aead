//! What was kept on its way out: texts and kept streams, one after the other, no faster than the output takes them.

use super::lines::{Line, Lines};
use super::ordered::MARKS;
use super::store::{Kept, Number, Piece, Store};
use super::{Output, Stream, diff};
use crate::limits::DIFF_LINES_MAX;
use crate::report;
use std::collections::VecDeque;

/// How the lines of a kept stream are shown.
#[derive(Debug)]
pub enum Form {
    /// On stdout, with this before each.
    Marked(&'static [u8]),
    /// On the stream that its first byte names, with that stream's prefix.
    Ordered([Box<[u8]>; 2]),
    /// Not at all: they are part of a text to be compared, with this before each.
    Compared(&'static [u8]),
}

/// What is shown next.
#[derive(Debug)]
pub enum Part {
    /// These lines, on stdout.
    Text(String),
    /// A kept stream.
    Stream(Kept, Form),
    /// What was collected for comparison is what others are compared with, and this is its name.
    Base(String),
    /// How what was collected since differs from the base, and its name.
    Difference(String),
}

/// A part of the file that is needed to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    pub offset: u64,
    pub bytes: usize,
}

/// All that is to be shown.
#[derive(Debug, Default)]
pub struct Replay {
    parts: VecDeque<Part>,
    /// Of the stream that is being shown, the next one last.
    pieces: Vec<Number>,
    form: Option<Form>,
    lines: Lines,
    fetching: bool,
    text: Vec<u8>,
    base: (String, Vec<u8>),
}

impl Replay {
    /// Something more, behind all else.
    pub fn push(&mut self, part: Part) {
        self.parts.push_back(part);
    }

    /// Whether something is left.
    pub fn is_active(&self) -> bool {
        self.form.is_some() || !self.parts.is_empty()
    }

    /// Whether it could go on by itself.
    pub fn is_ready(&self) -> bool {
        self.is_active() && !self.fetching
    }

    /// Whether the next step takes so long that it should be the only one for a while.
    pub fn is_slow(&self) -> bool {
        self.form.is_none() && matches!(self.parts.front(), Some(Part::Difference(_)))
    }

    /// Nobody will see it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Shows a little more.
    pub fn step(&mut self, store: Option<&Store>, output: &mut Output) -> Option<Fetch> {
        if self.form.is_none() {
            match self.parts.pop_front()? {
                Part::Text(text) => output.tell(Stream::Out, text.as_bytes()),
                Part::Stream(kept, form) => {
                    self.pieces = store.map_or(Vec::new(), |store| store.pieces(&kept));
                    // A kept line of a node carries a mark.
                    let marks = usize::from(matches!(form, Form::Ordered(_)));
                    self.lines = Lines::longer(marks);
                    self.form = Some(form);
                }
                Part::Base(name) => {
                    let text = std::mem::take(&mut self.text);
                    if is_long(&text) {
                        output.say(&report::not_compared(&name));
                    }
                    self.base = (name, text);
                }
                Part::Difference(name) => self.compare(&name, output),
            }
            return None;
        }
        match (self.pieces.pop(), store) {
            (Some(number), Some(store)) => match store.piece(number) {
                Piece::Here(bytes) => self.show(Some(bytes), output),
                Piece::Filed { offset, bytes } => {
                    self.fetching = true;
                    return Some(Fetch { offset, bytes });
                }
            },
            _ => {
                self.show(None, output);
                self.form = None;
            }
        }
        None
    }

    /// What was asked for.
    pub fn fetched(&mut self, bytes: &[u8], output: &mut Output) {
        self.fetching = false;
        self.show(Some(bytes), output);
    }

    /// Lines of what comes next, or of what is left at the end.
    fn show(&mut self, bytes: Option<&[u8]>, output: &mut Output) {
        let Self {
            form, lines, text, ..
        } = self;
        let emit = |line: Line| match form {
            Some(Form::Marked(mark)) => output.line(Stream::Out, mark, line.text),
            Some(Form::Ordered(prefixes)) => {
                let stream = match line.text.first() {
                    Some(mark) if *mark == MARKS[Stream::Err as usize] => Stream::Err,
                    _ => Stream::Out,
                };
                let line = line.text.get(1..).unwrap_or_default();
                output.line(stream, &prefixes[stream as usize], line);
            }
            Some(Form::Compared(mark)) => {
                text.extend_from_slice(mark);
                text.extend_from_slice(line.text);
                text.push(b'\n');
            }
            None => {}
        };
        match bytes {
            Some(bytes) => lines.feed(bytes, None, emit),
            None => lines.finish(None, emit),
        }
    }

    fn compare(&mut self, name: &str, output: &mut Output) {
        let text = std::mem::take(&mut self.text);
        let (base_name, base) = &self.base;
        if is_long(&text) {
            output.say(&report::not_compared(name));
        }
        let shown = match is_long(base) || is_long(&text) {
            true => text,
            false => diff::unified(base_name, base, name, &text),
        };
        for line in shown.split_inclusive(|&byte| byte == b'\n') {
            output.line(Stream::Out, b"", line.strip_suffix(b"\n").unwrap_or(line));
        }
    }
}

/// Whether a text has too many lines to be compared: that would hold up everything else, and take too much memory.
fn is_long(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', text).count() > DIFF_LINES_MAX
}
