//! Where the session's lines come from: a line editor on a terminal, or plain lines from anything else.

use super::complete::Words;
use super::editor::{self, Editor};
use super::words::PROMPT;
use crate::engine::Engine;
use crate::limits::COMMAND_BYTES_MAX;
use crate::output::{Footer, Stream};

/// Makes a terminal mark what is pasted (xterm's bracketed paste), and stop it.
const PASTE_ON: &[u8] = b"\x1b[?2004h";
const PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// What a person asks for at the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A line, its newline taken off.
    Line(Vec<u8>),
    /// A line that is longer than a command may be.
    TooLong,
    /// Ctrl-C; the line is empty again.
    Interrupt,
    /// Ctrl-D, or the end of the input.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-\.
    Quit,
}

/// How lines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// A terminal that obeys escapes: a line editor, with these lines of history.
    Editor(Vec<String>),
    /// A terminal that does not: it echoes what is typed.
    Terminal,
    /// A pipe or a file. Nobody echoes.
    Unattended,
}

/// The prompt.
pub struct Prompt {
    face: Stream,
    text: &'static str,
    source: Source,
    ended: bool,
}

enum Source {
    Editor(Box<Editor>),
    Plain {
        bytes: Vec<u8>,
        /// A line that is too long is dropped up to its end.
        skipping: bool,
        /// Nobody is there, and no terminal echoes.
        echo: bool,
    },
}

impl Prompt {
    /// Shown on `face`.
    pub fn new(manner: Manner, face: Stream) -> Self {
        let source = match manner {
            Manner::Editor(history) => Source::Editor(Box::new(Editor::new(PROMPT, history))),
            Manner::Terminal | Manner::Unattended => Source::Plain {
                bytes: Vec::new(),
                skipping: false,
                echo: manner == Manner::Unattended,
            },
        };
        Self {
            face,
            text: PROMPT,
            source,
            ended: false,
        }
    }

    /// Whether it reads single keys.
    pub fn is_editor(&self) -> bool {
        matches!(self.source, Source::Editor(_))
    }

    /// What stands before the next line.
    pub fn set_prompt(&mut self, text: &'static str) {
        self.text = text;
        if let Source::Editor(editor) = &mut self.source {
            editor.set_prompt(text);
        }
    }

    /// Whether a person types here.
    pub fn is_attended(&self) -> bool {
        !matches!(self.source, Source::Plain { echo: true, .. })
    }

    /// The terminal's width. Terminals fold long lines anew by themselves: what is drawn takes as many rows now as it would if it were
    /// drawn now.
    pub fn resize(&mut self, columns: usize, engine: &mut Engine) {
        if let Source::Editor(editor) = &mut self.source {
            editor.resize(columns);
            let erase = editor.view().erase;
            engine.reshape_footer([PASTE_OFF, &erase].concat());
            engine.set_footer(None);
        }
    }

    /// Bytes were read.
    pub fn feed(&mut self, read: &[u8]) {
        match &mut self.source {
            Source::Editor(editor) => editor.feed(read),
            Source::Plain { bytes, .. } => bytes.extend_from_slice(read),
        }
    }

    /// Nothing more will be read.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether more should be read: a script is left where it is until its next line is due.
    pub fn is_hungry(&self, ready: bool) -> bool {
        match &self.source {
            _ if self.ended => false,
            Source::Editor(_) => true,
            Source::Plain { bytes, .. } => ready && !bytes.contains(&b'\n'),
        }
    }

    /// What was asked for next, if anything was.
    pub fn next(&mut self, words: &Words) -> Option<Asked> {
        let asked = match &mut self.source {
            Source::Editor(editor) => editor.next(words).map(Asked::from),
            Source::Plain {
                bytes, skipping, ..
            } => next_line(bytes, skipping, self.ended),
        };
        asked.or(self.ended.then_some(Asked::End))
    }

    /// What can't wait while a command runs.
    pub fn urgent(&mut self) -> Option<Asked> {
        match &mut self.source {
            Source::Editor(editor) => editor.urgent().map(Asked::from),
            Source::Plain { .. } => None,
        }
    }

    /// Shows the prompt and what is typed at it.
    pub fn show(&mut self, engine: &mut Engine) {
        let (draw, erase) = match &mut self.source {
            Source::Editor(editor) => {
                if let Some(names) = editor.listing() {
                    engine.tell(self.face, &names);
                }
                let view = editor.view();
                (
                    [PASTE_ON, &view.draw].concat(),
                    [PASTE_OFF, &view.erase].concat(),
                )
            }
            Source::Plain { .. } => (self.text.into(), b"\n".to_vec()),
        };
        engine.set_footer(Some(Footer {
            stream: self.face,
            draw,
            erase,
        }));
    }

    /// Leaves the prompt on the screen as it was when something was asked.
    pub fn leave(&mut self, engine: &mut Engine, asked: &Asked) {
        match &mut self.source {
            Source::Editor(editor) => {
                let parting = editor.parting();
                engine.replace_footer(self.face, &[PASTE_OFF, &parting].concat());
            }
            Source::Plain { echo, .. } => {
                let tail = match asked {
                    Asked::Line(line) if *echo => [line, &b"\n"[..]].concat(),
                    Asked::Line(_) | Asked::TooLong => Vec::new(),
                    _ => b"\n".to_vec(),
                };
                // A script's next line may be there before its prompt was.
                self.show(engine);
                engine.keep_footer(&tail);
            }
        }
    }

    /// Drops what is typed: Ctrl-C, where it comes as a signal.
    pub fn clear(&mut self) {
        match &mut self.source {
            Source::Editor(editor) => editor.feed(b"\x03"),
            Source::Plain { bytes, .. } => bytes.clear(),
        }
    }

    /// Keeps a line for the history. Says whether it belongs there.
    pub fn remember(&mut self, line: &str) -> bool {
        match &mut self.source {
            Source::Editor(editor) => editor.remember(line),
            Source::Plain { .. } => false,
        }
    }
}

/// Takes the first line. The last one may lack its newline.
fn next_line(bytes: &mut Vec<u8>, skipping: &mut bool, ended: bool) -> Option<Asked> {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let length = end.unwrap_or(bytes.len());
    if *skipping || length > COMMAND_BYTES_MAX {
        let told = std::mem::replace(skipping, end.is_none());
        bytes.drain(..end.map_or(length, |end| end + 1));
        return match told {
            true if end.is_some() => next_line(bytes, skipping, ended),
            true => None,
            false => Some(Asked::TooLong),
        };
    }
    if end.is_none() && (!ended || bytes.is_empty()) {
        return None;
    }
    let rest = bytes.split_off(bytes.len().min(length + 1));
    let mut line = std::mem::replace(bytes, rest);
    line.truncate(length);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Some(Asked::Line(line))
}

impl From<editor::Asked> for Asked {
    fn from(asked: editor::Asked) -> Self {
        match asked {
            editor::Asked::Line(line) if line.len() > COMMAND_BYTES_MAX => Self::TooLong,
            editor::Asked::Line(line) => Self::Line(line.into_bytes()),
            editor::Asked::Interrupt => Self::Interrupt,
            editor::Asked::End => Self::End,
            editor::Asked::Suspend => Self::Suspend,
            editor::Asked::Quit => Self::Quit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the pieces one by one and gives everything that is asked for on the way.
    fn asked(pieces: &[&[u8]]) -> Vec<Asked> {
        let (mut bytes, mut skipping) = (Vec::new(), false);
        let mut asked = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            bytes.extend_from_slice(piece);
            let ended = at + 1 == pieces.len();
            while let Some(next) = next_line(&mut bytes, &mut skipping, ended) {
                asked.push(next);
            }
        }
        asked
    }

    fn line(text: &[u8]) -> Asked {
        Asked::Line(text.to_vec())
    }

    #[test]
    fn a_script_is_taken_line_by_line() {
        let lines = [line(b"one"), line(b""), line(b"\xfflast")];
        assert_eq!(asked(&[b"one\r\n\n\xfflast"]), lines);
        assert_eq!(asked(&[b"on", b"e\n", b"\n\xff", b"last"]), lines);
        assert_eq!(asked(&[b"a\n", b""]), [line(b"a")]);
    }

    #[test]
    fn of_a_line_that_is_too_long_nothing_is_run() {
        let long = vec![b'x'; COMMAND_BYTES_MAX + 1];
        let expected = [Asked::TooLong, line(b"b")];
        assert_eq!(asked(&[&long, b"a", b"a\nb\n", b""]), expected);
        assert_eq!(asked(&[&[&long, &b"\nb\n"[..]].concat()]), expected);
        assert_eq!(asked(&[&long, b"a"]), [Asked::TooLong]);
        let fits = &long[1..];
        assert_eq!(asked(&[fits, b"\n"]), [line(fits)]);
    }
}
