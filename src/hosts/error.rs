//! Why a word of a node list is refused, in words for the person who typed it.
//!
//! Invariant: what is displayed holds no character that could drive a terminal, and is of bounded length.

use crate::harmless::{Gate, is_unseen};
use crate::limits::{NAME_BYTES_MAX, NODES_MAX};
use std::fmt::{self, Display, Write};

/// Most characters of a refused word that are quoted back.
const QUOTED_CHARS_MAX: usize = 64;

/// A refused word: where it stood, what it was, why it is refused and what to write instead.
///
/// Displayed as one line without a prefix, lower case: `line 3: 'n[1-': bracket is never closed; ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostsError {
    line: Option<usize>,
    word: Box<str>,
    /// The one name among those of the word that is to blame, when it is not the word itself.
    name: Option<Box<str>>,
    cause: Cause,
}

impl HostsError {
    pub(super) fn new(word: &str, cause: Cause) -> HostsError {
        HostsError {
            line: None,
            word: word.into(),
            name: None,
            cause,
        }
    }

    /// The word is refused because of `name`, one of those it expands to.
    pub(super) fn in_name(word: &str, name: &str, cause: Cause) -> HostsError {
        let name = (name != word).then(|| name.into());
        HostsError {
            line: None,
            word: word.into(),
            name,
            cause,
        }
    }

    pub(super) fn at_line(mut self, line: usize) -> HostsError {
        self.line = Some(line);
        self
    }

    /// Why it is refused.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The refused word as typed, raw: it may hold control characters.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// The line of the hostfile, from 1; `None` for a word from elsewhere.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl Display for HostsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}", Quoted(&self.word))?;
        // A count is a matter of the whole word, whichever name came one too many.
        if let (Some(name), false) = (&self.name, self.cause == Cause::TooManyNodes) {
            write!(f, " gives {}", Quoted(name))?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl std::error::Error for HostsError {}

/// What is wrong with a word. A text inside is the part of the word that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// `n[1-`
    NeverClosed,
    /// `n1]`
    NeverOpened,
    /// `n[[1]]`
    Nested,
    /// `n[]`
    EmptyGroup,
    /// `n[1,,2]`
    EmptyItem,
    /// `n[-3]`, `n[3-]`
    OpenRange(Box<str>),
    /// `n[a]`
    NotANumber(Box<str>),
    /// A number above `u64::MAX`.
    NumberTooLarge(Box<str>),
    /// `n[5-1]`
    Reversed(Box<str>),
    /// `n[1-3/0]`
    StepZero(Box<str>),
    /// `n[5/2]`
    StepWithoutRange(Box<str>),
    /// `n[1-010]`
    PaddingDiffers(Box<str>),
    /// More than `NODES_MAX` nodes.
    TooManyNodes,
    /// A name of more than `NAME_BYTES_MAX` bytes.
    TooLong,
    /// The host or the user starts with `-`.
    LeadingDash,
    /// The host or the user starts with `~`.
    LeadingTilde,
    /// The name holds a `/`.
    Slash,
    /// The name holds white space other than the ASCII characters that separate words.
    WhiteSpace,
    /// The name holds a control character or one that cannot be seen.
    Control,
    /// The name holds a character that is special to a shell.
    ShellSpecial(char),
    /// `user@`, `:22`
    EmptyHost,
    /// `@host`
    EmptyUser,
    /// Not a port from 1 to 65535.
    BadPort(Box<str>),
    /// Brackets with a `:` in them, but no IPv6 address or one with something around it.
    NotV6Brackets,
    /// More than one `:`, yet no IPv6 address.
    NotV6,
    /// Bytes of a hostfile that are no UTF-8.
    NotUtf8,
}

impl Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NeverClosed => f.write_str("bracket is never closed; close it with ']', without white space inside"),
            Cause::NeverOpened => f.write_str("bracket is never opened; write a range as n[1-3]"),
            Cause::Nested => f.write_str("bracket inside a bracket; put groups side by side: r[1-2]n[1-3]"),
            Cause::EmptyGroup => f.write_str("nothing inside the brackets; write numbers and ranges: n[1-3,5]"),
            Cause::EmptyItem => f.write_str("nothing between two commas inside the brackets; write n[1-3,5]"),
            Cause::OpenRange(item) => write!(f, "range {} lacks one end; write n[1-3]", Quoted(item)),
            Cause::NotANumber(item) => {
                write!(f, "{} is no number and no range; brackets hold only these: n[1-3,5]", Quoted(item))
            }
            Cause::NumberTooLarge(item) => {
                write!(f, "number {} is too large; the largest is {}", Quoted(item), u64::MAX)
            }
            Cause::Reversed(item) => write!(f, "range {} runs backwards; write the lower end first", Quoted(item)),
            Cause::StepZero(item) => write!(f, "step 0 in {} leads nowhere; write 1 or more", Quoted(item)),
            Cause::StepWithoutRange(item) => {
                write!(f, "{} has a step but no range; write n[0-20/5]", Quoted(item))
            }
            Cause::PaddingDiffers(item) => {
                write!(f, "ends of range {} are zero-padded to different widths; write n[01-10]", Quoted(item))
            }
            Cause::TooManyNodes => write!(f, "more than {NODES_MAX} nodes; name fewer in one call"),
            Cause::TooLong => write!(f, "name is longer than {NAME_BYTES_MAX} bytes; separate names by commas"),
            Cause::LeadingDash => f.write_str("a name cannot start with '-', ssh would take it for an option"),
            Cause::LeadingTilde => f.write_str("a name cannot start with '~', a shell would expand it"),
            Cause::Slash => f.write_str("a name cannot hold '/'; a file of nodes goes to --hostfile"),
            Cause::WhiteSpace => f.write_str("a name cannot hold white space; separate names by commas or plain blanks"),
            Cause::Control => f.write_str("a name cannot hold control or invisible characters, or piles of marks; type it anew"),
            Cause::ShellSpecial(c) => {
                write!(f, "a name cannot hold {c}, a shell would act on it; leave it out")
            }
            Cause::EmptyHost => f.write_str("no host; write host, user@host or host:port"),
            Cause::EmptyUser => f.write_str("no user before '@'; write host or user@host"),
            Cause::BadPort(port) => {
                write!(f, "port {} is not a number from 1 to 65535; write host:22", Quoted(port))
            }
            Cause::NotV6Brackets => {
                f.write_str("brackets around a ':' are for an IPv6 address alone; write [::1], [::1]:22 or n[1-3]")
            }
            Cause::NotV6 => f.write_str("neither host:port nor an IPv6 address; separate names by commas"),
            Cause::NotUtf8 => f.write_str("not UTF-8; save the file as UTF-8"),
        }
    }
}

/// A text between single quotes, made harmless for a terminal, and cut when it is long.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut chars, mut gate) = (self.0.chars(), Gate::default());
        f.write_char('\'')?;
        for c in chars.by_ref().take(QUOTED_CHARS_MAX) {
            write_harmless(f, &mut gate, c)?;
        }
        f.write_str(if chars.next().is_some() { "...'" } else { "'" })
    }
}

/// A text between single quotes, made harmless for a terminal, in full length: for paths.
pub(super) struct QuotedWhole<'a>(pub(super) &'a str);

impl Display for QuotedWhole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        let mut gate = Gate::default();
        let mut chars = self.0.chars();
        chars.try_for_each(|c| write_harmless(f, &mut gate, c))?;
        f.write_char('\'')
    }
}

fn write_harmless(f: &mut fmt::Formatter<'_>, gate: &mut Gate, c: char) -> fmt::Result {
    if !gate.passes(c) || is_unseen(c) || (c.is_whitespace() && c != ' ') {
        write!(f, "{}", c.escape_default())
    } else {
        f.write_char(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_word_cannot_drive_the_terminal() {
        let text = HostsError::new("a\x1b[31m\u{9b}\u{202e}\u{a0}\n", Cause::Control).to_string();
        assert!(
            text.starts_with(r"'a\u{1b}[31m\u{9b}\u{202e}\u{a0}\n': "),
            "{text}"
        );
        let item = Cause::NotANumber("\x07".into()).to_string();
        assert!(item.starts_with(r"'\u{7}' is no number"), "{item}");
    }

    #[test]
    fn a_long_word_is_cut() {
        let text = HostsError::new(&"x".repeat(100_000), Cause::TooLong).to_string();
        assert!(
            text.starts_with(&format!("'{}...': ", "x".repeat(QUOTED_CHARS_MAX))),
            "{text}"
        );
    }

    #[test]
    fn an_error_tells_the_line_and_the_name_to_blame() {
        let error = HostsError::in_name("h:[0-1]", "h:0", Cause::BadPort("0".into())).at_line(3);
        assert!(
            error
                .to_string()
                .starts_with("line 3: 'h:[0-1]' gives 'h:0': port '0' "),
            "{error}"
        );
        assert_eq!((error.line(), error.word()), (Some(3), "h:[0-1]"));
    }
}
