//! The lines entered before, and where in them the user walks.
//!
//! Where they are stored is not known here. Walking never loses what was typed, and nothing but a line that was entered changes the
//! history.

use crate::limits::HISTORY_MAX;
use std::collections::VecDeque;

/// The lines, oldest first, and a place in them. The place behind the last is that of the line being typed.
#[derive(Debug)]
pub struct History {
    lines: VecDeque<String>,
    at: usize,
    /// What was typed at each other place, where that is not what the history says.
    typed: Vec<(usize, String)>,
}

impl History {
    pub fn new(lines: Vec<String>) -> Self {
        let mut lines = VecDeque::from(lines);
        lines.drain(..lines.len().saturating_sub(HISTORY_MAX));
        let at = lines.len();
        Self {
            lines,
            at,
            typed: Vec::new(),
        }
    }

    /// Adds a line, unless nobody would look for it. Walks begin anew.
    pub fn remember(&mut self, line: &str) -> bool {
        let is_new = !line.is_empty()
            && !line.starts_with(' ')
            && self.lines.back().is_none_or(|last| last != line);
        if is_new {
            if self.lines.len() == HISTORY_MAX {
                self.lines.pop_front();
            }
            self.lines.push_back(line.to_owned());
        }
        self.rest();
        is_new
    }

    /// The line that was walked to is done with.
    pub fn rest(&mut self) {
        self.at = self.lines.len();
        self.typed.clear();
    }

    /// Leaves `text` for the line before it.
    pub fn older(&mut self, text: &str) -> Option<String> {
        let to = self.at.checked_sub(1)?;
        Some(self.go(to, text))
    }

    /// Leaves `text` for the line after it.
    pub fn newer(&mut self, text: &str) -> Option<String> {
        let to = self.at + 1;
        (to <= self.lines.len()).then(|| self.go(to, text))
    }

    /// Leaves `text` for place `to`, and gives the text there.
    pub fn go(&mut self, to: usize, text: &str) -> String {
        if self.line(self.at) != Some(text) {
            self.typed.push((self.at, text.to_owned()));
        }
        self.at = to;
        let typed = self.typed.iter().position(|&(at, _)| at == to);
        typed
            .map(|typed| self.typed.swap_remove(typed).1)
            .or_else(|| self.lines.get(to).cloned())
            .unwrap_or_default()
    }

    /// The number of lines, which is the place behind the last.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn line(&self, at: usize) -> Option<&str> {
        self.lines.get(at).map(String::as_str)
    }

    /// The newest place before `end` whose line fits.
    pub fn rfind(&self, end: usize, fits: impl Fn(&str) -> bool) -> Option<usize> {
        (0..end.min(self.lines.len()))
            .rev()
            .find(|&at| fits(&self.lines[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[&str]) -> History {
        History::new(lines.iter().map(|&line| line.to_owned()).collect())
    }

    #[test]
    fn a_walk_keeps_what_was_typed_at_each_place() {
        let mut history = history(&["one", "two"]);
        assert_eq!(history.newer("draft"), None);
        assert_eq!(history.older("draft").as_deref(), Some("two"));
        assert_eq!(history.older("two!").as_deref(), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer("one").as_deref(), Some("two!"));
        assert_eq!(history.newer("two!").as_deref(), Some("draft"));
        assert!(history.remember("two!"));
        assert_eq!(history.lines, ["one", "two", "two!"]);
        assert_eq!(history.older("").as_deref(), Some("two!"));
        assert_eq!(history.older("two!").as_deref(), Some("two"));
    }

    #[test]
    fn lines_nobody_would_look_for_are_not_added() {
        let mut history = history(&["one"]);
        for line in ["", " secret", "one"] {
            assert!(!history.remember(line), "{line}");
        }
        assert!(history.remember("two"));
        assert!(history.remember("one"));
        assert_eq!(history.lines, ["one", "two", "one"]);
    }

    #[test]
    fn the_oldest_lines_are_forgotten() {
        let many: Vec<String> = (0..HISTORY_MAX + 5).map(|n| n.to_string()).collect();
        let mut history = History::new(many);
        assert_eq!(history.len(), HISTORY_MAX);
        assert_eq!(history.line(0), Some("5"));
        assert!(history.remember("new"));
        assert_eq!(history.len(), HISTORY_MAX);
        assert_eq!(history.line(0), Some("6"));
    }
}
