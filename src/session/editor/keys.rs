//! What the terminal sent, as keys: decoding them, and the queue of those that nobody has looked at yet.
//!
//! What a key does is not known here. How the bytes were cut into feeds makes no difference to the keys, and what was pasted is never
//! anything but text.

use std::collections::VecDeque;

/// Keys that may wait; a key is at least one byte, so this is at most so much type-ahead (and 4 MiB of memory).
const QUEUED_MAX: usize = 1 << 20;

/// No sequence known here has longer parameters.
const PARAMETERS_MAX: usize = 16;

const ESCAPE: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";

/// What one key press asks for. Several presses ask for the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Typed or pasted. A newline or tab was pasted: typed they are [`Key::Enter`] and [`Key::Tab`].
    Text(char),
    Enter,
    Tab,
    Interrupt,
    Suspend,
    Quit,
    /// Ctrl-G.
    Leave,
    Search,
    ClearScreen,
    Older,
    Newer,
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
    Backspace,
    Delete,
    /// Ctrl-D: the one key that means two things.
    DeleteOrEnd,
    KillToStart,
    KillToEnd,
    KillWordLeft,
    KillWordRight,
    KillToSpace,
    Yank,
    Transpose,
    /// Without a meaning; still it ends a row of kills, or a search.
    Unknown,
}

impl Key {
    fn is_urgent(self) -> bool {
        matches!(self, Key::Interrupt | Key::Suspend | Key::Quit)
    }
}

/// What the bytes so far are the beginning of.
#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// Behind `ESC [`.
    Sequence,
    /// Behind `ESC O`: one byte more and the sequence is whole.
    Single,
    /// Behind `ESC [ [`, as the Linux console's F1 to F5 begin: likewise.
    Console,
    Paste,
}

/// Where in a paste the decoder is.
#[derive(Debug, Default)]
struct Paste {
    /// Bytes of the end marker seen.
    matched: usize,
    after_return: bool,
    /// Newlines held back, as those at the end are dropped.
    newlines: usize,
}

/// The decoder and the queue behind it.
#[derive(Debug, Default)]
pub struct Keys {
    queue: VecDeque<Key>,
    state: State,
    parameters: Vec<u8>,
    paste: Paste,
    text: Utf8,
}

impl Keys {
    /// Decodes what the terminal sent. Keys that the queue has no room for are lost.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.decode(byte);
        }
    }

    /// Takes the next key.
    pub fn pop(&mut self) -> Option<Key> {
        self.queue.pop_front()
    }

    /// Takes the text at the front of the queue.
    pub fn pop_text(&mut self) -> String {
        let mut text = String::new();
        while let Some(&Key::Text(c)) = self.queue.front() {
            text.push(c);
            self.queue.pop_front();
        }
        text
    }

    /// Takes the first key that does not wait for its turn. Unlike a suspend key, the others take what was typed before them along.
    pub fn pop_urgent(&mut self) -> Option<Key> {
        let at = self.queue.iter().position(|key| key.is_urgent())?;
        if self.queue.get(at) == Some(&Key::Suspend) {
            return self.queue.remove(at);
        }
        self.queue.drain(..=at).next_back()
    }

    fn push(&mut self, key: Key) {
        if self.queue.len() >= QUEUED_MAX {
            if !key.is_urgent() {
                return;
            }
            // As a terminal flushes its input: whoever typed that much must still be able to interrupt.
            self.queue.clear();
        }
        self.queue.push_back(key);
    }

    /// Any byte is decoded even when the queue is full: the end of a paste must not be missed.
    fn decode(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.ground(byte),
            State::Escape => self.behind_escape(byte),
            State::Paste => self.in_paste(byte),
            // A sequence that was broken off must not swallow an interrupt.
            State::Sequence | State::Single | State::Console if !(0x20..0x7f).contains(&byte) => {
                self.ground(byte);
            }
            State::Sequence => self.in_sequence(byte),
            State::Single => self.finish(single_key(byte)),
            State::Console => self.finish(Key::Unknown),
        }
    }

    fn ground(&mut self, byte: u8) {
        self.state = State::Ground;
        if byte == ESCAPE {
            self.state = State::Escape;
        } else if byte.is_ascii_control() {
            self.push(control_key(byte));
        } else if let Some(c) = self.text.push(byte).filter(|c| !c.is_control()) {
            self.push(Key::Text(c));
        }
        if byte.is_ascii() {
            self.text.clear();
        }
    }

    fn behind_escape(&mut self, byte: u8) {
        match byte {
            b'[' => {
                self.parameters.clear();
                self.state = State::Sequence;
            }
            b'O' => self.state = State::Single,
            b'b' | b'B' => self.finish(Key::WordLeft),
            b'f' | b'F' => self.finish(Key::WordRight),
            b'd' | b'D' => self.finish(Key::KillWordRight),
            0x7f | 0x08 => self.finish(Key::KillWordLeft),
            // An Escape key nobody waits for, and then another key.
            byte if byte.is_ascii_control() => self.ground(byte),
            _ => self.finish(Key::Unknown),
        }
    }

    fn in_sequence(&mut self, byte: u8) {
        match byte {
            b'[' if self.parameters.is_empty() => self.state = State::Console,
            0x40.. if self.parameters == b"200" && byte == b'~' => {
                self.paste = Paste::default();
                self.state = State::Paste;
            }
            0x40.. => self.finish(sequence_key(&self.parameters, byte)),
            _ if self.parameters.len() <= PARAMETERS_MAX => self.parameters.push(byte),
            _ => {}
        }
    }

    fn finish(&mut self, key: Key) {
        self.state = State::Ground;
        self.push(key);
    }

    fn in_paste(&mut self, byte: u8) {
        if PASTE_END.get(self.paste.matched) == Some(&byte) {
            self.paste.matched += 1;
            if self.paste.matched == PASTE_END.len() {
                self.text.clear();
                self.state = State::Ground;
            }
            return;
        }
        let matched = std::mem::take(&mut self.paste.matched);
        for &byte in &PASTE_END[..matched] {
            self.pasted(byte);
        }
        // The marker holds one escape only, so a false start can hide no other start but this.
        if byte == ESCAPE {
            self.paste.matched = 1;
        } else {
            self.pasted(byte);
        }
    }

    fn pasted(&mut self, byte: u8) {
        let Some(c) = self.text.push(byte) else {
            return;
        };
        let after_return = std::mem::replace(&mut self.paste.after_return, c == '\r');
        match c {
            '\n' if after_return => {}
            '\r' | '\n' => self.paste.newlines += 1,
            c if c.is_control() && c != '\t' => {}
            c => {
                for _ in 0..std::mem::take(&mut self.paste.newlines) {
                    self.push(Key::Text('\n'));
                }
                self.push(Key::Text(c));
            }
        }
    }
}

fn control_key(byte: u8) -> Key {
    match byte {
        0x01 => Key::Start,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::DeleteOrEnd,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x07 => Key::Leave,
        0x08 | 0x7f => Key::Backspace,
        b'\t' => Key::Tab,
        b'\n' | b'\r' => Key::Enter,
        0x0b => Key::KillToEnd,
        0x0c => Key::ClearScreen,
        0x0e => Key::Newer,
        0x10 => Key::Older,
        0x12 => Key::Search,
        0x14 => Key::Transpose,
        0x15 => Key::KillToStart,
        0x17 => Key::KillToSpace,
        0x19 => Key::Yank,
        0x1a => Key::Suspend,
        0x1c => Key::Quit,
        _ => Key::Unknown,
    }
}

/// The key that ends in `last` and has no parameters, as `ESC O last` or `ESC [ last`.
fn single_key(last: u8) -> Key {
    match last {
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Start,
        _ => Key::Unknown,
    }
}

fn sequence_key(parameters: &[u8], last: u8) -> Key {
    match (parameters, last) {
        (b"", _) => single_key(last),
        (b"5" | b"1;5" | b"1;3", b'C') => Key::WordRight,
        (b"5" | b"1;5" | b"1;3", b'D') => Key::WordLeft,
        (b"1" | b"7", b'~') => Key::Start,
        (b"4" | b"8", b'~') => Key::End,
        (b"3", b'~') => Key::Delete,
        _ => Key::Unknown,
    }
}

/// Bytes of a character that is not whole yet.
#[derive(Debug, Default)]
struct Utf8(Vec<u8>);

impl Utf8 {
    /// Gives the character that `byte` makes whole. Bytes that fit nowhere are dropped.
    fn push(&mut self, byte: u8) -> Option<char> {
        self.0.push(byte);
        let whole = match std::str::from_utf8(&self.0) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() => return None,
            Err(_) => None,
        };
        let is_rest = self.0.len() > 1;
        self.0.clear();
        // A byte that breaks a character off may begin the next one.
        if whole.is_none() && is_rest {
            return self.push(byte);
        }
        whole
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        keys.feed(bytes);
        std::iter::from_fn(|| keys.pop()).collect()
    }

    fn text(text: &str) -> Vec<Key> {
        text.chars().map(Key::Text).collect()
    }

    fn paste(bytes: &[u8]) -> Vec<u8> {
        [b"\x1b[200~", bytes, b"\x1b[201~"].concat()
    }

    #[test]
    fn text_is_decoded_and_bytes_that_are_none_are_dropped() {
        assert_eq!(keys("aé表😀".as_bytes()), text("aé表😀"));
        assert_eq!(
            keys(b"a\xff\xc3b\xe8\xa1c\x80\xc3\xc3\xa9"),
            text("abc\u{e9}")
        );
        assert_eq!(keys(b"\xc2\x85x"), text("x"), "a control character");
        assert_eq!(keys(b"\xc3\x01\xa9"), [Key::Start]);
    }

    #[test]
    fn every_sequence_has_its_key() {
        for (bytes, key) in [
            ("\x1b[A \x1bOA \x10", Key::Older),
            ("\x1b[B \x1bOB \x0e", Key::Newer),
            ("\x1b[C \x1bOC \x06", Key::Right),
            ("\x1b[D \x1bOD \x02", Key::Left),
            ("\x1b[H \x1bOH \x1b[1~ \x1b[7~ \x01", Key::Start),
            ("\x1b[F \x1bOF \x1b[4~ \x1b[8~ \x05", Key::End),
            ("\x1bb \x1b[1;5D \x1b[1;3D \x1b[5D", Key::WordLeft),
            ("\x1bf \x1b[1;5C \x1b[1;3C \x1b[5C", Key::WordRight),
            ("\x7f \x08", Key::Backspace),
            ("\x1b[3~", Key::Delete),
            ("\x1b\x7f \x1b\x08", Key::KillWordLeft),
            ("\x1bd", Key::KillWordRight),
            ("\r \n \x1b\r", Key::Enter),
        ] {
            for one in bytes.split(' ') {
                assert_eq!(keys(one.as_bytes()), [key], "{one:?}");
            }
        }
    }

    #[test]
    fn unknown_sequences_are_swallowed_whole() {
        for bytes in [
            "\x1b[15~",
            "\x1b[1;2A",
            "\x1b[?1;2c",
            "\x1bOP",
            "\x1b[[A",
            "\x1bx",
            "\x1bé",
            "\x1b[>0;276;0c",
            "\x1b[11111111111111111111111111111111~",
        ] {
            let wanted = [&[Key::Unknown][..], &text("z")].concat();
            assert_eq!(keys(format!("{bytes}z").as_bytes()), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn a_sequence_that_is_broken_off_swallows_no_other_key() {
        for begun in ["\x1b", "\x1b[", "\x1b[1;", "\x1bO", "\x1b\x1b", "\x1b[["] {
            assert_eq!(keys(format!("{begun}\x03").as_bytes()), [Key::Interrupt]);
            assert_eq!(keys(format!("{begun}\x1b[C").as_bytes()), [Key::Right]);
        }
    }

    #[test]
    fn a_paste_is_text_whatever_it_holds() {
        assert_eq!(keys(&paste(b"a\rb\r\nc\n\nd")), text("a\nb\nc\n\nd"));
        assert_eq!(keys(&paste(b"a\tb\x03\x04\x1a\x00\x7f")), text("a\tb"));
        assert_eq!(keys(&paste(b"a\r\n\n\r")), text("a"), "newlines at the end");
        assert_eq!(
            keys(&paste(b"\n\r\n")),
            [],
            "nothing but newlines at the end"
        );
        assert_eq!(keys(&paste(b"\x1b[31mred\x1b[20")), text("[31mred[20"));
        assert_eq!(keys(&paste(b"\x1b\x1b[200~")), text("[200~"));
        let ended = [paste(b"x\x1b[2\x1b"), b"\x03".to_vec()].concat();
        assert_eq!(keys(&ended), [&text("x[2")[..], &[Key::Interrupt]].concat());
        assert_eq!(keys(&paste(b"\xc3")), []);
        assert_eq!(
            keys(&[paste(b"\xc3"), b"\xa9x".to_vec()].concat()),
            text("x")
        );
    }

    #[test]
    fn cuts_make_no_difference() {
        let whole = [
            "aé\x1b[1;5C\x1bOD\x1bb\x1b[[Ax表\x1b[3~".as_bytes(),
            &paste("x\r\ny\x1b[2é\r\n".as_bytes()),
            b"\x03\xe8\xa1z\r",
        ]
        .concat();
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let mut cut = Keys::default();
                cut.feed(&whole[..first]);
                cut.feed(&whole[first..second]);
                cut.feed(&whole[second..]);
                let got: Vec<Key> = std::iter::from_fn(|| cut.pop()).collect();
                assert_eq!(got, keys(&whole), "{first} {second}");
            }
        }
    }

    #[test]
    fn urgent_keys_are_taken_out_of_turn() {
        let mut keys = Keys::default();
        keys.feed(b"ab\x1acd");
        assert_eq!(keys.pop_urgent(), Some(Key::Suspend));
        assert_eq!(keys.pop_urgent(), None);
        assert_eq!(keys.pop_text(), "abcd");
        keys.feed(b"ab\x03c\x1cd");
        assert_eq!(keys.pop_urgent(), Some(Key::Interrupt));
        assert_eq!(keys.pop_urgent(), Some(Key::Quit));
        assert_eq!(keys.pop_text(), "d");
        keys.feed(&paste(b"a\x03b"));
        assert_eq!(keys.pop_urgent(), None);
    }

    #[test]
    fn type_ahead_is_bounded_and_an_interrupt_still_gets_through() {
        let mut keys = Keys::default();
        keys.feed(&vec![b'a'; QUEUED_MAX + 10]);
        assert_eq!(keys.queue.len(), QUEUED_MAX);
        keys.feed(&paste(b"b"));
        keys.feed(b"\x03c");
        assert_eq!(keys.queue, [Key::Interrupt, Key::Text('c')]);
    }
}
