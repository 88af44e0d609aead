//! clsh's own words on stderr: what happened -> text. Returns whole lines, writes nothing.

mod progress;
mod table;

pub use progress::{Standing, progress};
pub use table::{Row, table, widths};

use crate::hosts;
use crate::limits::LONGEST_SHOWN;
use crate::outcome::{self, Outcome};
use crate::seconds;
use std::time::Duration;

/// What became of a node, in the words of the summary.
fn phrase(outcome: Outcome) -> String {
    match outcome {
        Outcome::Exited(status) => format!("{} with exit code {status}", outcome.word()),
        _ => outcome.word().into(),
    }
}

/// The closing lines: only what needs attention, a line for each kind, its nodes folded so that they can be given to `-h` again. Those that
/// were not let finish read why, where that was the loss of the node `lost`.
pub fn summary<'a>(
    outcomes: impl Iterator<Item = (&'a str, Outcome)>,
    lost: Option<&str>,
) -> String {
    let mut outcomes = outcomes.filter(|&(_, outcome)| outcome != Outcome::Exited(0));
    by_kind(&mut outcomes, lost)
}

// Apart from the above, so that not every kind of iterator brings its own.
#[inline(never)]
fn by_kind(outcomes: &mut dyn Iterator<Item = (&str, Outcome)>, lost: Option<&str>) -> String {
    let line = |(outcome, names): (Outcome, Vec<&str>)| {
        let count = if names.len() > 1 {
            format!(" ({})", names.len())
        } else {
            String::new()
        };
        let why = match (outcome, lost) {
            (Outcome::Ended | Outcome::NotStarted, Some(lost)) => {
                format!(", because {lost} was lost")
            }
            _ => String::new(),
        };
        format!(
            "clsh: {}{count}: {}{why}\n",
            hosts::fold(names.iter().copied()),
            phrase(outcome)
        )
    };
    outcome::kinds(outcomes).into_iter().map(line).collect()
}

/// A node that was not reached, or was lost.
pub fn unreached(label: &str, outcome: Outcome) -> Option<String> {
    matches!(outcome, Outcome::Failed | Outcome::Lost)
        .then(|| format!("ERROR: {label} {}\n", phrase(outcome)))
}

/// The loss of a node ends all others.
pub fn ends_by_loss(label: &str, session: bool) -> String {
    match session {
        true => format!(
            "clsh: {label} was lost, which ends the session; --keep-going lets the other nodes go on\n"
        ),
        false => format!(
            "clsh: {label} was lost, which ends the run; --keep-going lets the other nodes finish\n"
        ),
    }
}

/// A child that ended (`-v`).
pub fn ended(label: &str, outcome: Outcome, took: Duration, connected: Option<Duration>) -> String {
    let connected = connected.map_or_else(String::new, |time| {
        format!(", connected after {}", seconds(time))
    });
    format!(
        "clsh: {label}: {} after {}{connected}\n",
        phrase(outcome),
        seconds(took)
    )
}

/// No hello came in time.
pub fn silent(label: &str, patience: Duration) -> String {
    format!(
        "clsh: {label}: no answer within {}; -t SECS allows more\n",
        seconds(patience)
    )
}

/// The login shell ended before the wrapper could say anything.
pub fn not_begun(label: &str, status: u8) -> String {
    format!(
        "clsh: {label}: the login succeeded, but the login shell ended with status {status} before the command began; look at its startup files, and at ForceCommand\n"
    )
}

/// The wrapper's shell ended before it said hello, though the login succeeded: it found no script, or could make no process.
pub fn input_taken(label: &str, status: u8) -> String {
    format!(
        "clsh: {label}: the login succeeded, but the shell there ended with status {status} before the command began; does a startup file change standard input or the limit of processes?\n"
    )
}

/// A command line of the user's own connects no standard input, through which the wrapper comes.
pub fn no_input(label: &str) -> String {
    format!(
        "clsh: {label}: this transport forwards no standard input, which clsh needs; give its command -i if it has that (docker exec -i), or use --bare\n"
    )
}

/// ssh asks what clsh has no answer for.
pub fn foreign_question(label: &str, words: &str) -> String {
    format!("clsh: {label}: ssh asks what clsh does not answer: {words}\n")
}

/// ssh does not take a host key; `by_hand` connects once by hand.
pub fn unverified(label: &str, by_hand: &str) -> String {
    format!(
        "clsh: {label}: ssh does not know this key of the host; to look at it, type: {by_hand}\n"
    )
}

/// An account logged in whose password is to be changed first.
pub fn password_expired(label: &str) -> String {
    format!(
        "clsh: {label}: the login succeeded, but the account's password has expired; log in by hand with ssh -t and change it\n"
    )
}

/// ssh was not let in, and had no password to give. Its own words do not tell which of the usual reasons it is.
pub fn not_let_in(label: &str) -> String {
    format!(
        "clsh: {label}: ssh was not let in: is the key installed there (ssh-copy-id)? does it have a passphrase (ssh-add loads it into ssh-agent; -A does not serve)? does the account want a password (-A)?\n"
    )
}

/// ssh's password was not taken.
pub fn password_denied(label: &str) -> String {
    format!("clsh: {label}: the password was not taken\n")
}

/// The far side did not take the password.
pub fn password_refused(label: &str) -> String {
    format!("clsh: {label}: sudo does not take this password\n")
}

/// The far side asks for a password where there is none.
pub fn no_password(label: &str) -> String {
    format!(
        "clsh: {label}: sudo asks for a password, and there is none; --password-file FILE gives one\n"
    )
}

/// Lines were cut before they were too long by themselves.
pub const LINES_CUT: &str =
    "clsh: unfinished lines take more than 24 MiB together; the longest are printed in pieces\n";

/// A line was cut.
pub fn long_line(label: &str) -> String {
    format!("clsh: {label}: a line is longer than 1 MiB; it is printed in pieces\n")
}

/// The kernel has no process or descriptor to give.
pub fn spawn_delayed(error: &str) -> String {
    format!("clsh: nodes start more slowly, the system has no room for another process: {error}\n")
}

/// Why a node that never got a process was given up.
pub fn no_room(error: &str) -> String {
    format!(
        "cannot start a process: {error}; lower -f, or raise the limit that was met (ulimit -u, -n, -v)"
    )
}

/// A node's process can't be run.
pub fn spawn_failed(label: &str, error: &str) -> String {
    format!("clsh: {label}: {error}\n")
}

/// stdout can't be written.
pub fn sink_failed(error: &str) -> String {
    format!("clsh: cannot write to standard output: {error}; the run ends here\n")
}

/// The descriptor limit caps the window (`-v`).
pub fn capped(window: usize, fanout: usize, descriptors: u64) -> String {
    format!(
        "clsh: at most {window} nodes at once instead of {fanout}: the limit is {descriptors} open files (ulimit -n)\n"
    )
}

/// There is no guardian (`-v`).
pub fn unguarded(error: &str) -> String {
    format!(
        "clsh: no process for clean-up: {error}; what kill -9 of clsh leaves running here is not ended\n"
    )
}

/// How it stands (SIGUSR1). `longest` holds the running nodes, those that run longest first.
pub fn status(standing: &Standing, waiting: usize, longest: &[(Duration, &str)]) -> String {
    let Standing {
        done,
        connecting,
        running,
        ..
    } = standing;
    let connecting = match connecting {
        0 => String::new(),
        some => format!("{some} connecting, "),
    };
    let shown: Vec<String> = longest
        .iter()
        .take(LONGEST_SHOWN)
        .map(|&(took, label)| format!("{label} ({})", seconds(took)))
        .collect();
    let list = if shown.is_empty() {
        String::new()
    } else {
        format!("; running longest: {}", shown.join(", "))
    };
    format!("clsh: {done} done, {connecting}{running} running, {waiting} waiting{list}\n")
}

/// Stands above and below a group's names.
const GROUP_RULE: &str = "---------------";
/// Stands before each line of a group's stderr.
pub const STDERR_MARK: &[u8] = b"stderr: ";

/// Names as a subject: folded, with their number when they are many.
pub fn subject(names: &[&str]) -> String {
    let folded = hosts::fold(names.iter().copied());
    match names.len() {
        1 => folded,
        count => format!("{folded} ({count})"),
    }
}

/// The nodes of a group, and why what they said may not be all they would have said; where another group looks `alike`, also what tells
/// them apart, the exit status.
pub fn group(names: &[&str], outcome: Option<Outcome>, alike: bool) -> String {
    let subject = subject(names);
    match outcome {
        Some(Outcome::Exited(status)) if alike && status != 0 => {
            format!("{subject}: exit {status}")
        }
        Some(Outcome::Exited(_)) => subject,
        Some(outcome) => format!("{subject}: {}", outcome.word()),
        None => format!("{subject}: unfinished"),
    }
}

/// What stands above a group's output.
pub fn group_header(group: &str) -> String {
    format!("{GROUP_RULE}\n{group}\n{GROUP_RULE}\n")
}

/// A group's output is too long for `--diff`.
pub fn not_compared(group: &str) -> String {
    format!("clsh: {group}: it is too long to be compared and printed whole\n")
}

/// The names of the failed nodes could not be written.
pub fn failed_unwritten(path: &str, error: &str) -> String {
    format!("clsh: cannot write '{path}' (--failed): {error}\n")
}

/// A stream of a node can't be written to its file.
pub fn store_failed(label: &str, file: &str, error: &str) -> String {
    format!("clsh: {label}: cannot write '{file}': {error}; the rest of this stream is not kept\n")
}

/// clsh's own standard input can't be read.
pub fn input_failed(error: &str) -> String {
    format!("clsh: cannot read standard input: {error}; the run ends here\n")
}

/// Standard input can't be kept for nodes whose turn has not come.
pub fn spool_failed(error: &str) -> String {
    format!(
        "clsh: cannot keep standard input for nodes that start later: {error}; set TMPDIR to a place with more room, or raise -f; the run ends here\n"
    )
}

/// A node's process that SIGKILL did not end.
pub fn unkillable(label: &str, pid: i32) -> String {
    format!(
        "clsh: {label}: process {pid} does not end, not even by SIGKILL; the kernel holds it (a disk, a file server, a freezer), and it is left behind\n"
    )
}

/// Output that is shown later can't be kept any more.
pub fn keep_failed(error: &str) -> String {
    format!(
        "clsh: cannot keep output that is printed later: {error}; set TMPDIR to a place with more room; the run ends here, and what was kept is printed\n"
    )
}

/// Output that was kept can't be read again.
pub fn fetch_failed(error: &str) -> String {
    format!("clsh: cannot read what was kept of the output: {error}; the run ends here\n")
}

/// A node was not reached and gets another attempt: the `number`-th of at most `most`.
pub fn trying_again(label: &str, after: Duration, number: u32, most: u32) -> String {
    format!(
        "clsh: {label}: {}; trying again in {} ({number} of {most})\n",
        Outcome::Failed.word(),
        seconds(after)
    )
}

/// A connection was dropped and gets another attempt that nobody asked for (`-v`).
pub fn dropped(label: &str) -> String {
    format!("clsh: {label}: the connection was dropped before the login; trying again\n")
}

/// `--progress` without a terminal to draw on.
pub fn no_progress() -> String {
    "clsh: --progress needs a terminal on standard error; it is left out\n".into()
}

fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} s", seconds::short(time, 2))
    } else {
        format!("{} s", time.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_only_what_needs_attention() {
        let outcomes = [
            ("node1", Outcome::Exited(0)),
            ("node3", Outcome::Exited(7)),
            ("node5", Outcome::Exited(7)),
            ("node9", Outcome::Failed),
            ("node11", Outcome::NotStarted),
            ("node12", Outcome::NotStarted),
        ];
        assert_eq!(
            summary(outcomes.into_iter(), None),
            "clsh: node[3,5] (2): exited with exit code 7\nclsh: node9: connection failed\nclsh: node[11-12] (2): not started\n"
        );
    }
    #[test]
    fn the_summary_says_why_nodes_were_not_let_finish() {
        let outcomes = [
            ("node1", Outcome::Ended),
            ("node2", Outcome::Lost),
            ("node3", Outcome::NotStarted),
        ];
        assert_eq!(
            summary(outcomes.into_iter(), Some("node2")),
            "clsh: node2: connection lost\nclsh: node1: terminated, because node2 was lost\nclsh: node3: not started, because node2 was lost\n"
        );
    }

    #[test]
    fn what_went_wrong_is_said_with_what_follows_from_it() {
        let full = "No space left on device";
        assert_eq!(
            store_failed("node3", "DIR/node3.out", full),
            "clsh: node3: cannot write 'DIR/node3.out': No space left on device; the rest of this stream is not kept\n"
        );
        assert_eq!(
            input_failed("Is a directory"),
            "clsh: cannot read standard input: Is a directory; the run ends here\n"
        );
        assert_eq!(
            spool_failed(full),
            "clsh: cannot keep standard input for nodes that start later: No space left on device; set TMPDIR to a place with more room, or raise -f; the run ends here\n"
        );
        assert_eq!(
            keep_failed(full),
            "clsh: cannot keep output that is printed later: No space left on device; set TMPDIR to a place with more room; the run ends here, and what was kept is printed\n"
        );
        assert_eq!(
            no_progress(),
            "clsh: --progress needs a terminal on standard error; it is left out\n"
        );
    }

    #[test]
    fn another_attempt_says_when_and_which() {
        assert_eq!(
            trying_again("node2", Duration::from_millis(1300), 1, 3),
            "clsh: node2: connection failed; trying again in 1.3 s (1 of 3)\n"
        );
        assert_eq!(
            trying_again("node2", Duration::from_secs(61), 2, 3),
            "clsh: node2: connection failed; trying again in 61 s (2 of 3)\n"
        );
    }
}
