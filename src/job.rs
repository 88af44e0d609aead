//! What one call means: plain data, resolved from words by `cli`, carried out by `driver`.

use crate::hosts::Node;
use crate::remote::{Script, Transport};
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

/// In what shape the nodes' output is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Lines as they come, each under its node's label.
    Lines,
    /// The same in the order of the nodes (`-L`).
    Ordered,
    /// Nodes that said the same once, when all are done (`-b`).
    Gathered {
        /// All but the largest group are shown as differences from it (`--diff`).
        diff: bool,
    },
    /// One JSON object a line (`--json`).
    Json,
}

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// From the person at the terminal; `needed` where there is no use in going on without one.
    Ask { needed: bool },
    /// From a file that only this user can read (`--password-file`).
    File(PathBuf),
    /// From the first line of clsh's standard input (`--password-file -`).
    Stdin,
}

/// When a connection that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Most further tries of one node; 0 for none.
    pub most: u32,
    /// Before the first of them; doubled before each further one. From 0 to ten years.
    pub delay: Duration,
}

/// An interactive session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Command line of the shell on the nodes (`--shell`).
    pub shell: String,
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
    /// A script, which one shell on each node reads whole.
    Script(Script),
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
    /// Where the password comes from that ssh or sudo may ask for.
    pub password: Option<Password>,
    /// Whom the command runs as there, by sudo. `None` in a session.
    pub sudo: Option<String>,
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
    /// The commands read clsh's standard input, unless that is a terminal. False in a session, which reads it itself.
    pub input: bool,
    /// The commands have a terminal, whose manners their output shows (`--tty`).
    pub tty: bool,
    /// In what shape the nodes' output is printed. `Lines` in a session.
    pub shape: Shape,
    /// Directories for the raw bytes of stdout and of stderr, which are then not printed (`--out`, `--err`).
    pub files: [Option<PathBuf>; 2],
    /// A progress line even before the first second has passed, or where standard output is a pipe.
    pub progress: bool,
    /// A table of all nodes at the end.
    pub summary: bool,
    /// The terminal obeys no escapes (`TERM` is `dumb`, empty or unset): no progress line can be drawn.
    pub dumb: bool,
    /// Where the names of the nodes that failed are written.
    pub failed: Option<PathBuf>,
    /// The first node that fails ends the run. Never together with `keep_going`.
    pub fail_fast: bool,
    /// When a connection that failed is tried again.
    pub retries: Retries,
}
