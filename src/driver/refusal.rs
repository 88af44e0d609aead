//! Why a run could not even begin, in words.

use crate::remote::TooLong;
use crate::sys;
use std::fmt;
use std::io;

/// Why a run could not even begin. Nothing was started.
#[derive(Debug)]
pub enum Refusal {
    /// The command can't be carried to a node.
    Command(TooLong),
    /// There is no such program here.
    NoProgram(String),
    /// Not even one node fits into the limit on open files.
    Descriptors(u64),
    /// A session's nodes don't all fit into it: the limit, and how many do.
    Session { limit: u64, room: usize },
    /// Standard input can't be read.
    Input,
    /// Nothing can be written there: which flag, what it names, and why.
    Unwritable(&'static str, String, io::Error),
    /// No password can be had there.
    Password(String, io::Error),
    /// What was typed is no password.
    Typed(io::Error),
    /// Nothing was typed where a password was needed.
    NothingTyped,
    /// There is no terminal at which to ask for it.
    NobodyToAsk,
    /// The way for ssh's questions can't be made.
    Askpass(io::Error),
    /// The system refused what clsh itself needs.
    System(io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(too_long) => too_long.fmt(f),
            Self::NoProgram(name) if name == "ssh" => {
                write!(
                    f,
                    "cannot run 'ssh': it is not in PATH; install OpenSSH's client, or choose another way with -R"
                )
            }
            Self::NoProgram(name) => write!(
                f,
                "cannot run '{name}': no such program here; give its full path, or check PATH"
            ),
            Self::Descriptors(limit) => {
                write!(
                    f,
                    "Too many open files: the limit of {limit} leaves no room for a node; raise it (ulimit -n 64)"
                )
            }
            Self::Session { limit, room } => write!(
                f,
                "a session holds all its nodes at once: the limit of {limit} open files leaves room for {room}; raise it (ulimit -n), or name fewer nodes"
            ),
            Self::Input => write!(
                f,
                "standard input is a directory, which no command can read; give a file, or -n for nothing"
            ),
            Self::Unwritable(flag, path, error) => write!(
                f,
                "cannot write to '{path}', named by {flag}: {}; name another place",
                sys::error_text(error)
            ),
            Self::Password(place, error) => write!(
                f,
                "no password in '{place}', named by --password-file: {}",
                sys::error_text(error)
            ),
            Self::Typed(error) => write!(
                f,
                "what was typed is no password: {}",
                sys::error_text(error)
            ),
            Self::NothingTyped => write!(f, "no password was typed; nothing was started"),
            Self::NobodyToAsk => write!(
                f,
                "there is no terminal to ask for the password at; --password-file FILE reads it"
            ),
            Self::Askpass(error) => write!(
                f,
                "cannot make a socket for ssh's questions: {}; set TMPDIR to a directory you can write to",
                sys::error_text(error)
            ),
            Self::System(error) => write!(
                f,
                "the system refuses what a run needs: {}",
                sys::error_text(error)
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
