//! What the search for nodes has to say: notes, warnings, and the error it ends in.
//!
//! Invariant: every text is one line, and drives no terminal.

use crate::hosts::error::{HostsError, QuotedWhole};
use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

/// Which source was taken, where no flag said so. Displayed in full, `Note: ` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `CLSH_HOSTS`
    HostsVariable,
    /// `CLSH_HOSTFILE`, with its value as given.
    HostfileVariable(PathBuf),
    /// `.hostfile` in the current directory.
    HostfileDefault,
}

impl Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::HostsVariable => f.write_str("Note: use CLSH_HOSTS environment"),
            Note::HostfileVariable(path) => {
                write!(
                    f,
                    "Note: use hostfile {} (CLSH_HOSTFILE env)",
                    QuotedPath(path)
                )
            }
            Note::HostfileDefault => f.write_str("Note: use hostfile '.hostfile' (default)"),
        }
    }
}

/// A source that was passed over though it is there. Displayed in full, `Warning: ` included.
#[derive(Debug)]
pub struct Warning {
    pub(super) origin: Origin,
    /// Why it could not be read; `None` when it was, and holds no node.
    pub(super) reason: Option<io::Error>,
}

impl Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(error) => write!(f, "Warning: {} cannot be read: {error}", self.origin),
            None => write!(f, "Warning: {} holds no node", self.origin),
        }
    }
}

/// Why a call has no nodes. Displayed as one line without a prefix, for exit status 2.
#[derive(Debug)]
pub enum SourcesError {
    /// A file named by a flag cannot be read.
    Unreadable {
        /// As named.
        path: PathBuf,
        /// The reader's.
        error: io::Error,
    },
    /// A file named by a flag holds no node.
    EmptyFile {
        /// As named.
        path: PathBuf,
    },
    /// The list of a flag holds no node.
    EmptyList,
    /// A word is refused.
    Refused {
        /// Where it stood, in words for the message; `None` for the list of a flag, which the word itself tells.
        origin: Option<String>,
        /// The word and the cause.
        error: HostsError,
    },
    /// `CLSH_HOSTS` is not UTF-8.
    VariableNotUtf8,
    /// No source yields a node.
    NothingNamed,
    /// Exclusion took out every node.
    AllExcluded {
        /// How many there were.
        named: usize,
    },
}

impl SourcesError {
    pub(super) fn refused(origin: Origin, error: HostsError) -> SourcesError {
        SourcesError::Refused {
            origin: Some(origin.to_string()),
            error,
        }
    }
}

impl Display for SourcesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourcesError::Unreadable { path, error } => {
                write_hostfile(f, path)?;
                write!(f, " cannot be read: {error}")
            }
            SourcesError::EmptyFile { path } => {
                write_hostfile(f, path)?;
                f.write_str(" holds no node; write one a line")
            }
            SourcesError::EmptyList => f.write_str("the list of -h holds no node; name them as in -h n1,n[2-5]"),
            SourcesError::Refused { origin: Some(origin), error } => write!(f, "{origin}: {error}"),
            SourcesError::Refused { origin: None, error } => write!(f, "{error}"),
            SourcesError::VariableNotUtf8 => {
                f.write_str("CLSH_HOSTS: not UTF-8; set it to names separated by ':', as in n1:n[2-5]")
            }
            SourcesError::NothingNamed => f.write_str(
                "--hostfile option was not provided; name nodes with --hostfile FILE, -h n1,n[2-5], \
                 CLSH_HOSTS=n1:n2, CLSH_HOSTFILE=FILE or a file .hostfile here",
            ),
            SourcesError::AllExcluded { named } => {
                write!(f, "-x leaves no node of the {named} named; exclude fewer")
            }
        }
    }
}

impl std::error::Error for SourcesError {}

/// The place a text came from, as far as it is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// `-x`
    Exclude,
    /// `--hostfile`
    Flag(PathBuf),
    /// `CLSH_HOSTS`
    Hosts,
    /// `CLSH_HOSTFILE`
    Variable(PathBuf),
    /// `.hostfile`
    Default,
}

impl Origin {
    /// The path to hand to the reader.
    pub(super) fn path(&self) -> &Path {
        match self {
            // The variable holds a path, and only a path.
            Origin::Variable(path) if path == Path::new("-") => Path::new("./-"),
            Origin::Flag(path) | Origin::Variable(path) => path,
            Origin::Exclude | Origin::Hosts | Origin::Default => Path::new(".hostfile"),
        }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Exclude => f.write_str("-x"),
            Origin::Hosts => f.write_str("CLSH_HOSTS"),
            Origin::Flag(path) => write_hostfile(f, path),
            Origin::Variable(path) => {
                write!(f, "hostfile {} (CLSH_HOSTFILE env)", QuotedPath(path))
            }
            Origin::Default => f.write_str("hostfile '.hostfile' (default)"),
        }
    }
}

fn write_hostfile(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    if path == Path::new("-") {
        f.write_str("hostfile on standard input")
    } else {
        write!(f, "hostfile {}", QuotedPath(path))
    }
}

struct QuotedPath<'a>(&'a Path);

impl Display for QuotedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        QuotedWhole(&self.0.to_string_lossy()).fmt(f)
    }
}
