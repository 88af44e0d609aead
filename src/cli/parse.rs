//! What was typed: the words of a call, sorted by flag. Nothing here looks at a file, the environment or a default; what the words
//! mean together is decided in `resolve`. Invariant: a word is looked at as a flag only before the command's first word.

use super::error::{CliError, quoted};
use super::generate::Page;
use super::table::{self, Flag, FlagId};
use super::value;
use crate::hosts::Source;
use crate::job::{ColorWhen, Talk};
use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Print the help to standard output and exit with 0.
    Help,
    /// Print the version to standard output and exit with 0.
    Version,
    /// Print this page to standard output and exit with 0.
    Generate(Page),
    /// Anything else: to be resolved.
    Run(Box<Typed>),
}

/// The flags as typed, each value readable by itself, and the command's words. An absent flag is `None`, `false` or empty; of a flag
/// that was repeated the last one counts, unless it is kept in a `Vec`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// Lists and hostfiles, which add up in this order.
    pub nodes: Vec<Source>,
    /// `-x`: lists to leave out, which add up.
    pub exclude: Vec<String>,
    /// `--pick`, from 1 to `NODES_MAX`.
    pub pick: Option<usize>,
    /// `-Q`
    pub query: bool,
    /// `-R`, not yet read as a transport.
    pub transport: Option<String>,
    /// `-l`
    pub user: Option<String>,
    /// `-F`
    pub ssh_config: Option<OsString>,
    /// `-J`
    pub jump: Option<String>,
    /// `-o`: all of them count, in this order.
    pub options: Vec<String>,
    /// `-t`, over zero.
    pub connect: Option<Duration>,
    /// `-A`
    pub askpass: bool,
    /// `--password-file`, not empty.
    pub password_file: Option<PathBuf>,
    /// `--retries`, from 0 to `RETRIES_MAX`.
    pub retries: Option<u32>,
    /// `--retry-delay`, zero or more.
    pub retry_delay: Option<Duration>,
    /// `--bare`
    pub bare: bool,
    /// `-n`
    pub no_stdin: bool,
    /// `--tty`
    pub tty: bool,
    /// `--sudo`
    pub sudo: bool,
    /// `--sudo-user`
    pub sudo_user: Option<String>,
    /// `-i`
    pub interactive: bool,
    /// `--script`
    pub script: Option<PathBuf>,
    /// `--shell`
    pub shell: Option<String>,
    /// `-f`, from 1 to `NODES_MAX`.
    pub fanout: Option<usize>,
    /// `-u`, over zero.
    pub time_limit: Option<Duration>,
    /// `--kill-after`, zero or more.
    pub kill_after: Option<Duration>,
    /// `-k`
    pub fail_fast: bool,
    /// `--keep-going`
    pub keep_going: bool,
    /// `-b`
    pub gather: bool,
    /// `--diff`
    pub diff: bool,
    /// `-L`
    pub in_order: bool,
    /// `--json`
    pub json: bool,
    /// `--out`, not empty.
    pub out: Option<PathBuf>,
    /// `--err`, not empty.
    pub err: Option<PathBuf>,
    /// `-N`
    pub no_label: bool,
    /// `--color`
    pub color: Option<ColorWhen>,
    /// `-q` or `-v`, whichever came last.
    pub talk: Option<Talk>,
    /// `--progress`
    pub progress: bool,
    /// `--summary`
    pub summary: bool,
    /// `--failed`, not empty.
    pub failed: Option<PathBuf>,
    /// `--no-config`
    pub no_config: bool,
    /// The command and its arguments, untouched.
    pub words: Vec<OsString>,
}

/// Sorts the words of a call, without the program's own name in front. `--help` and `--version` end it where they stand: what
/// follows them is not looked at.
///
/// # Errors
/// An unknown flag, a value that is missing, needless, or none its flag can take; the first such word counts.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, CliError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut parser = Parser::from_args(args);
    let mut typed = Typed::default();
    while let Some(arg) = parser.next().map_err(from_lexopt)? {
        let (spelled, flag, long) = match arg {
            Arg::Short(letter) => (format!("-{letter}"), table::by_short(letter), false),
            Arg::Long(name) => (format!("--{name}"), table::by_long(name), true),
            Arg::Value(first) => {
                typed.words.push(first);
                typed.words.extend(parser.raw_args().map_err(from_lexopt)?);
                break;
            }
        };
        let flag = flag.ok_or_else(|| CliError::unknown_flag(&spelled))?;
        let value = take_value(&mut parser, flag, &spelled, long)?;
        match flag.id {
            FlagId::Help => return Ok(Invocation::Help),
            FlagId::Version => return Ok(Invocation::Version),
            FlagId::Generate => {
                let given = Given { spelled, value };
                return Ok(Invocation::Generate(given.read(value::page)?));
            }
            _ => typed.set(flag.id, &Given { spelled, value })?,
        }
    }
    Ok(Invocation::Run(Box::new(typed)))
}

/// The value of `flag`; empty for a switch.
fn take_value(
    parser: &mut Parser,
    flag: &Flag,
    spelled: &str,
    long: bool,
) -> Result<OsString, CliError> {
    match flag.value {
        Some(value) => parser.value().map_err(|_| CliError::MissingValue {
            flag: spelled.to_owned(),
            value,
        }),
        // After a letter the rest of the word is more letters; lexopt refuses a `=` among them at the next turn.
        None if !long => Ok(OsString::new()),
        None => match parser.optional_value() {
            None => Ok(OsString::new()),
            Some(value) => Err(CliError::NeedlessValue {
                flag: spelled.to_owned(),
                value: value.to_string_lossy().into_owned(),
            }),
        },
    }
}

/// What lexopt itself finds wrong: `-q=yes`. Its other errors are not reachable from here, but have words all the same.
fn from_lexopt(error: lexopt::Error) -> CliError {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => CliError::NeedlessValue {
            flag: option,
            value: value.to_string_lossy().into_owned(),
        },
        other => CliError::Unparsable(other.to_string()),
    }
}

/// A flag's value and how the flag was spelled.
struct Given {
    spelled: String,
    value: OsString,
}

impl Given {
    /// The value as text, read by `read`.
    fn read<T>(&self, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, CliError> {
        let text = self
            .value
            .to_str()
            .ok_or("it is not valid UTF-8".to_owned());
        text.and_then(read).map_err(|why| CliError::BadValue {
            flag: self.spelled.clone(),
            value: quoted(self.value.as_bytes()),
            why,
        })
    }

    fn text(&self) -> Result<String, CliError> {
        self.read(|text| Ok(text.to_owned()))
    }

    /// A path, which may hold any bytes but must name something.
    fn path(&self) -> Result<PathBuf, CliError> {
        if self.value.is_empty() {
            self.read(|_| Err("it is empty; give a path".to_owned()))
        } else {
            Ok(self.value.clone().into())
        }
    }

    fn file(&self) -> OsString {
        self.value.clone()
    }
}

impl Typed {
    /// Whether the command is to run as another user.
    pub fn has_sudo(&self) -> bool {
        self.sudo || self.sudo_user.is_some()
    }

    /// Notes one flag.
    fn set(&mut self, id: FlagId, given: &Given) -> Result<(), CliError> {
        match id {
            FlagId::Hosts => self.nodes.push(Source::List(given.read(value::list)?)),
            FlagId::Hostfile => self.nodes.push(Source::File(given.file().into())),
            FlagId::Exclude => self.exclude.push(given.text()?),
            FlagId::Pick => self.pick = Some(given.read(value::count)?),
            FlagId::Query => self.query = true,
            FlagId::Transport => self.transport = Some(given.text()?),
            FlagId::User => self.user = Some(given.read(value::user)?),
            FlagId::SshConfig => self.ssh_config = Some(given.file()),
            FlagId::Jump => self.jump = Some(given.read(value::jump)?),
            FlagId::Option => self.options.push(given.read(value::ssh_option)?),
            FlagId::ConnectTimeout => self.connect = Some(given.read(value::seconds_over_zero)?),
            FlagId::Askpass => self.askpass = true,
            FlagId::PasswordFile => self.password_file = Some(given.path()?),
            FlagId::Retries => self.retries = Some(given.read(value::retries)?),
            FlagId::RetryDelay => self.retry_delay = Some(given.read(value::seconds)?),
            FlagId::Bare => self.bare = true,
            FlagId::NoStdin => self.no_stdin = true,
            FlagId::Tty => self.tty = true,
            FlagId::Sudo => self.sudo = true,
            FlagId::SudoUser => self.sudo_user = Some(given.read(value::user)?),
            FlagId::Interactive => self.interactive = true,
            FlagId::Script => self.script = Some(given.path()?),
            FlagId::Shell => self.shell = Some(given.read(value::shell)?),
            FlagId::Fanout => self.fanout = Some(given.read(value::count)?),
            FlagId::Timeout => self.time_limit = Some(given.read(value::seconds_over_zero)?),
            FlagId::KillAfter => self.kill_after = Some(given.read(value::seconds)?),
            FlagId::FailFast => self.fail_fast = true,
            FlagId::KeepGoing => self.keep_going = true,
            // It asks for what clsh does anyway.
            FlagId::Status => {}
            FlagId::Gather => self.gather = true,
            FlagId::Diff => self.diff = true,
            FlagId::InOrder => self.in_order = true,
            FlagId::Json => self.json = true,
            FlagId::Out => self.out = Some(given.path()?),
            FlagId::Err => self.err = Some(given.path()?),
            FlagId::NoLabel => self.no_label = true,
            FlagId::Color => self.color = Some(given.read(value::color)?),
            FlagId::Quiet => self.talk = Some(Talk::Quiet),
            FlagId::Verbose => self.talk = Some(Talk::Verbose),
            FlagId::Progress => self.progress = true,
            FlagId::Summary => self.summary = true,
            FlagId::Failed => self.failed = Some(given.path()?),
            FlagId::NoConfig => self.no_config = true,
            // They end the parse before anything is noted.
            FlagId::Generate | FlagId::Help | FlagId::Version => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
