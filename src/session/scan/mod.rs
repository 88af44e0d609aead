//! Whether lines of a shell's language are a whole command, or only the beginning of one: a loop without its `done`, an open quote, a
//! here-document. Knows the words and keywords of POSIX's sh, and what bash, ksh and zsh add to it, but no aliases and no options.
//!
//! Invariant: what it cannot make sense of counts as whole. The shell then says what is wrong with it, in its own words.
//!
//! This file takes characters apart into words, quotes and operators; what these mean where they stand is `grammar`'s.

mod grammar;

use grammar::{At, Kind, List, Operator};

/// Deeper than this nobody nests commands by hand.
const DEPTH_MAX: usize = 1000;

/// Reads a command line by line.
#[derive(Debug)]
pub struct Scanner {
    /// What is open, the innermost last; never empty.
    open: Vec<Open>,
    /// Here-documents whose lines are to come, in this order.
    documents: Vec<Document>,
    /// The last line ended in a backslash.
    continued: bool,
    /// It is not understood any more.
    lost: bool,
}

/// Something that was opened and not closed yet.
#[derive(Debug)]
enum Open {
    /// Commands, up to what closes them.
    List(List),
    /// A part of a word.
    Quote(Quote),
}

/// A part of a word in which characters mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Single,
    Double,
    /// `$'...'`
    Ansi,
    Backquote,
    /// `${...}`
    Brace,
    /// So many parentheses, whose content does not matter: arithmetic, an array, a pattern.
    Parens(usize),
}

/// A word so far.
#[derive(Debug, Default)]
struct Word {
    text: Vec<u8>,
    /// A part of it is quoted, or made by an expansion: it is no keyword.
    quoted: bool,
}

/// A here-document.
#[derive(Debug)]
struct Document {
    delimiter: Vec<u8>,
    /// Tabs at the beginning of its lines do not count (`<<-`).
    tabs: bool,
    /// A backslash at the end of its lines means nothing.
    quoted: bool,
    /// Its last line ended in a backslash that does.
    continued: bool,
}

impl Scanner {
    /// Before the first line.
    pub fn new() -> Self {
        Self {
            open: vec![Open::List(List::new(Kind::Top))],
            documents: Vec::new(),
            continued: false,
            lost: false,
        }
    }

    /// Reads further lines, the newline of the last one taken off.
    pub fn feed(&mut self, lines: &[u8]) {
        for line in lines.split(|&byte| byte == b'\n') {
            let continued = std::mem::take(&mut self.continued);
            if !continued && self.in_document() {
                self.document_line(line);
            } else {
                self.line(line);
            }
        }
    }

    /// Whether nothing is missing at its end, as far as can be known.
    pub fn is_whole(&self) -> bool {
        let closed = match &self.open[..] {
            [Open::List(list)] => list.at == At::Start && list.word.is_none(),
            _ => false,
        };
        self.lost || closed && self.documents.is_empty() && !self.continued
    }

    /// Whether the next line is one of a here-document.
    fn in_document(&self) -> bool {
        // They begin behind the line, not within a quote of it.
        let begun = matches!(self.open.last(), Some(Open::List(list)) if list.word.is_none());
        begun && !self.documents.is_empty()
    }

    fn document_line(&mut self, line: &[u8]) {
        let Some(document) = self.documents.first_mut() else {
            return;
        };
        let tabs = line.iter().take_while(|&&byte| byte == b'\t').count();
        let text = if document.tabs { &line[tabs..] } else { line };
        if text == document.delimiter && !document.continued {
            self.documents.remove(0);
            return;
        }
        let backslashes = line.iter().rev().take_while(|&&byte| byte == b'\\').count();
        document.continued = !document.quoted && backslashes % 2 == 1;
    }

    fn line(&mut self, line: &[u8]) {
        let mut rest = line;
        while let Some((&byte, after)) = rest.split_first() {
            if self.lost {
                return;
            }
            rest = match self.open.last() {
                Some(&Open::Quote(quote)) => self.quoted(quote, byte, after),
                _ => self.plain(byte, after),
            };
            self.lost |= self.open.len() > DEPTH_MAX;
        }
        if !self.continued {
            self.end_of_line();
        }
    }

    fn end_of_line(&mut self) {
        match self.open.last() {
            Some(Open::List(_)) => {
                self.end_word();
                self.operator(Operator::Newline);
            }
            Some(Open::Quote(Quote::Single | Quote::Double)) => self.keep(b'\n'),
            _ => {}
        }
    }

    /// The commands that are read.
    fn list(&mut self) -> Option<&mut List> {
        match self.open.last_mut() {
            Some(Open::List(list)) => Some(list),
            _ => None,
        }
    }

    /// Reads a character that stands in no quote; gives what is left of the line.
    fn plain<'a>(&mut self, byte: u8, after: &'a [u8]) -> &'a [u8] {
        let Some(list) = self.list() else {
            return after;
        };
        match byte {
            b' ' | b'\t' => self.end_word(),
            b'#' if list.word.is_none() => return &[],
            b'\\' => return self.escape(after),
            b'\'' => self.quote(Quote::Single),
            b'"' => self.quote(Quote::Double),
            b'`' => self.quote(Quote::Backquote),
            b'$' => {
                let word = list.word.get_or_insert_default();
                word.quoted = true;
                word.text.push(byte);
                return self.dollar(after);
            }
            b'<' | b'>' if after.first() == Some(&b'(') => {
                list.word.get_or_insert_default().quoted = true;
                self.push(Open::List(List::new(Kind::Substitution)));
                return &after[1..];
            }
            b'(' if list.word.as_ref().is_some_and(Word::takes_parens) => {
                self.quote(Quote::Parens(1));
            }
            b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if !list.takes_operators_as_words() => {
                return self.special(byte, after);
            }
            byte => list.word.get_or_insert_default().text.push(byte),
        }
        after
    }

    /// Reads an operator.
    fn special<'a>(&mut self, byte: u8, after: &'a [u8]) -> &'a [u8] {
        if matches!(byte, b'<' | b'>') {
            self.drop_number();
        }
        self.end_word();
        let (operator, after) = Operator::read(byte, after);
        if operator == Operator::Open && after.first() == Some(&b'(') && self.takes_arithmetic() {
            self.push(Open::Quote(Quote::Parens(2)));
            return &after[1..];
        }
        self.operator(operator);
        after
    }

    /// Takes away the number of the descriptor that is redirected.
    fn drop_number(&mut self) {
        let is_number = |word: &Word| !word.quoted && word.text.iter().all(u8::is_ascii_digit);
        if let Some(list) = self.list()
            && list.word.as_ref().is_some_and(is_number)
        {
            list.word = None;
        }
    }

    /// Reads what stands behind a backslash.
    fn escape<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let Some((&byte, rest)) = after.split_first() else {
            // The line goes on with the next one, and so does a word.
            self.continued = true;
            return after;
        };
        if let Some(list) = self.list() {
            let word = list.word.get_or_insert_default();
            word.quoted = true;
            word.text.push(byte);
        }
        rest
    }

    /// Reads what stands behind a dollar sign.
    fn dollar<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let in_list = matches!(self.open.last(), Some(Open::List(_)));
        match after {
            [b'(', b'(', rest @ ..] => {
                self.push(Open::Quote(Quote::Parens(2)));
                rest
            }
            [b'(', rest @ ..] => {
                self.push(Open::List(List::new(Kind::Substitution)));
                rest
            }
            [b'{', rest @ ..] => {
                self.push(Open::Quote(Quote::Brace));
                rest
            }
            [b'\'', rest @ ..] if in_list => {
                self.push(Open::Quote(Quote::Ansi));
                rest
            }
            // The number of the shell, or how many arguments it has.
            [b'$' | b'#', rest @ ..] => rest,
            _ => after,
        }
    }

    /// Opens a quote in the word that is read.
    fn quote(&mut self, quote: Quote) {
        if let Some(list) = self.list() {
            list.word.get_or_insert_default().quoted = true;
        }
        self.push(Open::Quote(quote));
    }

    fn push(&mut self, open: Open) {
        self.open.push(open);
    }

    /// Reads a character within a quote; gives what is left of the line.
    fn quoted<'a>(&mut self, quote: Quote, byte: u8, after: &'a [u8]) -> &'a [u8] {
        match (quote, byte) {
            (Quote::Single | Quote::Ansi, b'\'')
            | (Quote::Double, b'"')
            | (Quote::Backquote, b'`')
            | (Quote::Brace, b'}') => {
                self.open.pop();
            }
            (Quote::Single, _) => self.keep(byte),
            (_, b'\\') => {
                let Some((&byte, rest)) = after.split_first() else {
                    return after;
                };
                if quote == Quote::Double {
                    self.keep(byte);
                }
                return rest;
            }
            (Quote::Ansi | Quote::Backquote, _) => {}
            (_, b'`') => self.push(Open::Quote(Quote::Backquote)),
            (_, b'$') => return self.dollar(after),
            (Quote::Double, _) => self.keep(byte),
            (Quote::Brace | Quote::Parens(_), b'"') => self.push(Open::Quote(Quote::Double)),
            (Quote::Brace, b'\'') if self.is_within_double() => {}
            (Quote::Brace | Quote::Parens(_), b'\'') => self.push(Open::Quote(Quote::Single)),
            (Quote::Parens(depth), b'(') => self.set_parens(depth + 1),
            (Quote::Parens(depth), b')') => self.set_parens(depth - 1),
            (Quote::Brace | Quote::Parens(_), _) => {}
        }
        after
    }

    /// Whether the innermost `${...}` stands between double quotes, where a single quote is a character like any.
    fn is_within_double(&self) -> bool {
        let outer = self.open.iter().rev();
        let outer = outer.skip_while(|open| matches!(open, Open::Quote(Quote::Brace)));
        matches!(outer.take(1).next(), Some(Open::Quote(Quote::Double)))
    }

    fn set_parens(&mut self, depth: usize) {
        self.open.pop();
        if depth > 0 {
            self.push(Open::Quote(Quote::Parens(depth)));
        }
    }

    /// Keeps a quoted character, of which the end of a here-document may consist.
    fn keep(&mut self, byte: u8) {
        if let [.., Open::List(list), Open::Quote(_)] = &mut self.open[..]
            && let Some(word) = &mut list.word
        {
            word.text.push(byte);
        }
    }

    /// The word is at its end, if one was read.
    fn end_word(&mut self) {
        if let Some(word) = self.list().and_then(|list| list.word.take()) {
            self.word(word);
        }
    }
}

impl Word {
    /// Whether a parenthesis right behind it belongs to it: an array's (`a=(`), or a pattern's (`@(`). A `!` alone is a keyword.
    fn takes_parens(&self) -> bool {
        let last = self.text.last();
        match last {
            Some(b'=' | b'@' | b'*' | b'?' | b'+') => true,
            Some(b'!') => self.text.len() > 1,
            _ => false,
        }
    }

    /// Its text, where all of it is as it was typed.
    fn plain(&self) -> Option<&[u8]> {
        (!self.quoted).then_some(&self.text)
    }
}

#[cfg(test)]
mod tests;
