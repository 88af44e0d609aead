//! The line editor of the prompt: bytes of the terminal in, bytes for the screen out.
//!
//! It reads and writes nothing itself, knows no time, and does not run what it gives. Whoever owns it brings what the terminal sent, asks
//! what that amounts to, and shows the view. The line and how it looks follow from the bytes alone, however they were cut into feeds.
//!
//! The view is a footer: before its owner prints anything else, it erases the view it last drew, and afterwards draws a fresh one.

mod history;
mod keys;
mod layout;
mod line;
mod search;
mod tab;

#[cfg(test)]
mod tests;

use history::History;
use keys::{Key, Keys};
use line::{Line, Place};
use search::Search;
use std::cell::Cell;

const COLUMNS_DEFAULT: usize = 80;

/// Cursor to the first column of the first row, and all rows empty.
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[2J";

/// What a key asks of whoever owns the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Enter: the line, which is no longer in the editor.
    Line(String),
    /// Ctrl-C at the prompt: the line was cleared.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-\.
    Quit,
}

/// Where Tab looks for words.
pub trait Completer {
    /// `before` is the text left of the cursor. Gives the byte offset where the word to complete begins, and all words that could stand
    /// there (each full word, to replace `before[start..]`), sorted.
    fn complete(&self, before: &str) -> (usize, Vec<String>);
}

/// Bytes that show the prompt and the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// To be written with the cursor at column 0 of an empty row.
    pub draw: Vec<u8>,
    /// Takes exactly that away again, from where `draw` left the cursor: it ends at column 0 of the row the prompt began in, with nothing
    /// below it.
    pub erase: Vec<u8>,
}

/// What the key before this one did, when the next one may go on with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Kill,
    Tab,
}

/// Which end of what was killed before the next kill is put to.
#[derive(Debug, Clone, Copy)]
enum Join {
    Before,
    Behind,
}

/// The line editor.
#[derive(Debug)]
pub struct Editor {
    prompt: &'static str,
    columns: usize,
    keys: Keys,
    line: Line,
    history: History,
    search: Option<Search>,
    /// The query of the search before.
    searched: String,
    killed: String,
    last: Last,
    /// Names to list.
    names: Vec<String>,
    parting: Vec<u8>,
    /// The screen is to be cleared by whatever is shown next; a cell, as asking for the view is what fulfils it.
    clear: Cell<bool>,
}

impl Editor {
    /// An editor with an empty line. The history is given oldest first, and only the newest lines of a long one are kept.
    pub fn new(prompt: &'static str, history: Vec<String>) -> Self {
        Self {
            prompt,
            columns: COLUMNS_DEFAULT,
            keys: Keys::default(),
            line: Line::default(),
            history: History::new(history),
            search: None,
            searched: String::new(),
            killed: String::new(),
            last: Last::Other,
            names: Vec::new(),
            parting: Vec::new(),
            clear: Cell::new(false),
        }
    }

    /// The terminal is this wide from now on; 0 means that nobody knows. A view drawn before is to be erased before this.
    pub fn resize(&mut self, columns: usize) {
        self.columns = if columns == 0 {
            COLUMNS_DEFAULT
        } else {
            columns
        };
    }

    /// Another prompt from now on. A view drawn before is to be erased before this.
    pub fn set_prompt(&mut self, prompt: &'static str) {
        self.prompt = prompt;
    }

    /// Queues what the terminal sent. Beyond a bound further keys are dropped, except those that [`Editor::urgent`] gives: then all
    /// others are.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.keys.feed(bytes);
    }

    /// Works off queued keys until one asks for something, or none are left.
    pub fn next(&mut self, words: &dyn Completer) -> Option<Asked> {
        while let Some(key) = self.keys.pop() {
            let asked = self.press(key, words);
            if asked.is_some() {
                return asked;
            }
        }
        None
    }

    /// Takes an interrupt, suspend or quit key out of the queue while the others wait, as the owner is busy. As a terminal flushes its
    /// input, an interrupt or quit drops the keys before it.
    pub fn urgent(&mut self) -> Option<Asked> {
        match self.keys.pop_urgent()? {
            Key::Interrupt => Some(Asked::Interrupt),
            Key::Suspend => Some(Asked::Suspend),
            Key::Quit => Some(Asked::Quit),
            _ => None,
        }
    }

    /// How prompt and line look. After Ctrl-L the first view that is asked for begins with clearing the screen, and no later one, so a
    /// view that was asked for is to be drawn.
    pub fn view(&self) -> View {
        let label = self.search.as_ref().map(Search::label);
        let prompt = label.as_deref().unwrap_or(self.prompt);
        let mut view = layout::view(prompt, &self.line, self.columns);
        if self.clear.take() {
            view.draw.splice(..0, CLEAR_SCREEN.iter().copied());
        }
        view
    }

    /// The list Tab shows on its second press when several words fit, in whole lines that fit the columns; taken by the call.
    pub fn listing(&mut self) -> Option<String> {
        let names = std::mem::take(&mut self.names);
        (!names.is_empty()).then(|| tab::list(&names, self.columns))
    }

    /// After a line, an interrupt at the prompt, or an end: the bytes that make what was typed stay on the screen, to be written in
    /// place of the view. Taken by the call.
    pub fn parting(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.parting)
    }

    /// Adds a line to the history unless it is empty, starts with a space, or equals the last one. Says whether it was added.
    pub fn remember(&mut self, line: &str) -> bool {
        self.history.remember(line)
    }

    fn press(&mut self, key: Key, words: &dyn Completer) -> Option<Asked> {
        let last = std::mem::take(&mut self.last);
        match key {
            Key::Interrupt => {
                self.part("^C");
                return Some(Asked::Interrupt);
            }
            Key::Suspend => return Some(Asked::Suspend),
            Key::Quit => return Some(Asked::Quit),
            _ => {}
        }
        if self.search.is_some() && self.press_in_search(key) {
            return None;
        }
        match key {
            Key::Enter => return Some(Asked::Line(self.part(""))),
            Key::DeleteOrEnd if self.line.text().is_empty() => {
                self.part("");
                return Some(Asked::End);
            }
            Key::Tab => self.press_tab(last, words),
            Key::ClearScreen => self.clear.set(true),
            Key::Search => self.search = Some(Search::new(self.line.clone())),
            Key::Older | Key::Newer => self.walk(key),
            _ => self.edit(key, last),
        }
        None
    }

    fn edit(&mut self, key: Key, last: Last) {
        match key {
            Key::Text(c) => {
                let text = format!("{c}{}", self.keys.pop_text());
                self.line.insert(&text);
            }
            Key::Left => self.line.move_to(Place::Left),
            Key::Right => self.line.move_to(Place::Right),
            Key::WordLeft => self.line.move_to(Place::WordLeft),
            Key::WordRight => self.line.move_to(Place::WordRight),
            Key::Start => self.line.move_to(Place::Start),
            Key::End => self.line.move_to(Place::End),
            Key::Backspace => drop(self.line.remove(Place::Left)),
            Key::Delete | Key::DeleteOrEnd => drop(self.line.remove(Place::Right)),
            Key::KillToStart => self.kill(Place::Start, Join::Before, last),
            Key::KillToEnd => self.kill(Place::End, Join::Behind, last),
            Key::KillWordLeft => self.kill(Place::WordLeft, Join::Before, last),
            Key::KillWordRight => self.kill(Place::WordRight, Join::Behind, last),
            Key::KillToSpace => self.kill(Place::SpaceLeft, Join::Before, last),
            Key::Yank => self.line.insert(&self.killed),
            Key::Transpose => self.line.transpose(),
            _ => {}
        }
    }

    /// Kills in a row add up to one; a kill of nothing neither begins nor ends a row.
    fn kill(&mut self, to: Place, join: Join, last: Last) {
        let killed = self.line.remove(to);
        if killed.is_empty() {
            self.last = last;
            return;
        }
        self.last = Last::Kill;
        match join {
            _ if last != Last::Kill => self.killed = killed,
            Join::Before => self.killed.insert_str(0, &killed),
            Join::Behind => self.killed.push_str(&killed),
        }
    }

    fn press_tab(&mut self, last: Last, words: &dyn Completer) {
        self.last = Last::Tab;
        let names = tab::complete(&mut self.line, words);
        if last == Last::Tab {
            self.names = names;
        }
    }

    fn walk(&mut self, key: Key) {
        let text = self.line.text();
        let to = if key == Key::Older {
            self.history.older(text)
        } else {
            self.history.newer(text)
        };
        if let Some(text) = to {
            self.line = Line::new(text);
        }
    }

    /// Says whether the search has used up the key. If not it is over, and the line is the one it found.
    fn press_in_search(&mut self, key: Key) -> bool {
        let Some(mut search) = self.search.take() else {
            return false;
        };
        let shown = match key {
            Key::Text(c) => {
                let text = format!("{c}{}", self.keys.pop_text());
                search.extend(&text, &self.history)
            }
            Key::Backspace => search.shorten(&self.history),
            Key::Search => search.again(&self.searched, &self.history),
            Key::Leave => {
                self.line = search.origin().clone();
                return true;
            }
            _ => {
                self.accept(&search);
                return false;
            }
        };
        if let Some(line) = shown {
            self.line = line;
        }
        self.search = Some(search);
        true
    }

    /// The line that was found is walked to, so that the arrow keys go on from there.
    fn accept(&mut self, search: &Search) {
        search.query().clone_into(&mut self.searched);
        if let Some(at) = search.found() {
            self.history.go(at, search.origin().text());
        }
    }

    /// Takes the line out of the editor and says goodbye to it.
    fn part(&mut self, mark: &str) -> String {
        let search = self.search.take().map(|search| search.label());
        let prompt = search.as_deref().unwrap_or(self.prompt);
        let text = std::mem::take(&mut self.line).into_text();
        self.parting = layout::parting(prompt, &text, mark, self.columns);
        if self.clear.take() {
            self.parting.splice(..0, CLEAR_SCREEN.iter().copied());
        }
        self.names.clear();
        self.history.rest();
        text
    }
}
