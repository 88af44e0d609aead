//! A command that is typed over several lines: collected until it is whole, and carried out then, once.

use super::Session;
use super::line::{Line, Own};
use super::scan::Scanner;
use super::words::{MORE, PROMPT};
use crate::engine::Engine;
use crate::limits::COMMAND_BYTES_MAX;

/// The lines so far, of which something is missing.
pub struct Construct {
    text: Vec<u8>,
    scanner: Scanner,
}

impl Construct {
    /// The first line. What is clsh's own in it is not looked at by a shell.
    fn new(line: &[u8]) -> Self {
        let mut scanner = Scanner::new();
        // What is no text is for the nodes.
        let text = std::str::from_utf8(line).unwrap_or_default();
        match Line::parse(text) {
            Ok(Line::Empty | Line::Leave(_)) if !text.is_empty() => {}
            Ok(Line::Local(command) | Line::Own(Own::On(_, command))) => {
                scanner.feed(command.as_bytes());
            }
            Ok(Line::Own(_)) | Err(_) => {}
            Ok(Line::Remote | Line::Empty | Line::Leave(_)) => scanner.feed(line),
        }
        Self {
            text: line.to_vec(),
            scanner,
        }
    }

    fn append(&mut self, line: &[u8]) {
        self.text.push(b'\n');
        self.text.extend_from_slice(line);
        self.scanner.feed(line);
    }
}

impl Session {
    /// Takes a line: carries it out if with it the command is whole.
    pub(super) fn collect(&mut self, line: &[u8], engine: &mut Engine) {
        let construct = match self.construct.take() {
            Some(mut begun) => {
                begun.append(line);
                begun
            }
            None => Construct::new(line),
        };
        if construct.text.len() > COMMAND_BYTES_MAX {
            self.refuse_long(engine);
        } else if construct.scanner.is_whole() {
            self.prompt.set_prompt(PROMPT);
            self.act(&construct.text, engine);
        } else {
            self.construct = Some(construct);
            self.prompt.set_prompt(MORE);
        }
    }

    /// The command is longer than one may be: all of it is dropped.
    pub(super) fn refuse_long(&mut self, engine: &mut Engine) {
        self.drop_construct();
        self.refuse(
            "the command is longer than 1 MiB; put it into a script: --script FILE",
            engine,
        );
    }

    /// Forgets what is not whole.
    pub(super) fn drop_construct(&mut self) {
        self.construct = None;
        self.prompt.set_prompt(PROMPT);
    }

    /// No further line comes: what there is goes to the shells as it is, and they say what is missing. Says whether there was something.
    pub(super) fn end_construct(&mut self, engine: &mut Engine) -> bool {
        let construct = self.construct.take();
        self.prompt.set_prompt(PROMPT);
        if let Some(construct) = &construct {
            self.act(&construct.text, engine);
        }
        construct.is_some()
    }
}
