//! How it went: the outcome of one node, and the fold of all of them into the verdict of the run.
//!
//! The only owner of exit numbers: nothing else in the program writes 124 or 255.

/// What became of one node. Every node gets exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The command ended by itself with this status; 128+n for death by signal n.
    Exited(u8),
    /// The command ran into `-u` and was ended.
    TimedOut,
    /// The node was never reached.
    Failed,
    /// The node was reached and the connection went.
    Lost,
    /// clsh ended it because the run was ending.
    Ended,
    /// The run ended before its turn came.
    NotStarted,
}

/// Exit status of a node that ran into `-u`, as timeout(1) has it.
const STATUS_TIMED_OUT: u8 = 124;
/// Exit status of a run in which a node was not reached or was lost, as ssh(1) has it.
pub const STATUS_UNREACHED: u8 = 255;
/// Exit status of a wrong call.
pub const STATUS_USAGE: u8 = 2;

impl Outcome {
    /// A command that could not be run here, as a shell has it: 126, or 127 when there is no such program.
    pub fn not_run(found: bool) -> Self {
        Self::Exited(if found { 126 } else { 127 })
    }

    /// How it is called wherever clsh speaks of it; the status of a command that ended by itself is not in it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exited(_) => "exited",
            Self::TimedOut => "timed out",
            Self::Failed => "connection failed",
            Self::Lost => "connection lost",
            Self::Ended => "terminated",
            Self::NotStarted => "not started",
        }
    }

    /// This node's share in the exit status of the run.
    pub fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::TimedOut => STATUS_TIMED_OUT,
            Self::Failed | Self::Lost => STATUS_UNREACHED,
            Self::Ended | Self::NotStarted => 0,
        }
    }
}

/// Nodes by what became of them, in the order of the outcomes; those that went alike keep their order.
pub fn kinds<'a>(
    nodes: &mut dyn Iterator<Item = (&'a str, Outcome)>,
) -> Vec<(Outcome, Vec<&'a str>)> {
    let mut kinds: Vec<(Outcome, Vec<&str>)> = Vec::new();
    for (name, outcome) in nodes {
        match kinds.binary_search_by_key(&outcome, |kind| kind.0) {
            Ok(at) => kinds[at].1.push(name),
            Err(at) => kinds.insert(at, (outcome, vec![name])),
        }
    }
    kinds
}

/// Why a run ends before its nodes are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// This signal asked for it.
    Signal(i32),
    /// Nobody reads the output any more.
    OutputClosed,
    /// The output could not be written.
    OutputFailed,
    /// The input could not be read, or not be kept.
    InputFailed,
    /// A node was lost.
    NodeLost,
    /// A node failed, and that was to end the run.
    FailFast,
    /// The session was left, with this status.
    Left(u8),
}

impl Reason {
    /// Ctrl-C: SIGINT, the same number on every system.
    pub const INTERRUPTED: Self = Self::Signal(2);
    /// Ctrl-\\: SIGQUIT, likewise.
    pub const QUIT: Self = Self::Signal(3);
    /// The terminal's end: SIGHUP, likewise.
    pub const HUNG_UP: Self = Self::Signal(1);

    /// Whether a person asked for the end, and means it where one asks again.
    pub fn is_asked(self) -> bool {
        matches!(self, Self::Signal(_) | Self::Left(_))
    }
}

/// How clsh itself ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// With this exit status.
    Status(u8),
    /// By this signal, so that a calling shell sees it.
    Signal(i32),
}

/// SIGPIPE, the same number on every Linux and BSD.
const SIGPIPE: i32 = 13;

impl Verdict {
    /// How clsh ends when nobody reads its output.
    pub const CLOSED: Self = Self::Signal(SIGPIPE);

    /// The exit status by which a shell shows this end.
    pub fn shell_status(self) -> u8 {
        match self {
            Self::Status(status) => status,
            Self::Signal(signal) => (128 + signal) as u8,
        }
    }

    /// Something that should have been written could not be: then the status is none of the nodes' any more.
    pub fn or_worse(self, unwritten: bool) -> Self {
        match self {
            Self::Status(_) if unwritten => Self::Status(STATUS_UNREACHED),
            verdict => verdict,
        }
    }

    /// Folds the nodes' outcomes and the reason for an early end.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>, reason: Option<Reason>) -> Self {
        match reason {
            Some(Reason::Signal(signal)) => Self::Signal(signal),
            Some(Reason::OutputClosed) => Self::CLOSED,
            Some(Reason::OutputFailed | Reason::InputFailed | Reason::NodeLost) => {
                Self::Status(STATUS_UNREACHED)
            }
            Some(Reason::Left(status)) => Self::Status(status),
            Some(Reason::FailFast) | None => {
                Self::Status(outcomes.into_iter().map(Outcome::status).max().unwrap_or(0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_status_wins_and_an_unreached_node_tops_it() {
        let fold = |outcomes: &[Outcome]| Verdict::of(outcomes.iter().copied(), None);
        assert_eq!(fold(&[]), Verdict::Status(0));
        assert_eq!(
            fold(&[Outcome::Exited(7), Outcome::Exited(3)]),
            Verdict::Status(7)
        );
        assert_eq!(
            fold(&[Outcome::TimedOut, Outcome::Exited(3)]),
            Verdict::Status(124)
        );
        assert_eq!(
            fold(&[Outcome::TimedOut, Outcome::Exited(137)]),
            Verdict::Status(137)
        );
        assert_eq!(
            fold(&[Outcome::Exited(7), Outcome::Failed]),
            Verdict::Status(255)
        );
    }

    #[test]
    fn an_early_end_says_why_whatever_the_nodes_returned() {
        let nodes = [Outcome::Exited(7), Outcome::Lost];
        assert_eq!(
            Verdict::of(nodes, Some(Reason::Signal(15))),
            Verdict::Signal(15)
        );
        assert_eq!(
            Verdict::of(nodes, Some(Reason::OutputClosed)),
            Verdict::Signal(13)
        );
        assert_eq!(
            Verdict::of([], Some(Reason::NodeLost)),
            Verdict::Status(255)
        );
    }
}
