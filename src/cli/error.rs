//! Why a call is wrong, in words. Each error is shown after `clsh: `, names the thing, the cause and the way out, and ends the call
//! with status 2 before anything was started. What the user typed is quoted with everything a terminal would obey escaped.

use super::config::ConfigError;
use super::conflict::Conflict;
use super::resolve::Said;
use super::table;
use std::error::Error;
use std::fmt;

/// A wrong call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// No flag is spelled so; `nearest` is the spelling that was probably meant.
    UnknownFlag {
        flag: String,
        nearest: Option<String>,
    },
    /// The words ended where the value of a flag should stand.
    MissingValue { flag: String, value: &'static str },
    /// A value was given to a flag that takes none.
    NeedlessValue { flag: String, value: String },
    /// The value is none the flag can take.
    BadValue {
        flag: String,
        value: String,
        why: String,
    },
    /// The words cannot be taken apart; no call that is known does that.
    Unparsable(String),
    /// A flag for ssh alone was given beside another transport.
    SshOnly {
        flag: &'static str,
        transport: String,
    },
    /// Flags that cannot be carried out together, or not without a command.
    Conflict(Conflict),
    /// `-i` stands beside a command.
    CommandInSession(String),
    /// `--shell` stands beside a command.
    ShellWithCommand,
    /// `--bare` stands where a session needs a shell.
    BareSession,
    /// The nodes are read from where a session or a script is.
    StdinTwice,
    /// There is a command, but nothing is in it.
    EmptyCommand,
    /// No nodes, or wrong ones: `why`, in the words of `hosts`; `warnings` says which sources were passed over before.
    Nodes { why: String, warnings: Vec<Said> },
    /// The file of flags for every call is of no use.
    Config(ConfigError),
    /// The file that `name`, a flag or a variable, holds cannot be read.
    Unreadable {
        name: &'static str,
        path: String,
        why: String,
    },
}

impl CliError {
    /// What must be said before the error itself: why sources of nodes were passed over.
    pub fn notes(&self) -> &[Said] {
        match self {
            Self::Nodes { warnings, .. } => warnings,
            _ => &[],
        }
    }

    /// The error for a flag that does not exist; `flag` is as typed, with its dashes.
    pub(super) fn unknown_flag(flag: &str) -> Self {
        let nearest = match flag.strip_prefix("--") {
            Some(name) => super::nearest(
                name,
                table::FLAGS.iter().flat_map(|flag| flag.longs).copied(),
            )
            .map(|name| format!("--{name}")),
            None => other_case(flag).map(|letter| format!("-{letter}")),
        };
        Self::UnknownFlag {
            flag: flag.to_owned(),
            nearest,
        }
    }
}

/// The letter of a flag that differs from `flag`, a dash and a letter, in case alone.
fn other_case(flag: &str) -> Option<char> {
    let letter = flag.chars().nth(1)?;
    let other = if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    };
    table::by_short(other).map(|_| other)
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlag { flag, nearest } => {
                write!(f, "unknown flag {}", quoted(flag.as_bytes()))?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean '{nearest}'? clsh --help")?,
                    None => write!(f, "; clsh --help")?,
                }
                write!(f, " lists all flags")
            }
            Self::MissingValue { flag, value } if flag == "-h" => write!(
                f,
                "-h names the nodes and needs a {value}, as in -h 'n[1-3]'; for help, type clsh --help"
            ),
            Self::MissingValue { flag, value } => {
                write!(f, "{flag} needs a value: {flag} {value}")
            }
            Self::NeedlessValue { flag, value } => write!(
                f,
                "{flag} takes no value, but got {}; give {flag} alone",
                quoted(value.as_bytes())
            ),
            Self::BadValue { flag, value, why } => {
                write!(f, "bad value {value} for {flag}: {why}")
            }
            Self::Unparsable(why) => write!(f, "{why}; clsh --help shows how to call"),
            Self::SshOnly { flag, transport } => write!(
                f,
                "{flag} is for ssh alone and has no effect with -R {}; leave one of them out",
                quoted(transport.as_bytes())
            ),
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::CommandInSession(word) => write!(
                f,
                "-i starts a session, which takes its commands from standard input; leave out -i, or the command that begins with {word}"
            ),
            Self::ShellWithCommand => write!(
                f,
                "--shell is the shell of a session or a script, and a command was given; leave one of them out"
            ),
            Self::BareSession => write!(
                f,
                "--bare sends one command as it is, and a session needs a POSIX shell on the nodes; leave out --bare, or give a command"
            ),
            Self::StdinTwice => write!(
                f,
                "--hostfile - takes standard input, where a script or a session's commands are read; put the nodes into a file, or give a command or --script"
            ),
            Self::EmptyCommand => {
                f.write_str("the command is empty; give one to run: clsh -h LIST COMMAND")
            }
            Self::Nodes { why, .. } => f.write_str(why),
            Self::Config(error) => write!(f, "{error}"),
            Self::Unreadable { name, path, why } => {
                write!(f, "cannot read {path}, named by {name}: {why}")
            }
        }
    }
}

impl Error for CliError {}

/// Bytes of the user's between single quotes, harmless to a terminal: what is no printable text is escaped, and a long text is cut.
pub(super) fn quoted(bytes: &[u8]) -> String {
    /// More than this would hide the message it stands in.
    const QUOTED_CHARS_MAX: usize = 200;
    let mut text = String::from("'");
    let mut room = QUOTED_CHARS_MAX;
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if room == 0 {
                text.push_str("...'");
                return text;
            }
            room -= 1;
            match letter {
                '\'' | '"' | '\\' => text.push(letter),
                _ => text.extend(letter.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_drives_no_terminal() {
        assert_eq!(quoted(b"plain"), "'plain'");
        assert_eq!(quoted("it's \"ö\" \\".as_bytes()), "'it's \"ö\" \\'");
        assert_eq!(quoted(b"a\x1b[31m\n\0"), "'a\\u{1b}[31m\\n\\0'");
        assert_eq!(quoted("\u{9b}\u{202e}".as_bytes()), "'\\u{9b}\\u{202e}'");
        assert_eq!(quoted(b"\xff\xfe"), "'\\xff\\xfe'");
    }

    #[test]
    fn quoted_text_is_cut() {
        let quoted = quoted("ä".repeat(10_000).as_bytes());
        assert_eq!(quoted.chars().count(), 200 + "'...'".len());
    }

    #[test]
    fn an_unknown_letter_is_looked_for_in_the_other_case() {
        let shown = |flag| CliError::unknown_flag(flag).to_string();
        assert!(shown("-X").contains("did you mean '-x'?"));
        assert!(shown("-s").contains("did you mean '-S'?"));
        assert!(!shown("-y").contains("did you mean"));
    }
}
