//! What one call means: plain data, resolved from words by `cli`, carried out by `driver`.

use crate::hosts::Node;
use crate::remote::Transport;
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

/// One run of one command on some nodes.
#[derive(Debug, Clone)]
pub struct Job {
    /// The nodes, in order, at least one.
    pub nodes: Vec<Node>,
    /// How a node is reached.
    pub transport: Transport,
    /// The user to log in as where a node names none (`-l`).
    pub user: Option<String>,
    /// The remote command's words as typed, at least one; any byte but NUL.
    pub words: Vec<Vec<u8>>,
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
