//! What a call asks for: one command, a script, or a session; and what of each has to be there before anything is started.

use super::error::{CliError, quoted};
use super::files::{self, Files};
use super::parse::Typed;
use super::resolve::{Environment, nodes_from_stdin};
use super::value;
use crate::job::{Session, Work};
use crate::limits::SHELL_DEFAULT;
use crate::remote::{Script, ScriptFile};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What a call asks for, as far as its words and the kind of standard input tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// One command.
    Command,
    /// A script that stands in a file of its own (`--script`).
    ScriptFile,
    /// The script that comes in on standard input.
    ScriptInput,
    /// A session.
    Session,
}

impl Asked {
    /// `terminal`: standard input is one, so that somebody may type there.
    pub fn of(typed: &Typed, terminal: bool) -> Self {
        if typed.script.is_some() {
            Self::ScriptFile
        } else if !typed.words.is_empty() {
            Self::Command
        } else if typed.interactive || terminal {
            Self::Session
        } else {
            Self::ScriptInput
        }
    }

    /// Whether it runs once on each node and is over.
    pub fn is_run(self) -> bool {
        self != Self::Session
    }

    /// Whether clsh's standard input can be left to what runs on the nodes, or to nobody: nothing else is read from it.
    pub fn leaves_stdin(self) -> bool {
        matches!(self, Self::Command | Self::ScriptFile)
    }
}

/// The work itself. A script's file is read here, so that what can't be read is known before any node is.
///
/// # Errors
/// Words that go with another kind of work; an empty command; a script that can't be read or sent.
pub fn work<R: Read>(
    asked: Asked,
    typed: &mut Typed,
    environment: &Environment,
    files: &Files<R>,
) -> Result<Work, CliError> {
    let words = std::mem::take(&mut typed.words);
    match (asked, words.first()) {
        (Asked::Command, Some(word)) if typed.interactive => {
            Err(CliError::CommandInSession(quoted(word.as_bytes())))
        }
        (Asked::Command, _) if typed.shell.is_some() => Err(CliError::ShellWithCommand),
        (Asked::Command, _) => command(words, typed).map(Work::Command),
        (Asked::ScriptFile, _) => Ok(Work::Script(Script {
            shell: typed.shell.take(),
            file: Some(script(
                typed.script.take().unwrap_or_default().as_os_str(),
                words,
                files,
            )?),
        })),
        (Asked::Session, _) if typed.bare => Err(CliError::BareSession),
        (Asked::ScriptInput | Asked::Session, _) if nodes_from_stdin(typed) => {
            Err(CliError::StdinTwice)
        }
        (Asked::ScriptInput, _) => Ok(Work::Script(Script {
            shell: typed.shell.take(),
            file: None,
        })),
        (Asked::Session, _) => session(typed, environment).map(Work::Session),
    }
}

fn session(typed: &mut Typed, environment: &Environment) -> Result<Session, CliError> {
    let shell = typed.shell.take();
    let shell = shell.unwrap_or_else(|| SHELL_DEFAULT.to_owned());
    if let Some(why) = value::unfit_for_session(&shell) {
        return Err(CliError::BadValue {
            flag: "--shell".to_owned(),
            value: quoted(shell.as_bytes()),
            why,
        });
    }
    Ok(Session {
        shell,
        dumb: environment.dumb,
        history: environment
            .state
            .as_ref()
            .map(|state| state.join("clsh/history")),
        local_shell: environment
            .shell
            .clone()
            .filter(|shell| !shell.is_empty())
            .unwrap_or_else(|| "/bin/sh".into()),
    })
}

/// The command's words as bytes, if there is something to run in them. ssh given only blanks would start a login shell.
fn command(words: Vec<OsString>, typed: &Typed) -> Result<Vec<Vec<u8>>, CliError> {
    let words: Vec<Vec<u8>> = words.into_iter().map(OsString::into_vec).collect();
    let no_program = typed.transport.as_deref() == Some("exec")
        && words.first().is_some_and(|program| program.is_empty());
    if no_program || words.iter().all(|word| word.trim_ascii().is_empty()) {
        return Err(CliError::EmptyCommand);
    }
    Ok(words)
}

/// A script to be sent along. It travels as text, in which a NUL byte can't stand.
fn script<R: Read>(
    path: &OsStr,
    words: Vec<OsString>,
    files: &Files<R>,
) -> Result<ScriptFile, CliError> {
    let unreadable = |why| CliError::Unreadable {
        name: "--script",
        path: quoted(path.as_bytes()),
        why,
    };
    let text = files.read_script(path);
    let mut text = text.map_err(|error| unreadable(files::reason(&error)))?;
    if text.contains(&0) {
        return Err(unreadable(
            "it holds NUL bytes, so it is no script; copy a program to the nodes and run it there"
                .to_owned(),
        ));
    }
    // The far side ends the text with a newline of its own.
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    Ok(ScriptFile {
        text,
        args: words.into_iter().map(OsString::into_vec).collect(),
    })
}
