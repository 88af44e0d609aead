//! The frames the wrapper sends back, and how they are told from output.
//!
//! A frame is `MARK nonce word numbers MARK newline` and may follow the last line of output directly when that line has no newline of
//! its own. Both marks and the nonce must match: whatever else looks like a frame is output and passes. The nonce is fresh for every
//! run and as unlikely to stand in output as any 128 random bits. Only the bootstrap's mark, which comes before anything is sent to the
//! node, has the word `clsh` where the nonce stands in others.

use crate::limits::FRAME_BYTES_MAX;

/// First and last byte of a frame: ASCII record separator.
pub const MARK: u8 = 0x1e;

/// What the wrapper says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The bootstrap waits for its script. It says so on both streams: on stdout by 1, on stderr by 2.
    Ready(u8),
    /// The node is connected and the command is about to run.
    Hello,
    /// A password is wanted, on one line, before the node can say hello.
    Ask,
    /// The command, or the session's shell, ended with this status.
    Exit(u8),
    /// A session's shell begins this command.
    Start(u32),
    /// It is done with this command, which ended with this status.
    Done(u32, u8),
}

/// The secret of one run that marks its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(Box<str>);

impl Nonce {
    /// From random bytes, spelled in hexadecimal.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The nonce as it stands in the wrapper's arguments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a line may end in a frame at all: a look at its last bytes.
    pub fn is_candidate(line: &[u8]) -> bool {
        matches!(line, [.., MARK] | [.., MARK, b'\r'])
    }

    /// Looks for a frame at the end of a whole line (newline already gone). Gives where it starts, and the frame.
    pub fn find(&self, line: &[u8]) -> Option<(usize, Frame)> {
        // A terminal on the way puts a carriage return before the newline.
        let (&MARK, body) = line.strip_suffix(b"\r").unwrap_or(line).split_last()? else {
            return None;
        };
        let from = body.len().saturating_sub(FRAME_BYTES_MAX);
        let start = from + body[from..].iter().rposition(|&byte| byte == MARK)?;
        let text = std::str::from_utf8(&body[start + 1..]).ok()?;
        let frame = match text.strip_prefix(&*self.0) {
            Some(rest) => read(rest.strip_prefix(' ')?)?,
            None => ready(text.strip_prefix(BOOTSTRAP)?)?,
        };
        Some((start, frame))
    }

    /// How many bytes at the end of an unfinished line may be the beginning of a frame: they are not the user's to see yet.
    pub fn begun(&self, partial: &[u8]) -> usize {
        let from = partial.len().saturating_sub(FRAME_BYTES_MAX);
        let tail = &partial[from..];
        // The last mark may be the closing one of a frame that lacks its newline only, so every mark is a candidate.
        tail.iter()
            .enumerate()
            .filter(|&(_, &byte)| byte == MARK)
            .map(|(at, _)| &tail[at..])
            .find(|rest| self.may_begin(rest))
            .map_or(0, <[u8]>::len)
    }

    fn may_begin(&self, rest: &[u8]) -> bool {
        let rest = &rest[1..];
        [self.0.as_bytes(), BOOTSTRAP.as_bytes()]
            .iter()
            .any(|first| {
                let known = rest.len().min(first.len());
                rest[..known] == first[..known]
            })
    }
}

/// What a bootstrap's mark has before its number.
const BOOTSTRAP: &str = "clsh ready ";

fn ready(number: &str) -> Option<Frame> {
    match number {
        "1" => Some(Frame::Ready(1)),
        "2" => Some(Frame::Ready(2)),
        _ => None,
    }
}

/// The words between nonce and mark.
fn read(frame: &str) -> Option<Frame> {
    let (word, numbers) = frame.split_once(' ').unwrap_or((frame, ""));
    match word {
        "ask" if numbers.is_empty() => Some(Frame::Ask),
        "hello" => numbers.parse::<u32>().ok().map(|_| Frame::Hello),
        "exit" => numbers.parse().ok().map(Frame::Exit),
        "start" => numbers.parse().ok().map(Frame::Start),
        "done" => {
            let (command, status) = numbers.split_once(' ')?;
            Some(Frame::Done(command.parse().ok()?, status.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce() -> Nonce {
        Nonce::new([0xab; 16])
    }

    fn line(text: &str) -> Vec<u8> {
        text.replace('N', nonce().as_str())
            .replace('^', "\x1e")
            .into_bytes()
    }

    #[test]
    fn a_frame_is_found_at_the_end_of_a_line() {
        assert_eq!(nonce().find(&line("^N hello 12^")), Some((0, Frame::Hello)));
        assert_eq!(
            nonce().find(&line("^N exit 255^")),
            Some((0, Frame::Exit(255)))
        );
        assert_eq!(
            nonce().find(&line("no newline^N exit 0^")),
            Some((10, Frame::Exit(0)))
        );
        assert_eq!(
            nonce().find(&line("^^N exit 0^")),
            Some((1, Frame::Exit(0)))
        );
        assert_eq!(
            nonce().find(&line("^N start 4294967295^")),
            Some((0, Frame::Start(u32::MAX)))
        );
        assert_eq!(
            nonce().find(&line("text^N done 12 130^")),
            Some((4, Frame::Done(12, 130)))
        );
        assert_eq!(
            nonce().find(&line("banner^clsh ready 2^")),
            Some((6, Frame::Ready(2)))
        );
    }

    #[test]
    fn a_terminal_on_the_way_changes_nothing() {
        let text = line("^N exit 7^\r");
        assert!(Nonce::is_candidate(&text));
        assert_eq!(nonce().find(&text), Some((0, Frame::Exit(7))));
    }

    #[test]
    fn what_only_looks_like_a_frame_is_output() {
        for text in [
            "",
            "^",
            "^^",
            "^wrong exit 0^",
            "^N exit 0",
            "N exit 0^",
            "^N exit 256^",
            "^N exit -1^",
            "^N leave 0^",
            "^N exit 0^ ",
            "^Nexit 0^",
            "^N  exit 0^",
            "^N done 1^",
            "^N done 1 256^",
            "^N done 1 2 3^",
            "^N start 4294967296^",
            "^clsh ready 3^",
            "^clsh hello 1^",
            "clsh ready 1^",
        ] {
            assert_eq!(nonce().find(&line(text)), None, "{text}");
        }
    }

    #[test]
    fn every_beginning_of_a_frame_is_held_back() {
        for frame in ["^N exit 0^", "^clsh ready 1^"].map(line) {
            for cut in 1..=frame.len() {
                let partial = [b"text", &frame[..cut]].concat();
                assert_eq!(nonce().begun(&partial), cut);
            }
        }
        assert_eq!(nonce().begun(b"text"), 0);
        assert_eq!(nonce().begun(b"te\x1ext"), 0);
    }
}
