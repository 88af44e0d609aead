//! Bytes in, whole lines out: one half's line assembly.
//!
//! Invariant: bytes in == bytes out + held, and held <= [`LINE_BYTES_MAX`] and a frame. Newlines count as bytes out. The memory it takes is at
//! most twice what is held, or [`SHORT_LINE_BYTES`].

use crate::limits::{FRAME_BYTES_MAX, LINE_BYTES_MAX, SHORT_LINE_BYTES};
use crate::remote::{MARK, Nonce};

/// Memory that a line begins with.
const FIRST_BYTES: usize = 64;
/// A character of UTF-8 has no more bytes.
const CHARACTER_BYTES_MAX: usize = 4;

/// The unfinished line of one stream.
#[derive(Debug)]
pub struct Lines {
    held: Vec<u8>,
    most: usize,
    bytes_in: u64,
    bytes_out: u64,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a newline, which is taken off.
    Newline,
    /// It is several, each with its newline.
    Lines,
    /// With nothing: it is the last one, or goes on in what comes.
    Open,
    /// It is too long, and goes on in the next one.
    Cut,
}

/// One line as it leaves, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub text: &'a [u8],
    pub end: End,
}

impl<'a> Line<'a> {
    /// Text that goes on, or is the last.
    pub fn open(text: &'a [u8]) -> Self {
        let end = End::Open;
        Self { text, end }
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::longer(0)
    }
}

impl Lines {
    /// For lines that have so many bytes more than other lines.
    pub fn longer(bytes: usize) -> Self {
        Self {
            held: Vec::new(),
            most: LINE_BYTES_MAX + bytes,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Memory that the unfinished line takes, in bytes.
    pub fn taken(&self) -> usize {
        self.held.capacity()
    }

    /// Takes what was read and hands over each line it completes. With a nonce, a piece never ends inside a frame.
    pub fn feed(&mut self, mut bytes: &[u8], nonce: Option<&Nonce>, mut emit: impl FnMut(Line)) {
        self.bytes_in += bytes.len() as u64;
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            if self.held.is_empty() && line.len() <= self.most {
                emit(whole(line));
                self.bytes_out += line.len() as u64 + 1;
            } else {
                self.hold(line, nonce, &mut emit);
                self.release(self.held.len(), End::Newline, nonce, &mut emit);
                self.bytes_out += self.held.len() as u64 + 1;
                self.held.clear();
            }
            bytes = &rest[1..];
        }
        self.hold(bytes, nonce, &mut emit);
        self.shrink();
    }

    /// As [`Lines::feed`], but lines that are whole in what was read are handed over together. Only where no mark of a frame
    /// is among them.
    pub fn feed_together(
        &mut self,
        mut bytes: &[u8],
        nonce: Option<&Nonce>,
        mut emit: impl FnMut(Line),
    ) {
        if !self.held.is_empty()
            && let Some(newline) = memchr::memchr(b'\n', bytes)
        {
            let (first, rest) = bytes.split_at(newline + 1);
            self.feed(first, nonce, &mut emit);
            bytes = rest;
        }
        if self.held.is_empty()
            && bytes.len() <= self.most
            && let Some(newline) = memchr::memrchr(b'\n', bytes)
        {
            let (lines, rest) = bytes.split_at(newline + 1);
            self.bytes_in += lines.len() as u64;
            self.bytes_out += lines.len() as u64;
            emit(Line {
                text: lines,
                end: End::Lines,
            });
            bytes = rest;
        }
        self.feed(bytes, nonce, emit);
    }

    /// Takes what was read and hands it on at once, cut anywhere. With a nonce, what may be the beginning of a frame is held.
    pub fn pass(&mut self, bytes: &[u8], nonce: Option<&Nonce>, mut emit: impl FnMut(Line)) {
        let plain = nonce.is_none_or(|_| memchr::memchr(MARK, bytes).is_none());
        if self.held.is_empty() && plain {
            self.bytes_in += bytes.len() as u64;
            self.bytes_out += bytes.len() as u64;
            return emit(Line::open(bytes));
        }
        self.feed(bytes, nonce, &mut emit);
        let text = self.held.len() - nonce.map_or(0, |nonce| nonce.begun(&self.held));
        if text > 0 {
            emit(Line::open(&self.held[..text]));
            self.bytes_out += text as u64;
            self.held.drain(..text);
            self.shrink();
        }
    }

    /// Hands over the unfinished line as far as it goes, because there is no room for more of it. Its last character stays, so that the piece
    /// that ends the line is never an empty one and none ends inside a character, and so does what may be the beginning of a frame.
    pub fn cut(&mut self, nonce: Option<&Nonce>, mut emit: impl FnMut(Line)) {
        let text = self.held.len() - nonce.map_or(0, |nonce| nonce.begun(&self.held));
        let text = last_character(&self.held[..text]);
        if text > 0 {
            emit(Line {
                text: &self.held[..text],
                end: End::Cut,
            });
            self.bytes_out += text as u64;
            self.held.drain(..text);
            self.shrink();
        }
    }

    /// The stream ended: hands over the last line if it had no newline. The beginning of a frame that never came whole is dropped.
    pub fn finish(&mut self, nonce: Option<&Nonce>, mut emit: impl FnMut(Line)) {
        let text = self.held.len() - nonce.map_or(0, |nonce| nonce.begun(&self.held));
        if text > 0 {
            self.release(text, End::Open, nonce, &mut emit);
        }
        self.bytes_out += self.held.len() as u64;
        self.held = Vec::new();
    }

    /// Whether the books balance.
    pub fn is_consistent(&self) -> bool {
        self.bytes_in == self.bytes_out + self.held.len() as u64
            && self.held.len() <= self.most + FRAME_BYTES_MAX
            && self.held.capacity() <= SHORT_LINE_BYTES.max(2 * self.held.len())
    }

    /// Gives back memory that is out of proportion to what is held.
    fn shrink(&mut self) {
        if self.held.capacity() > SHORT_LINE_BYTES.max(2 * self.held.len()) {
            self.held.shrink_to(0);
        }
    }

    /// Appends to what is held. The memory for it grows by a quarter at a time: doubled, as vectors are, half of it would be empty.
    fn push(&mut self, bytes: &[u8]) {
        let (length, room) = (self.held.len() + bytes.len(), self.held.capacity());
        if length > room {
            let next = length.max(room + room / 4).max(FIRST_BYTES);
            self.held.reserve_exact(next - self.held.len());
        }
        self.held.extend_from_slice(bytes);
    }

    /// Holds so much more than a line may have that a frame behind one does not make it too long.
    fn hold(&mut self, mut bytes: &[u8], nonce: Option<&Nonce>, emit: &mut impl FnMut(Line)) {
        let room = self.most + nonce.map_or(0, |_| FRAME_BYTES_MAX);
        while self.held.len() + bytes.len() > room {
            let (fits, rest) = bytes.split_at(room - self.held.len());
            self.push(fits);
            bytes = rest;
            emit(Line {
                text: &self.held[..self.most],
                end: End::Cut,
            });
            self.bytes_out += self.most as u64;
            self.held.drain(..self.most);
        }
        self.push(bytes);
    }

    /// Hands over the first bytes of what is held as the end of a line. They are too long for one only without a frame behind the text.
    fn release(&self, bytes: usize, end: End, nonce: Option<&Nonce>, emit: &mut impl FnMut(Line)) {
        let mut text = &self.held[..bytes];
        let frame = nonce.and_then(|nonce| nonce.find(text));
        let length = frame.map_or(text.len(), |(start, _)| start);
        if length > self.most {
            let (piece, rest) = text.split_at(self.most);
            emit(Line {
                text: piece,
                end: End::Cut,
            });
            text = rest;
        }
        emit(Line { text, end });
    }
}

/// Where the last character of a text begins, or its last byte where that is no UTF-8.
fn last_character(text: &[u8]) -> usize {
    let from = text.len().saturating_sub(CHARACTER_BYTES_MAX);
    let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    match text[from..].iter().rposition(begins) {
        Some(at) => from + at,
        None => text.len().saturating_sub(1),
    }
}

fn whole(text: &[u8]) -> Line<'_> {
    Line {
        text,
        end: End::Newline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        let mut emit = |line: Line| out.push(line.text.to_vec());
        let mut from = 0;
        for &cut in cuts.iter().chain([&input.len()]) {
            lines.feed(&input[from..cut], None, &mut emit);
            assert!(lines.is_consistent());
            from = cut;
        }
        lines.finish(None, &mut emit);
        assert!(lines.is_consistent());
        out
    }

    #[test]
    fn every_way_to_cut_the_bytes_gives_the_same_lines() {
        let input = b"\none\n\0two\xff\n\nlast";
        let expected: Vec<Vec<u8>> = input
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        for mask in 0..1_u32 << (input.len() - 1) {
            let cuts: Vec<usize> = (1..input.len())
                .filter(|cut| mask >> (cut - 1) & 1 == 1)
                .collect();
            assert_eq!(run(input, &cuts), expected, "cut at {cuts:?}");
        }
    }

    #[test]
    fn lines_that_are_handed_over_together_are_the_same() {
        let input = b"\none\n\0two\xff\n\nlast";
        for cut in 1..=input.len() {
            let mut lines = Lines::default();
            let mut out = Vec::new();
            let mut emit = |line: Line| {
                out.extend_from_slice(line.text);
                out.extend((line.end == End::Newline).then_some(b'\n'));
                assert!(line.end != End::Lines || line.text.ends_with(b"\n"));
            };
            for part in input.chunks(cut) {
                lines.feed_together(part, None, &mut emit);
                assert!(lines.is_consistent());
            }
            lines.finish(None, &mut emit);
            assert_eq!(out, input, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_is_cut_only_when_it_is_longer_than_the_limit() {
        let lengths = |size: usize, newline: bool| {
            let mut input = vec![b'x'; size];
            input.extend(newline.then_some(b'\n'));
            let cuts: Vec<usize> = (1..input.len() / 65_536 + 1)
                .map(|at| at * 65_536)
                .filter(|&cut| cut < input.len())
                .collect();
            run(&input, &cuts).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(LINE_BYTES_MAX, true), [LINE_BYTES_MAX]);
        assert_eq!(lengths(LINE_BYTES_MAX, false), [LINE_BYTES_MAX]);
        assert_eq!(lengths(LINE_BYTES_MAX + 1, true), [LINE_BYTES_MAX, 1]);
        assert_eq!(
            lengths(3_000_000, true),
            [
                LINE_BYTES_MAX,
                LINE_BYTES_MAX,
                3_000_000 - 2 * LINE_BYTES_MAX
            ]
        );
    }

    #[test]
    fn a_piece_never_ends_inside_a_frame_and_half_a_frame_is_never_shown() {
        let nonce = Nonce::new([7; 16]);
        let frame = format!("\x1e{} exit 0\x1e", nonce.as_str()).into_bytes();
        for before in LINE_BYTES_MAX - frame.len() - 1..=LINE_BYTES_MAX + frame.len() + 1 {
            let mut lines = Lines::default();
            let mut whole = Vec::new();
            let mut pieces = 0;
            let mut emit = |line: Line| match line.end {
                End::Cut => pieces += line.text.len(),
                End::Newline | End::Lines | End::Open => whole = line.text.to_vec(),
            };
            lines.feed(
                &[vec![b'x'; before], frame.clone(), b"\n".to_vec()].concat(),
                Some(&nonce),
                &mut emit,
            );
            assert_eq!(pieces + whole.len(), before + frame.len());
            assert!(
                whole.ends_with(&frame),
                "cut {before} bytes before the frame"
            );
            // Only what is too long is cut.
            assert_eq!(pieces > 0, before > LINE_BYTES_MAX, "{before}");
            assert!(whole.len() > frame.len(), "nothing is left but the frame");
        }
        let mut lines = Lines::default();
        lines.feed(&[b"text", &frame[..20]].concat(), Some(&nonce), |_| {
            unreachable!("no newline came")
        });
        let mut last = Vec::new();
        lines.finish(Some(&nonce), |line| {
            last.push((line.text.to_vec(), line.end))
        });
        assert_eq!(last, [(b"text".to_vec(), End::Open)]);
    }

    #[test]
    fn a_line_that_is_cut_early_keeps_its_characters_and_its_frame_whole() {
        let nonce = Nonce::new([7; 16]);
        let frame = format!("\x1e{} exit 0\x1e\n", nonce.as_str());
        let text = "aé€𝄞\u{301}z".repeat(3);
        let input = format!("{text}\n{text}{frame}{text}");
        for step in 1..=input.len() {
            let (mut lines, mut out, mut pieces) = (Lines::default(), Vec::new(), Vec::new());
            let mut emit = |line: Line| {
                let frame = nonce.find(line.text).map(|(start, _)| start);
                out.extend_from_slice(&line.text[..frame.unwrap_or(line.text.len())]);
                if line.end != End::Cut {
                    out.push(b'|');
                    assert!(!line.text.is_empty(), "an empty end");
                }
                pieces.push(line.text.to_vec());
            };
            for part in input.as_bytes().chunks(step) {
                lines.feed(part, Some(&nonce), &mut emit);
                lines.cut(Some(&nonce), &mut emit);
                assert!(lines.is_consistent());
            }
            lines.finish(Some(&nonce), &mut emit);
            let whole = String::from_utf8(out).expect("whole characters");
            assert_eq!(whole, format!("{text}|{text}|{text}|"), "cut at {step}");
            assert!(pieces.iter().all(|piece| str::from_utf8(piece).is_ok()));
        }
        // Bytes that are no UTF-8 are cut, too.
        let mut lines = Lines::default();
        lines.feed(&[0x80; 5000], None, |_| unreachable!("no newline came"));
        let mut cut = 0;
        lines.cut(None, |line| cut = line.text.len());
        assert_eq!(cut, 4999);
        assert!(lines.is_consistent() && lines.taken() <= SHORT_LINE_BYTES);
    }

    #[test]
    fn what_is_passed_on_is_the_same_bytes_without_the_frames() {
        let nonce = Nonce::new([7; 16]);
        let frame = format!("\x1e{} exit 0\x1e\n", nonce.as_str());
        let input = format!("one\ntw\x1eo\n{frame}\n\x1e\nthree{frame}four");
        for mask in 0..200_u64 {
            let mut lines = Lines::default();
            let mut out = Vec::new();
            let emit = |out: &mut Vec<u8>, line: Line| {
                let frame = nonce.find(line.text).map(|(start, _)| start);
                out.extend_from_slice(&line.text[..frame.unwrap_or(line.text.len())]);
                if frame.is_none() && line.end == End::Newline {
                    out.push(b'\n');
                }
            };
            for part in input.as_bytes().chunks(1 + mask as usize) {
                lines.pass(part, Some(&nonce), |line| emit(&mut out, line));
                assert!(lines.is_consistent());
            }
            lines.finish(Some(&nonce), |line| emit(&mut out, line));
            let text = String::from_utf8_lossy(&out).into_owned();
            assert_eq!(text, "one\ntw\x1eo\n\n\x1e\nthreefour", "cut at {mask}");
        }
    }
}
