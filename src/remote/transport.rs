//! How a node is reached.

use super::ssh_config::Mentions;
use std::fmt;

/// What the user set for ssh; everything else is ssh's own configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshOptions {
    /// `-o` values, in the order given.
    pub options: Vec<String>,
    /// `-F`, or `CLSH_SSH_CONFIG`.
    pub config: Option<std::ffi::OsString>,
    /// `-J`.
    pub jump: Option<String>,
    /// The command gets a terminal there.
    pub tty: bool,
    /// A password is there for what asks for one.
    pub password: bool,
    /// Options that the configuration mentions.
    pub mentions: Mentions,
}

/// `-R`: what carries the command to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// OpenSSH's client. `bare` sends the command verbatim, without the wrapper.
    Ssh { ssh: SshOptions, bare: bool },
    /// No remote: the command's words run here, placeholders replaced.
    Exec,
    /// A command line of the user's own that ends in a POSIX shell taking one argument.
    Template { words: Vec<String>, bare: bool },
}

/// Why a text given to `-R` is no transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// Nothing in it.
    Empty,
    /// A quote that is never closed.
    UnclosedQuote(char),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty; give ssh, exec, or a command line"),
            Self::UnclosedQuote(quote) => write!(f, "a {quote} is never closed"),
        }
    }
}

impl std::error::Error for TransportError {}

/// Whether ssh says that it does not take a host key (OpenSSH's sshconnect.c).
pub fn is_unverified(said: &[u8]) -> bool {
    holds(said, b"Host key verification failed.")
}

/// Whether ssh says that it was not let in (OpenSSH's sshconnect2.c): `USER@HOST: Permission denied (METHODS).`
pub fn is_denied(said: &[u8]) -> bool {
    holds(said, b": Permission denied (")
}

/// Whether sshd says that the password of an account that logged in has expired, and that it is to be changed first (OpenSSH's session.c).
pub fn is_expired(said: &[u8]) -> bool {
    holds(said, b"Password change required but no TTY available.")
}

/// Whether a line is one by which ssh says that the connection is gone (OpenSSH's clientloop.c and packet.c).
pub fn is_farewell(line: &[u8]) -> bool {
    const WORDS: [(&[u8], &[u8]); 6] = [
        (b"Connection to ", b" closed by remote host."),
        (b"Connection closed by ", b""),
        (b"Connection reset by ", b""),
        (b"Timeout, server ", b" not responding."),
        (b"Read from remote host ", b""),
        (b"client_loop: send disconnect: ", b""),
    ];
    let mut words = WORDS.into_iter();
    words.any(|(start, end)| line.starts_with(start) && line.ends_with(end))
}

pub(super) fn holds(said: &[u8], text: &[u8]) -> bool {
    said.windows(text.len()).any(|part| part == text)
}

/// Whether an option of ssh's, `Name=value` or `Name value`, sets this name.
pub fn is_about(option: &str, name: &str) -> bool {
    let given = option
        .trim_start()
        .split(|c: char| c == '=' || c.is_ascii_whitespace())
        .next();
    given.is_some_and(|given| given.eq_ignore_ascii_case(name))
}

/// Splits `text` into words as a POSIX shell does for plain words and quotes: blanks separate, `'...'` is verbatim, `"..."` and
/// a bare word know `\` as an escape. Nothing is expanded.
pub fn split_words(text: &str) -> Result<Vec<String>, TransportError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(TransportError::UnclosedQuote('\'')),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err(TransportError::UnclosedQuote('"')),
                        },
                        Some(c) => word.push(c),
                        None => return Err(TransportError::UnclosedQuote('"')),
                    }
                }
            }
            '\\' => word
                .get_or_insert_default()
                .push(chars.next().unwrap_or('\\')),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The text with `%h`, `%n` and `%u` replaced through `value`, which is asked for the letter, and `%%` by one percent sign. Any other
/// `%` stays as it is, so that `date +%s` needs no quoting.
pub fn fill(text: &[u8], mut value: impl FnMut(u8, &mut Vec<u8>)) -> Vec<u8> {
    let mut filled = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'%', Some(&letter @ (b'h' | b'n' | b'u'))) => {
                value(letter, &mut filled);
                rest = &after[1..];
            }
            (b'%', Some(b'%')) => {
                filled.push(b'%');
                rest = &after[1..];
            }
            _ => filled.push(byte),
        }
    }
    filled
}

impl Transport {
    /// Whether ssh may ask for a password.
    pub fn takes_password(&self) -> bool {
        matches!(self, Self::Ssh { ssh, .. } if ssh.password)
    }

    /// Whether other sessions may go through a node's ssh once it is connected.
    pub fn may_be_shared(&self) -> bool {
        let asked = |ssh: &SshOptions| {
            let mut options = ssh.options.iter();
            ssh.mentions.control_master || options.any(|option| is_about(option, "ControlMaster"))
        };
        matches!(self, Self::Ssh { ssh, .. } if asked(ssh))
    }

    /// Reads the value of `-R`. `bare` and `ssh` come from their own flags; `exec` ignores both.
    pub fn parse(text: &str, ssh: SshOptions, bare: bool) -> Result<Self, TransportError> {
        match text {
            "ssh" => Ok(Self::Ssh { ssh, bare }),
            "exec" => Ok(Self::Exec),
            text => {
                let words = split_words(text)?;
                if words.is_empty() {
                    return Err(TransportError::Empty);
                }
                Ok(Self::Template { words, bare })
            }
        }
    }
}
