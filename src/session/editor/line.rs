//! The line being edited: its text and the cursor.
//!
//! Which key does what, and how the line looks, is not known here. The cursor never stands within a character, nor between a character
//! and the marks that combine with it: together they are one letter.

use crate::limits::COMMAND_BYTES_MAX;
use unicode_width::UnicodeWidthChar;

/// A text with a cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    cursor: usize,
}

/// A place in the line, as seen from the cursor.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    Start,
    End,
    Left,
    Right,
    WordLeft,
    WordRight,
    /// Where the word left of the cursor begins, when only white space parts words.
    SpaceLeft,
}

impl Line {
    /// A line with the cursor at its end.
    pub fn new(text: String) -> Self {
        let cursor = text.len();
        Self { text, cursor }
    }

    /// A line with the cursor at `at`, the start of a character, or at the start of the letter that this belongs to.
    pub fn with_cursor(text: String, at: usize) -> Self {
        let mut line = Self::new(text);
        line.cursor = if line.is_letter_start(at) {
            at
        } else {
            line.left_of(at)
        };
        line
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub fn behind_cursor(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Puts `text` in at the cursor.
    /// A line that is too long already takes no more; whoever gets it sees that it is too long.
    pub fn insert(&mut self, text: &str) {
        if self.text.len() <= COMMAND_BYTES_MAX {
            self.replace(self.cursor, text);
        }
    }

    /// Puts `text` in place of what is between `from` and the cursor. `from` is the start of a character.
    pub fn replace(&mut self, from: usize, text: &str) {
        self.text.replace_range(from..self.cursor, text);
        self.cursor = from + text.len();
        self.leave_letter();
    }

    pub fn move_to(&mut self, place: Place) {
        self.cursor = self.find(place);
    }

    /// Takes out what is between the cursor and `place`.
    pub fn remove(&mut self, place: Place) -> String {
        let place = self.find(place);
        let (from, to) = (place.min(self.cursor), place.max(self.cursor));
        self.cursor = from;
        self.text.drain(from..to).collect()
    }

    /// Swaps the letters on both sides of the cursor, or at the end of the line the last two, and steps behind them.
    pub fn transpose(&mut self) {
        let middle = if self.cursor == self.text.len() {
            self.left_of(self.cursor)
        } else {
            self.cursor
        };
        let (start, end) = (self.left_of(middle), self.right_of(middle));
        if start == middle || middle == end {
            return;
        }
        let swapped = [&self.text[middle..end], &self.text[start..middle]].concat();
        self.text.replace_range(start..end, &swapped);
        self.cursor = end;
        self.leave_letter();
    }

    fn find(&self, place: Place) -> usize {
        let at = self.cursor;
        match place {
            Place::Start => 0,
            Place::End => self.text.len(),
            Place::Left => self.left_of(at),
            Place::Right => self.right_of(at),
            Place::WordLeft => self.left_while(self.left_while(at, is_gap), |c| !is_gap(c)),
            Place::WordRight => self.right_while(self.right_while(at, is_gap), |c| !is_gap(c)),
            Place::SpaceLeft => self.left_while(self.left_while(at, char::is_whitespace), |c| {
                !c.is_whitespace()
            }),
        }
    }

    fn left_while(&self, mut at: usize, fits: impl Fn(char) -> bool) -> usize {
        while at > 0 && self.text[self.left_of(at)..].starts_with(&fits) {
            at = self.left_of(at);
        }
        at
    }

    fn right_while(&self, mut at: usize, fits: impl Fn(char) -> bool) -> usize {
        while self.text[at..].starts_with(&fits) {
            at = self.right_of(at);
        }
        at
    }

    fn left_of(&self, at: usize) -> usize {
        let mut before = self.text[..at].char_indices().rev();
        before.find(|(_, c)| !is_mark(*c)).map_or(0, |(at, _)| at)
    }

    fn right_of(&self, at: usize) -> usize {
        let mut behind = self.text[at..].char_indices().skip(1);
        let next = behind.find(|(_, c)| !is_mark(*c));
        next.map_or(self.text.len(), |(length, _)| at + length)
    }

    fn is_letter_start(&self, at: usize) -> bool {
        at == 0 || !self.text[at..].starts_with(is_mark)
    }

    /// Marks at the start of a line combine with what is put in before them: then the cursor is within that letter.
    fn leave_letter(&mut self) {
        if !self.is_letter_start(self.cursor) {
            self.cursor = self.right_of(self.cursor);
        }
    }
}

/// Whether `c` takes no place of its own.
pub fn is_mark(c: char) -> bool {
    !c.is_control() && c.width() == Some(0)
}

fn is_gap(c: char) -> bool {
    !c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` is the cursor.
    fn line(text: &str) -> Line {
        let (before, behind) = text.split_once('|').expect("a cursor");
        Line::with_cursor(format!("{before}{behind}"), before.len())
    }

    fn shown(line: &Line) -> String {
        format!("{}|{}", line.before_cursor(), line.behind_cursor())
    }

    fn moved(text: &str, place: Place) -> String {
        let mut line = line(text);
        line.move_to(place);
        shown(&line)
    }

    fn removed(text: &str, place: Place) -> (String, String) {
        let mut line = line(text);
        let taken = line.remove(place);
        (shown(&line), taken)
    }

    fn transposed(text: &str) -> String {
        let mut line = line(text);
        line.transpose();
        shown(&line)
    }

    #[test]
    fn steps_go_over_whole_letters() {
        assert_eq!(
            moved("ae\u{301}\u{302}|b", Place::Left),
            "a|e\u{301}\u{302}b"
        );
        assert_eq!(
            moved("a|e\u{301}\u{302}b", Place::Right),
            "ae\u{301}\u{302}|b"
        );
        assert_eq!(moved("\u{301}|", Place::Left), "|\u{301}");
        assert_eq!(moved("|", Place::Left), "|");
        assert_eq!(moved("表|", Place::Right), "表|");
        assert_eq!(
            removed("ae\u{301}|b", Place::Left),
            ("a|b".into(), "e\u{301}".into())
        );
    }

    #[test]
    fn words_end_at_what_is_no_letter() {
        assert_eq!(moved("a foo-bar|", Place::WordLeft), "a foo-|bar");
        assert_eq!(moved("a foo, |b", Place::WordLeft), "a |foo, b");
        assert_eq!(moved("|  a.b", Place::WordRight), "  a|.b");
        assert_eq!(
            moved("|cafe\u{301}s x", Place::WordRight),
            "cafe\u{301}s| x"
        );
        assert_eq!(removed("a b-c  |d", Place::SpaceLeft).0, "a |d");
        assert_eq!(removed("|a", Place::SpaceLeft), ("|a".into(), "".into()));
    }

    #[test]
    fn letters_are_transposed() {
        assert_eq!(transposed("ab|c"), "acb|");
        assert_eq!(transposed("abc|"), "acb|");
        assert_eq!(transposed("|ab"), "|ab");
        assert_eq!(transposed("a|"), "a|");
        assert_eq!(transposed("|"), "|");
        assert_eq!(transposed("e\u{301}|表x"), "表e\u{301}|x");
    }

    #[test]
    fn the_cursor_leaves_a_letter_that_grows_around_it() {
        let mut line = line("|\u{301}b");
        line.insert("a");
        assert_eq!(shown(&line), "a\u{301}|b");
        assert_eq!(transposed("\u{301}|ab"), "a\u{301}|b");
        assert_eq!(
            Line::with_cursor("e\u{301}".into(), 1).cursor,
            0,
            "within the letter"
        );
    }
}
