//! The search for an earlier line, backwards and letter by letter.
//!
//! Which keys drive it is not known here. A search that fails keeps the line it last found.

use super::history::History;
use super::line::{Line, Place};

/// A search under way.
#[derive(Debug)]
pub struct Search {
    query: Line,
    found: Option<usize>,
    failed: bool,
    /// What the search began with, and gives back when it is left.
    origin: Line,
}

impl Search {
    pub fn new(origin: Line) -> Self {
        Self {
            query: Line::default(),
            found: None,
            failed: false,
            origin,
        }
    }

    /// Shown in place of the prompt.
    pub fn label(&self) -> String {
        let failed = if self.failed { "failed " } else { "" };
        format!("({failed}reverse-i-search)`{}': ", self.query.text())
    }

    pub fn query(&self) -> &str {
        self.query.text()
    }

    pub fn origin(&self) -> &Line {
        &self.origin
    }

    /// Where in the history the line it shows is.
    pub fn found(&self) -> Option<usize> {
        self.found
    }

    /// More of the query was typed. Like the other steps this gives the line to show, unless that stays.
    pub fn extend(&mut self, text: &str, history: &History) -> Option<Line> {
        self.query.insert(text);
        let end = self.found.map_or(history.len(), |at| at + 1);
        self.look(history, end)
    }

    /// The last letter of the query was taken back. What is found is what the shorter query alone would have found.
    pub fn shorten(&mut self, history: &History) -> Option<Line> {
        self.query.remove(Place::Left);
        if self.query.text().is_empty() {
            self.failed = false;
            self.found = None;
            return Some(self.origin.clone());
        }
        self.look(history, history.len())
    }

    /// Asks for the next older match. Without a query it is that for `last`, the query of the search before.
    pub fn again(&mut self, last: &str, history: &History) -> Option<Line> {
        if self.query.text().is_empty() {
            return if last.is_empty() {
                None
            } else {
                self.extend(last, history)
            };
        }
        self.look(history, self.found.unwrap_or(history.len()))
    }

    /// A line equal to the one shown would look as if nothing had happened, so it is passed over.
    fn look(&mut self, history: &History, end: usize) -> Option<Line> {
        let query = self.query.text();
        let shown = self.found.filter(|&at| at >= end);
        let shown = shown.and_then(|at| history.line(at));
        let found = history.rfind(end, |line| line.contains(query) && Some(line) != shown);
        self.failed = found.is_none();
        self.found = found.or(self.found);
        let line = history.line(found?)?;
        let cursor = line.rfind(query)?;
        Some(Line::with_cursor(line.to_owned(), cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let lines = ["echo old", "make test", "echo new", "uptime", "uptime"];
        History::new(lines.map(String::from).to_vec())
    }

    fn shown(line: Option<Line>) -> Option<String> {
        line.map(|line| format!("{}|{}", line.before_cursor(), line.behind_cursor()))
    }

    #[test]
    fn the_query_narrows_the_search_and_again_goes_back() {
        let history = history();
        let mut search = Search::new(Line::new("typed".into()));
        assert_eq!(
            shown(search.extend("e", &history)).as_deref(),
            Some("uptim|e")
        );
        assert_eq!(
            shown(search.again("", &history)).as_deref(),
            Some("echo n|ew"),
            "not the other uptime"
        );
        assert_eq!(
            shown(search.extend("cho o", &history)).as_deref(),
            Some("|echo old")
        );
        assert_eq!(search.label(), "(reverse-i-search)`echo o': ");
        assert_eq!(shown(search.again("", &history)), None);
        assert_eq!(search.label(), "(failed reverse-i-search)`echo o': ");
        assert_eq!(search.found(), Some(0));
    }

    #[test]
    fn a_shorter_query_finds_what_it_alone_would_have_found() {
        let history = history();
        let mut search = Search::new(Line::new("typed".into()));
        search.extend("ox", &history);
        assert_eq!(search.label(), "(failed reverse-i-search)`ox': ");
        assert_eq!(
            shown(search.shorten(&history)).as_deref(),
            Some("ech|o new")
        );
        assert_eq!(shown(search.shorten(&history)).as_deref(), Some("typed|"));
        assert_eq!(search.label(), "(reverse-i-search)`': ");
        assert_eq!(search.found(), None);
    }

    #[test]
    fn the_query_before_is_used_when_there_is_none() {
        let history = history();
        let mut search = Search::new(Line::default());
        assert_eq!(shown(search.again("", &history)), None);
        assert_eq!(
            shown(search.again("make", &history)).as_deref(),
            Some("|make test")
        );
        assert_eq!(search.query(), "make");
    }
}
