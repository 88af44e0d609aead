//! Bytes in, whole lines out: one half's line assembly.
//!
//! Invariant: bytes in == bytes out + held, and held <= [`LINE_BYTES_MAX`] and a frame. Newlines count as bytes out.

use crate::limits::{FRAME_BYTES_MAX, LINE_BYTES_MAX, LONG_LINE_BYTES};
use crate::remote::{MARK, Nonce};

/// A buffer this small is kept between lines.
const KEPT_BYTES: usize = 4096;

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
    /// It is longer than [`LINE_BYTES_MAX`] and goes on in the next one.
    Cut,
}

/// One line as it leaves, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub text: &'a [u8],
    pub end: End,
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

    /// Bytes of the unfinished line.
    pub fn held(&self) -> usize {
        self.held.len()
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
        if self.held.is_empty() {
            self.held.shrink_to(KEPT_BYTES);
        } else if self.held.len() < LONG_LINE_BYTES && self.held.capacity() > 2 * LONG_LINE_BYTES {
            // Whoever gives up its seat gives back the memory that goes with it.
            self.held.shrink_to(LONG_LINE_BYTES);
        }
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
        let open = |text| Line {
            text,
            end: End::Open,
        };
        let plain = nonce.is_none_or(|_| memchr::memchr(MARK, bytes).is_none());
        if self.held.is_empty() && plain {
            self.bytes_in += bytes.len() as u64;
            self.bytes_out += bytes.len() as u64;
            return emit(open(bytes));
        }
        self.feed(bytes, nonce, &mut emit);
        let text = self.held.len() - nonce.map_or(0, |nonce| nonce.begun(&self.held));
        if text > 0 {
            emit(open(&self.held[..text]));
            self.bytes_out += text as u64;
            self.held.drain(..text);
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
            && (self.held.len() >= LONG_LINE_BYTES || self.held.capacity() <= 2 * LONG_LINE_BYTES)
    }

    /// Holds so much more than a line may have that a frame behind one does not make it too long.
    fn hold(&mut self, mut bytes: &[u8], nonce: Option<&Nonce>, emit: &mut impl FnMut(Line)) {
        let room = self.most + nonce.map_or(0, |_| FRAME_BYTES_MAX);
        while self.held.len() + bytes.len() > room {
            let (fits, rest) = bytes.split_at(room - self.held.len());
            self.held.extend_from_slice(fits);
            bytes = rest;
            emit(Line {
                text: &self.held[..self.most],
                end: End::Cut,
            });
            self.bytes_out += self.most as u64;
            self.held.drain(..self.most);
        }
        self.held.extend_from_slice(bytes);
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
