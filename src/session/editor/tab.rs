//! What Tab does: the words that fit, as far as they are one, and the list of them.
//!
//! Which words there are is not known here. What the user has typed is only ever made longer, except that the one word that fits takes
//! its place.

use super::layout::shown_control;
use super::{Completer, line::Line};
use crate::harmless::{Gate, is_unseen};
use unicode_width::UnicodeWidthStr;

/// More names than this are only counted.
const NAMES_MAX: usize = 100;

/// Columns between two names.
const GAP: usize = 2;

/// Completes the word before the cursor. Gives all words that fit when there are several and they have no more than that in common.
pub fn complete(line: &mut Line, words: &dyn Completer) -> Vec<String> {
    let (start, words) = words.complete(line.before_cursor());
    let Some(typed) = line.before_cursor().get(start..) else {
        return Vec::new();
    };
    match &words[..] {
        [] => {}
        [word] => {
            let space = if line.behind_cursor().starts_with(' ') {
                ""
            } else {
                " "
            };
            line.replace(start, &format!("{word}{space}"));
        }
        [first, rest @ ..] => {
            let common = rest
                .iter()
                .fold(&first[..], |common, word| shared(common, word));
            if common.len() <= typed.len() || !common.starts_with(typed) {
                return words;
            }
            line.replace(start, common);
        }
    }
    Vec::new()
}

/// The names in columns, in order from top to bottom.
pub fn list(names: &[String], columns: usize) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let names: Vec<String> = names
        .iter()
        .take(NAMES_MAX)
        .map(|name| shown(name))
        .collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let across = ((columns + GAP) / (width + GAP)).max(1);
    let rows = names.len().div_ceil(across);
    let mut list = String::new();
    for row in 0..rows {
        let mut due = 0;
        for name in names.iter().skip(row).step_by(rows) {
            list.push_str(&" ".repeat(due));
            list.push_str(name);
            due = width + GAP - name.width();
        }
        list.push('\n');
    }
    if more > 0 {
        list.push_str(&format!("... and {more} more\n"));
    }
    list
}

fn shared<'a>(a: &'a str, b: &str) -> &'a str {
    let pairs = a.char_indices().zip(b.chars());
    let end = pairs
        .take_while(|((_, a), b)| a == b)
        .map(|((at, c), _)| at + c.len_utf8())
        .last();
    &a[..end.unwrap_or(0)]
}

fn shown(name: &str) -> String {
    let (mut shown, mut gate) = (String::new(), Gate::default());
    for c in name.chars() {
        if c.is_control() {
            shown.push_str(&shown_control(c));
        } else if is_unseen(c) || !gate.passes(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn names_stand_in_columns_that_fit() {
        let five = names(&["a", "bb", "ccc", "d", "e"]);
        assert_eq!(list(&five, 80), "a    bb   ccc  d    e\n");
        assert_eq!(list(&five, 13), "a    ccc  e\nbb   d\n");
        assert_eq!(list(&five, 12), "a    d\nbb   e\nccc\n");
        assert_eq!(list(&five, 1), "a\nbb\nccc\nd\ne\n");
        assert_eq!(list(&names(&["表", "ab", "c"]), 6), "表  c\nab\n");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_when_the_names_are_not() {
        let many: Vec<String> = (0..NAMES_MAX).map(|n| "x".repeat(n % 7 + 1)).collect();
        for columns in 7..60 {
            let list = list(&many, columns);
            assert!(list.lines().all(|line| line.len() <= columns), "{columns}");
            assert_eq!(list.split_whitespace().count(), NAMES_MAX);
        }
    }

    #[test]
    fn too_many_names_are_counted() {
        let many: Vec<String> = (0..NAMES_MAX + 3).map(|n| n.to_string()).collect();
        let list = list(&many, 10);
        assert!(list.ends_with("... and 3 more\n"));
        assert!(list.contains("99\n") && !list.contains("100"));
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(list(&names(&["a\x1b[2J", "b\nc"]), 80), "a^[[2J  b^Jc\n");
    }
}
