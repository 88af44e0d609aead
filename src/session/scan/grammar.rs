//! What a word or an operator means where it stands: which keyword opens and closes what, and what is missing behind it.

use super::{Document, Open, Scanner, Word};

/// Commands, up to what closes them.
#[derive(Debug)]
pub struct List {
    pub kind: Kind,
    pub at: At,
    /// No command stands in it yet.
    empty: bool,
    /// The word that is read.
    pub word: Option<Word>,
    /// The next word belongs to a redirection.
    redirection: Option<Redirection>,
}

/// What a list of commands is a part of, which says what closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: this is the command itself.
    Top,
    /// `$(...)`, `<(...)`
    Substitution,
    /// `(...)`
    Subshell,
    /// `{ ...; }`
    Brace,
    /// Between `if` and `then`.
    Condition,
    Then,
    Else,
    /// Between `while` and `do`.
    LoopCondition,
    /// Between `do` and `done`.
    Loop,
    /// The head of a `for`, up to its `do`.
    For,
    /// A `case`, outside of its items' commands.
    Case,
    /// The commands of an item.
    CaseItem,
}

/// Where in a list, and what may come there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A command may begin here.
    Start,
    /// A command has to come, on this line or a later one.
    Operand,
    /// Within a simple command; `name`: all of it is a word that a function may be called by.
    Args {
        name: bool,
    },
    /// Behind a command that was closed.
    After,
    /// Between the parentheses behind a function's name.
    Function,
    /// Behind `function`, and behind the name there.
    FunctionName,
    FunctionNamed,
    /// Within `[[ ... ]]`; `more`: a line may end here.
    Conditional {
        more: bool,
    },
    /// Behind `for`, behind the name there, behind `in`, and where `do` has to come.
    Name,
    Named,
    Words,
    Do,
    /// Behind `case`, behind the word there, before a pattern, and behind one.
    Subject,
    In,
    Pattern,
    Patterns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirection {
    File,
    Document { tabs: bool },
}

/// What separates commands, or leads them elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Newline,
    Semicolon,
    /// `;;`, `;&`, `;;&`
    EndItem,
    Background,
    /// `&&`, `||`
    AndOr,
    Pipe,
    Open,
    Close,
    /// Any that a file name follows.
    Redirect,
    /// `<<`, `<<-`
    Document {
        tabs: bool,
    },
}

impl Operator {
    /// The longest one that begins with `byte`; gives what is left behind it.
    pub fn read(byte: u8, after: &[u8]) -> (Self, &[u8]) {
        match (byte, after) {
            (b';', [b';', b'&', rest @ ..] | [b';' | b'&', rest @ ..]) => (Self::EndItem, rest),
            (b';', _) => (Self::Semicolon, after),
            (b'&', [b'&', rest @ ..]) | (b'|', [b'|', rest @ ..]) => (Self::AndOr, rest),
            (b'&', [b'>', b'>', rest @ ..] | [b'>', rest @ ..]) => (Self::Redirect, rest),
            (b'&', _) => (Self::Background, after),
            (b'|', [b'&', rest @ ..]) => (Self::Pipe, rest),
            (b'|', _) => (Self::Pipe, after),
            (b'(', _) => (Self::Open, after),
            (b')', _) => (Self::Close, after),
            (b'<', [b'<', b'<', rest @ ..]) => (Self::Redirect, rest),
            (b'<', [b'<', b'-', rest @ ..]) => (Self::Document { tabs: true }, rest),
            (b'<', [b'<', rest @ ..]) => (Self::Document { tabs: false }, rest),
            (b'<', [b'&' | b'>', rest @ ..]) | (_, [b'>' | b'&' | b'|', rest @ ..]) => {
                (Self::Redirect, rest)
            }
            _ => (Self::Redirect, after),
        }
    }
}

impl List {
    pub fn new(kind: Kind) -> Self {
        let at = match kind {
            Kind::For => At::Name,
            Kind::Case => At::Subject,
            _ => At::Start,
        };
        Self {
            kind,
            at,
            empty: true,
            word: None,
            redirection: None,
        }
    }

    /// Whether an operator is a part of a word here: within `[[ ... ]]`, up to its end.
    pub fn takes_operators_as_words(&self) -> bool {
        let plain = self.word.as_ref().and_then(Word::plain);
        matches!(self.at, At::Conditional { .. }) && plain != Some(b"]]")
    }

    /// A command begins, or stands here as a whole.
    fn begin(&mut self, at: At) {
        (self.at, self.empty) = (at, false);
    }

    /// Whether a command may begin here.
    fn takes_command(&self) -> bool {
        matches!(self.at, At::Start | At::Operand | At::FunctionNamed)
    }

    /// Whether a command ends here.
    fn ends_command(&self) -> bool {
        matches!(self.at, At::Args { .. } | At::After)
    }
}

impl Scanner {
    /// Whether `((` begins something that is no subshell; if so, it is noted what comes behind it. Within it a subshell in a subshell has as
    /// many parentheses as arithmetic has.
    pub(super) fn takes_arithmetic(&mut self) -> bool {
        let Some(list) = self.list().filter(|list| list.redirection.is_none()) else {
            return false;
        };
        if list.at == At::Name {
            list.at = At::Named;
        } else if list.takes_command() {
            list.begin(At::After);
        } else {
            return false;
        }
        true
    }

    /// Reads a whole word.
    pub(super) fn word(&mut self, word: Word) {
        let Some(list) = self.list() else { return };
        if let Some(redirection) = list.redirection.take() {
            if list.takes_command() {
                list.begin(At::Args { name: false });
            }
            if let Redirection::Document { tabs } = redirection {
                self.documents.push(Document {
                    delimiter: word.text,
                    tabs,
                    quoted: word.quoted,
                    continued: false,
                });
            }
            return;
        }
        let plain = word.plain();
        match list.at {
            At::Start | At::Operand | At::FunctionNamed => self.command_word(&word),
            At::After => self.lost |= !plain.is_some_and(|plain| self.close(plain)),
            At::Function => self.lost = true,
            At::Args { .. } => list.at = At::Args { name: false },
            At::FunctionName => list.at = At::FunctionNamed,
            At::Conditional { .. } => {
                list.at = match plain {
                    Some(b"]]") => At::After,
                    _ => At::Conditional {
                        more: word.text.ends_with(b"&&") || word.text.ends_with(b"||"),
                    },
                };
            }
            At::Name => list.at = At::Named,
            At::Named if plain == Some(b"in") => list.at = At::Words,
            At::Named | At::Do => match plain {
                Some(b"do") => *list = List::new(Kind::Loop),
                Some(b"{") => *list = List::new(Kind::Brace),
                _ => self.lost = true,
            },
            At::Words => {}
            At::Subject => list.at = At::In,
            At::In if plain == Some(b"in") => list.at = At::Pattern,
            At::In => self.lost = true,
            At::Pattern if plain == Some(b"esac") => self.pop(),
            At::Pattern | At::Patterns => list.at = At::Patterns,
        }
    }

    /// Reads the first word of a command.
    fn command_word(&mut self, word: &Word) {
        let Some(list) = self.list() else { return };
        let begins = match word.plain() {
            Some(b"if") => Kind::Condition,
            Some(b"while" | b"until") => Kind::LoopCondition,
            Some(b"for" | b"select") => Kind::For,
            Some(b"case") => Kind::Case,
            Some(b"{") => Kind::Brace,
            // Another command follows, if only on the same line.
            Some(b"!" | b"time") => return list.at = At::Start,
            Some(b"function") => return list.begin(At::FunctionName),
            Some(b"[[") => return list.begin(At::Conditional { more: false }),
            plain => {
                if let Some(plain) = plain.filter(|plain| is_closing(plain)) {
                    self.lost = list.at != At::Start || !self.close(plain);
                    return;
                }
                let name = plain.is_some_and(|plain| !plain.contains(&b'='));
                return list.begin(At::Args { name });
            }
        };
        list.begin(At::After);
        self.push(Open::List(List::new(begins)));
    }

    /// Reads a keyword that closes a list, or a part of it. Says whether it is one, and may stand here.
    fn close(&mut self, keyword: &[u8]) -> bool {
        let Some(list) = self.list() else {
            return false;
        };
        if list.empty && list.kind != Kind::CaseItem {
            return false;
        }
        match (keyword, list.kind) {
            (b"then", Kind::Condition) => *list = List::new(Kind::Then),
            (b"elif", Kind::Then) => *list = List::new(Kind::Condition),
            (b"else", Kind::Then) => *list = List::new(Kind::Else),
            (b"do", Kind::LoopCondition) => *list = List::new(Kind::Loop),
            (b"fi", Kind::Then | Kind::Else) | (b"done", Kind::Loop) | (b"}", Kind::Brace) => {
                self.pop()
            }
            (b"esac", Kind::CaseItem) => {
                self.pop();
                self.pop();
            }
            _ => return false,
        }
        true
    }

    /// Closes the innermost list.
    fn pop(&mut self) {
        self.open.pop();
        self.lost |= self.open.is_empty();
    }

    /// Reads an operator behind a word that is at its end.
    pub(super) fn operator(&mut self, operator: Operator) {
        let Some(list) = self.list() else { return };
        if list.redirection.is_some() {
            self.lost = true;
            return;
        }
        match operator {
            Operator::Newline => match list.newline() {
                Some(at) => list.at = at,
                None => self.lost = true,
            },
            Operator::Semicolon if matches!(list.at, At::Named | At::Words) => list.at = At::Do,
            Operator::Semicolon | Operator::Background if list.ends_command() => {
                list.at = At::Start;
            }
            Operator::EndItem
                if list.kind == Kind::CaseItem && (list.ends_command() || list.at == At::Start) =>
            {
                self.pop();
            }
            Operator::AndOr | Operator::Pipe if list.ends_command() => list.at = At::Operand,
            Operator::Pipe if list.at == At::Patterns => list.at = At::Pattern,
            Operator::Open if matches!(list.at, At::Args { name: true } | At::FunctionNamed) => {
                list.at = At::Function;
            }
            Operator::Open if list.takes_command() => {
                list.begin(At::After);
                self.push(Open::List(List::new(Kind::Subshell)));
            }
            // A pattern may begin with one.
            Operator::Open if list.at == At::Pattern => {}
            Operator::Close if list.at == At::Function => list.at = At::Operand,
            Operator::Close if list.at == At::Patterns => {
                list.at = At::Pattern;
                self.push(Open::List(List::new(Kind::CaseItem)));
            }
            Operator::Close
                if matches!(list.kind, Kind::Subshell | Kind::Substitution)
                    && (list.ends_command() || list.at == At::Start) =>
            {
                self.pop();
            }
            Operator::Redirect if list.takes_redirection() => {
                list.redirection = Some(Redirection::File);
            }
            Operator::Document { tabs } if list.takes_redirection() => {
                list.redirection = Some(Redirection::Document { tabs });
            }
            _ => self.lost = true,
        }
    }
}

impl List {
    /// What is next where a line ends here; `None` where none may.
    fn newline(&self) -> Option<At> {
        Some(match self.at {
            At::Start | At::Args { .. } | At::After => At::Start,
            At::Words => At::Do,
            At::Conditional { more: true } => self.at,
            At::Conditional { more: false } => At::Start,
            At::Operand | At::FunctionNamed | At::Named | At::Do | At::In | At::Pattern => self.at,
            At::Function | At::FunctionName | At::Name | At::Subject | At::Patterns => return None,
        })
    }

    fn takes_redirection(&self) -> bool {
        self.takes_command() || self.ends_command()
    }
}

fn is_closing(word: &[u8]) -> bool {
    const CLOSING: [&[u8]; 8] = [
        b"then", b"elif", b"else", b"fi", b"do", b"done", b"}", b"esac",
    ];
    CLOSING.contains(&word)
}
