//! Which flags do not go together, and which need a command. Looks at what was typed and at nothing else.

use super::parse::Typed;
use super::work::Asked;
use crate::hosts::Source;
use std::fmt;
use std::path::Path;

/// A flag that cannot be carried out in this call. Flags stand as the help names them first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// `flags` say two things of which one can be done, which `why` names.
    Contradiction {
        flags: [&'static str; 2],
        why: &'static str,
    },
    /// `flag` does nothing without `other`, which is shown as it is to be typed; `why` goes on from the flag.
    Missing {
        flag: &'static str,
        other: &'static str,
        why: &'static str,
    },
    /// `flag` needs what a script takes that comes in on standard input.
    ScriptInput {
        flag: &'static str,
        why: &'static str,
    },
    /// `flag` is for one command, and a session was asked for; `instead` is what does the same there.
    NoCommand {
        flag: &'static str,
        instead: Option<&'static str>,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contradiction {
                flags: [one, other],
                why,
            } => write!(
                f,
                "{one} and {other} contradict each other: {why}; leave one of them out"
            ),
            Self::Missing { flag, other, why } => {
                write!(f, "{flag} {why}; add {other}, or leave out {flag}")
            }
            Self::ScriptInput { flag, why } => write!(
                f,
                "without a command the script is read from standard input, and {flag} {why}; give a command or --script FILE, or leave out {flag}"
            ),
            Self::NoCommand { flag, instead } => {
                write!(
                    f,
                    "{flag} is for a single run, and this is a session; give a command or a script, or leave out {flag}"
                )?;
                match instead {
                    Some(typed) => write!(f, " and type '{typed}' in the session"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Refuses the first flags found that do not go together.
///
/// # Errors
/// Which flags, why, and what to do about it.
pub fn refuse(typed: &Typed, asked: Asked) -> Result<(), Conflict> {
    let found = [
        two_works,
        two_shapes,
        objects_without_names,
        two_endings,
        half_a_wish,
        two_passwords,
        sudo_without_wrapper,
    ];
    let work = match asked {
        Asked::Session => in_session(typed),
        Asked::ScriptInput => beside_script_input(typed),
        Asked::Command | Asked::ScriptFile => None,
    };
    match work.or_else(|| found.into_iter().find_map(|find| find(typed))) {
        Some(conflict) => Err(conflict),
        None => Ok(()),
    }
}

/// A flag for what runs once, in a session.
fn in_session(typed: &Typed) -> Option<Conflict> {
    let given = [
        ("-n", typed.no_stdin),
        ("--tty", typed.tty),
        ("--sudo", typed.has_sudo()),
        ("-k", typed.fail_fast),
        ("-b", typed.gather),
        ("--diff", typed.diff),
        ("-L", typed.in_order),
        ("--json", typed.json),
        ("--out", typed.out.is_some()),
        ("--err", typed.err.is_some()),
        ("--progress", typed.progress),
        ("--summary", typed.summary),
        ("--failed", typed.failed.is_some()),
    ];
    let (flag, _) = given.into_iter().find(|&(_, given)| given)?;
    let instead = (flag == "-b").then_some(":gather on");
    Some(Conflict::NoCommand { flag, instead })
}

/// A flag that leaves no room for a script on standard input.
fn beside_script_input(typed: &Typed) -> Option<Conflict> {
    let given = [
        ("-n", typed.no_stdin, "leaves that unread"),
        (
            "--tty",
            typed.tty,
            "puts a terminal in its place on the nodes",
        ),
    ];
    let (flag, _, why) = given.into_iter().find(|&(_, given, _)| given)?;
    Some(Conflict::ScriptInput { flag, why })
}

/// A script beside what does not go with one.
fn two_works(typed: &Typed) -> Option<Conflict> {
    typed.script.as_ref()?;
    let (other, why) = if typed.interactive {
        (
            "-i",
            "a session takes its commands from standard input, a script is run once",
        )
    } else if typed.bare {
        (
            "--bare",
            "a script is sent along by the wrapper, which --bare leaves out",
        )
    } else {
        return None;
    };
    Some(Conflict::Contradiction {
        flags: [other, "--script"],
        why,
    })
}

/// Two shapes of the output at once.
fn two_shapes(typed: &Typed) -> Option<Conflict> {
    let shapes = [
        ("-b", typed.gather),
        ("-L", typed.in_order),
        ("--json", typed.json),
    ];
    let mut given = shapes.into_iter().filter(|&(_, given)| given);
    let ((one, _), (other, _)) = (given.next()?, given.next()?);
    Some(Conflict::Contradiction {
        flags: [one, other],
        why: "the output is printed in one shape",
    })
}

/// JSON whose lines nobody could tell apart.
fn objects_without_names(typed: &Typed) -> Option<Conflict> {
    (typed.no_label && typed.json).then_some(Conflict::Contradiction {
        flags: ["-N", "--json"],
        why: "each object carries the name of its node",
    })
}

/// Going on after a failure, and not.
fn two_endings(typed: &Typed) -> Option<Conflict> {
    (typed.fail_fast && typed.keep_going).then_some(Conflict::Contradiction {
        flags: ["-k", "--keep-going"],
        why: "one ends the run when a node fails, the other goes on",
    })
}

/// A password from two places, or from where something else is read.
fn two_passwords(typed: &Typed) -> Option<Conflict> {
    let file = typed.password_file.as_deref()?;
    let hosts = |source: &Source| matches!(source, Source::File(path) if path == Path::new("-"));
    let (other, why) = if typed.askpass {
        ("-A", "the password comes from one place")
    } else if file == Path::new("-") && typed.nodes.iter().any(hosts) {
        ("--hostfile -", "both read standard input")
    } else {
        return None;
    };
    Some(Conflict::Contradiction {
        flags: [other, "--password-file"],
        why,
    })
}

/// `--sudo` where nothing can carry the password.
fn sudo_without_wrapper(typed: &Typed) -> Option<Conflict> {
    let (other, why) = if typed.transport.as_deref() == Some("exec") {
        (
            "-R exec",
            "the command runs here, without a node to run sudo on",
        )
    } else if typed.bare {
        (
            "--bare",
            "sudo is run by the wrapper, which --bare leaves out",
        )
    } else if typed.tty {
        (
            "--tty",
            "the password goes over standard input, which is a terminal there",
        )
    } else {
        return None;
    };
    typed.has_sudo().then_some(Conflict::Contradiction {
        flags: [other, "--sudo"],
        why,
    })
}

/// A flag that adds to another which is not there.
fn half_a_wish(typed: &Typed) -> Option<Conflict> {
    if typed.diff && !typed.gather {
        return Some(Conflict::Missing {
            flag: "--diff",
            other: "-b",
            why: "compares the groups of nodes that -b makes",
        });
    }
    let delay_alone = typed.retry_delay.is_some() && typed.retries.is_none();
    delay_alone.then_some(Conflict::Missing {
        flag: "--retry-delay",
        other: "--retries N",
        why: "is the time before a connection is tried again, which --retries asks for",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_asks_for_one_thing_passes() {
        let words = vec!["true".into()];
        let refused = |typed: Typed| refuse(&typed, Asked::of(&typed, true));
        assert_eq!(refused(Typed::default()), Ok(()));
        assert_eq!(
            refused(Typed {
                words,
                gather: true,
                diff: true,
                fail_fast: true,
                ..Typed::default()
            }),
            Ok(())
        );
    }
}
