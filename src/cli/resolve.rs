//! What it means: from what was typed, the environment and the files it names to one [`Action`]. Everything that can be refused is
//! refused here, so that an [`Action`] can only be carried out. Which source of nodes wins is decided in `hosts`.

use super::config;
use super::conflict;
use super::error::{CliError, quoted};
use super::files::{self, Files};
use super::parse::Typed;
use super::pick::pick;
use super::ssh_files;
use super::work::{Asked, work};
use crate::hosts::{self, Node, SourcesError};
use crate::job::{ColorWhen, Job, Password, Retries, Shape, Talk, Work};
use crate::limits::{CONNECT_DEFAULT, FANOUT_DEFAULT, KILL_AFTER_DEFAULT, RETRY_DELAY_DEFAULT};
use crate::remote::{Mentions, SshOptions, Transport};
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What surrounds a call, as far as it matters to what the call means. The default is an empty environment in the current directory.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `CLSH_HOSTS`: nodes.
    pub hosts: Option<OsString>,
    /// `CLSH_HOSTFILE`: a path of a file of nodes.
    pub hostfile: Option<OsString>,
    /// `CLSH_SSH_CONFIG`: what `-F` would be given. Empty is as good as unset, here and above.
    pub ssh_config: Option<OsString>,
    /// Nobody wants colour unless a flag says so: `NO_COLOR` holds something, or `TERM` is `dumb`.
    pub plain: bool,
    /// The terminal obeys no escapes: `TERM` is `dumb`, empty or unset.
    pub dumb: bool,
    /// Standard input is a terminal, so that somebody may type there.
    pub terminal: bool,
    /// `SHELL`: for `!command`.
    pub shell: Option<OsString>,
    /// `XDG_STATE_HOME`, or `.local/state` in `HOME`: where the history is kept.
    pub state: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, or `.config` in `HOME`: where the flags for every call are kept.
    pub config: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<OsString>,
    /// Where relative paths start; empty for the current directory.
    pub directory: PathBuf,
}

impl Environment {
    /// The environment of this process.
    pub fn gather() -> Self {
        Self {
            hosts: env::var_os("CLSH_HOSTS"),
            hostfile: env::var_os("CLSH_HOSTFILE"),
            ssh_config: env::var_os("CLSH_SSH_CONFIG"),
            plain: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
                || env::var_os("TERM").is_some_and(|value| value == "dumb"),
            dumb: env::var_os("TERM").is_none_or(|value| value.is_empty() || value == "dumb"),
            terminal: io::stdin().is_terminal(),
            shell: env::var_os("SHELL"),
            state: base_directory("XDG_STATE_HOME", ".local/state"),
            config: base_directory("XDG_CONFIG_HOME", ".config"),
            home: env::var_os("HOME"),
            directory: PathBuf::new(),
        }
    }
}

/// As the XDG Base Directory Specification has it: a relative path counts as none.
fn base_directory(name: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute(name).or_else(|| absolute("HOME").map(|home| home.join(in_home)))
}

/// A line for standard error about how the call was understood. It is displayed whole, without a newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Which source of nodes was taken; `-q` silences it.
    Note(String),
    /// What was passed over, and why; always said.
    Warning(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Note(line) | Self::Warning(line)) = self;
        f.write_str(line)
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// Print these nodes, one a line, and exit with 0.
    Query(Vec<Node>),
    /// Run a command, or a session.
    Run(Box<Job>),
}

/// A call that is fit to be carried out.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// To be said first, one line each, in this order; what `-q` silences is not among them.
    pub notes: Vec<Said>,
    /// To be done then.
    pub action: Action,
}

/// What the typed words mean in `environment`. Reads the hostfiles that are asked for, standard input if one of them is `-`.
///
/// # Errors
/// Flags that do not go together, or not without a command; an empty command; a file that cannot be read; no nodes or wrong ones. What [`CliError::notes`] holds
/// is to be said before the error.
pub fn resolve(typed: Typed, environment: &Environment) -> Result<Resolved, CliError> {
    resolve_with(typed, environment, io::stdin())
}

/// [`resolve`] with something else for standard input.
fn resolve_with(
    mut typed: Typed,
    environment: &Environment,
    stdin: impl Read,
) -> Result<Resolved, CliError> {
    let asked = Asked::of(&typed, environment.terminal);
    if let Some(directory) = environment.config.as_ref().filter(|_| !typed.no_config) {
        let path = directory.join("clsh/config");
        config::apply(&mut typed, asked, &path, environment.home.as_deref())
            .map_err(CliError::Config)?;
    }
    let mut files = Files::new(&environment.directory, stdin);
    // Nodes come last: reading them may take standard input away, or long.
    let plan = if typed.query {
        None
    } else {
        conflict::refuse(&typed, asked).map_err(CliError::Conflict)?;
        let work = work(asked, &mut typed, environment, &files)?;
        Some((work, transport(&mut typed, environment, &files)?))
    };
    // The nodes use up standard input where they are read from it, a session reads it itself, and a terminal has another reader's manners.
    let input = !typed.no_stdin && !typed.tty && !nodes_from_stdin(&typed) && asked.is_run();
    let (mut nodes, mut notes) = nodes(&mut typed, environment, &mut files)?;
    if let Some(count) = typed.pick {
        nodes = pick(nodes, count);
    }
    if typed.talk == Some(Talk::Quiet) {
        notes.retain(|said| matches!(said, Said::Warning(_)));
    }
    let action = match plan {
        None => Action::Query(nodes),
        Some((work, transport)) => {
            let job = job(typed, environment, nodes, work, transport, input);
            Action::Run(Box::new(job))
        }
    };
    Ok(Resolved { notes, action })
}

/// The job, with the default for each flag that was not given.
fn job(
    mut typed: Typed,
    environment: &Environment,
    nodes: Vec<Node>,
    work: Work,
    transport: Transport,
    input: bool,
) -> Job {
    let color = if environment.plain {
        ColorWhen::Never
    } else {
        ColorWhen::Auto
    };
    let shape = shape(&typed);
    let password = password(&mut typed);
    let sudo = match typed.sudo {
        true => Some("root".to_owned()),
        false => None,
    };
    Job {
        nodes,
        transport,
        user: typed.user,
        password,
        sudo: typed.sudo_user.or(sudo),
        work,
        fanout: typed.fanout.unwrap_or(FANOUT_DEFAULT),
        connect: typed.connect.unwrap_or(CONNECT_DEFAULT),
        time_limit: typed.time_limit,
        kill_after: typed.kill_after.unwrap_or(KILL_AFTER_DEFAULT),
        keep_going: typed.keep_going,
        label: !typed.no_label,
        color: typed.color.unwrap_or(color),
        talk: typed.talk.unwrap_or(Talk::Normal),
        input,
        shape,
        files: [typed.out, typed.err],
        progress: typed.progress,
        summary: typed.summary,
        tty: typed.tty,
        dumb: environment.dumb,
        failed: typed.failed,
        fail_fast: typed.fail_fast,
        retries: Retries {
            most: typed.retries.unwrap_or(0),
            delay: typed.retry_delay.unwrap_or(RETRY_DELAY_DEFAULT),
        },
    }
}

/// Where the password comes from, if any is wanted.
fn password(typed: &mut Typed) -> Option<Password> {
    match typed.password_file.take() {
        Some(path) if path == Path::new("-") => Some(Password::Stdin),
        Some(path) => Some(Password::File(path)),
        None if typed.askpass => Some(Password::Ask { needed: true }),
        None if typed.has_sudo() => Some(Password::Ask { needed: false }),
        None => None,
    }
}

/// The one shape that was asked for; two are refused before.
fn shape(typed: &Typed) -> Shape {
    if typed.gather {
        Shape::Gathered { diff: typed.diff }
    } else if typed.in_order {
        Shape::Ordered
    } else if typed.json {
        Shape::Json
    } else {
        Shape::Lines
    }
}

/// Whether a list of nodes is read from standard input, which is used up by that.
pub fn nodes_from_stdin(typed: &Typed) -> bool {
    let stdin = |source: &hosts::Source| matches!(source, hosts::Source::File(path) if path == Path::new("-"));
    typed.nodes.iter().any(stdin)
}

/// How the nodes are reached. Flags of ssh beside another transport are refused, since they would do nothing; the variable is passed
/// over there, since it is meant for all calls.
fn transport<R: Read>(
    typed: &mut Typed,
    environment: &Environment,
    files: &Files<R>,
) -> Result<Transport, CliError> {
    let text = typed.transport.take().unwrap_or_else(|| "ssh".to_owned());
    let is_ssh = text == "ssh";
    let ssh_only = [
        ("--ssh-config", typed.ssh_config.is_some()),
        ("--jump", typed.jump.is_some()),
        ("--option", !typed.options.is_empty()),
        ("--tty", typed.tty),
        ("--askpass", typed.askpass),
        (
            "--password-file",
            typed.password_file.is_some() && !typed.has_sudo(),
        ),
    ];
    if let Some((flag, _)) = ssh_only.into_iter().find(|&(_, given)| given && !is_ssh) {
        return Err(CliError::SshOnly {
            flag,
            transport: text,
        });
    }
    let config = if is_ssh {
        ssh_config(typed.ssh_config.take(), environment, files)?
    } else {
        None
    };
    let mentions = match is_ssh {
        true => ssh_files::mentions(config.as_deref(), &environment.directory),
        false => Mentions::default(),
    };
    let ssh = SshOptions {
        mentions,
        options: std::mem::take(&mut typed.options),
        config,
        jump: typed.jump.take(),
        tty: typed.tty,
        password: typed.askpass || typed.password_file.is_some(),
    };
    Transport::parse(&text, ssh, typed.bare).map_err(|error| CliError::BadValue {
        flag: "--transport".to_owned(),
        value: quoted(text.as_bytes()),
        why: error.to_string(),
    })
}

/// ssh's configuration file, by flag or variable, if it can be read. `none` is ssh's word for no file at all.
fn ssh_config<R: Read>(
    flag: Option<OsString>,
    environment: &Environment,
    files: &Files<R>,
) -> Result<Option<OsString>, CliError> {
    let variable = || {
        environment
            .ssh_config
            .clone()
            .filter(|path| !path.is_empty())
    };
    let (name, path) = match (flag, variable()) {
        (Some(path), _) => ("--ssh-config", path),
        (None, Some(path)) => ("CLSH_SSH_CONFIG", path),
        (None, None) => return Ok(None),
    };
    if path != "none" {
        let unreadable = |error| CliError::Unreadable {
            name,
            path: quoted(path.as_bytes()),
            why: files::reason(&error),
        };
        files.check_readable(&path).map_err(unreadable)?;
    }
    Ok(Some(path))
}

/// The nodes, at least one, and what is to be said about where they come from: what was passed over first.
fn nodes<R: Read>(
    typed: &mut Typed,
    environment: &Environment,
    files: &mut Files<R>,
) -> Result<(Vec<Node>, Vec<Said>), CliError> {
    let flags = hosts::Flags {
        sources: std::mem::take(&mut typed.nodes),
        excludes: std::mem::take(&mut typed.exclude),
    };
    let variables = hosts::Env {
        hosts: environment.hosts.clone(),
        hostfile: environment.hostfile.clone(),
    };
    let mut read = |path: &Path| {
        let named = |error: io::Error| io::Error::new(error.kind(), files::reason(&error));
        files.read_list(path).map_err(named)
    };
    let mut warnings = Vec::new();
    let resolved = hosts::resolve(&flags, &variables, &mut read, &mut warnings);
    let warnings = warnings.iter().map(ToString::to_string);
    let mut said: Vec<Said> = warnings.map(Said::Warning).collect();
    match resolved {
        Ok(resolved) => {
            said.extend(
                resolved
                    .notes
                    .iter()
                    .map(|note| Said::Note(note.to_string())),
            );
            Ok((resolved.nodes.into_nodes(), said))
        }
        Err(error) => Err(CliError::Nodes {
            why: why_no_nodes(&error),
            warnings: said,
        }),
    }
}

/// The words of `hosts`; those on how to name nodes at all stand on a line of their own.
fn why_no_nodes(error: &SourcesError) -> String {
    let why = error.to_string();
    match (error, why.split_once(';')) {
        (SourcesError::NothingNamed, Some((what, how))) => format!("{what}\nclsh:{how}"),
        _ => why,
    }
}

#[cfg(test)]
mod tests;
