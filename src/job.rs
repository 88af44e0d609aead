//! What one call means: plain data, resolved from words by `cli`, carried out by `driver`.

use crate::hosts::Node;
use crate::remote::Transport;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// When labels carry colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorWhen {
    /// On a terminal.
    Auto,
    /// Always, also in a pipe or a file.
    Always,
    /// Never.
    Never,
}

/// How much clsh itself says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// No notes and no summary (`-q`).
    Quiet,
    /// Notes, and a summary of what needs attention.
    Normal,
    /// Also a line for each child that ended (`-v`).
    Verbose,
}

/// An interactive session, or a script for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Command line of the shell on the nodes (`--shell`).
    pub shell: String,
    /// There is a prompt even where standard input is no terminal (`-i`).
    pub interactive: bool,
    /// The terminal obeys no escapes (`TERM=dumb`).
    pub dumb: bool,
    /// Where lines are remembered, if anywhere.
    pub history: Option<PathBuf>,
    /// The user's own shell, for `!command`.
    pub local_shell: OsString,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// One command: its words as typed, at least one; any byte but NUL.
    Command(Vec<Vec<u8>>),
    /// One command after the other, as they are typed.
    Session(Session),
}

/// One run on some nodes.
#[derive(Debug, Clone)]
pub struct Job {
    /// The nodes, in order, at least one.
    pub nodes: Vec<Node>,
    /// How a node is reached.
    pub transport: Transport,
    /// The user to log in as where a node names none (`-l`).
    pub user: Option<String>,
    /// What runs there.
    pub work: Work,
    /// Most nodes that run at once, at least 1.
    pub fanout: usize,
    /// How long a node may take until its hello.
    pub connect: Duration,
    /// How long a node's command may take; `None` for no limit.
    pub time_limit: Option<Duration>,
    /// From SIGTERM to SIGKILL when a node is ended.
    pub kill_after: Duration,
    /// A lost node does not end the others.
    pub keep_going: bool,
    /// Lines carry their node's label.
    pub label: bool,
    /// When labels carry colour.
    pub color: ColorWhen,
    /// How much clsh itself says.
    pub talk: Talk,
}
