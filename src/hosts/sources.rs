//! Where the nodes of a call come from, and in which order the places are looked at.
//!
//! Responsible for precedence, notes and warnings. Not for reading: what was typed and what the environment holds
//! comes in as plain data, and files through a closure.
//! Invariant: an explicit wish, a flag, never falls through to other machines.

mod notices;
#[cfg(test)]
mod tests;

use super::hostfile::add_hostfile;
use super::set::NodeSet;
use super::words::words;
use notices::Origin;
pub use notices::{Note, SourcesError, Warning};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// One flag that names nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The value of `-h`, `--hosts`, `-w`.
    List(String),
    /// The value of `--hostfile`; `-` is for the reader to understand as standard input.
    File(PathBuf),
}

/// The flags of one call, in the order typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// All that add nodes.
    pub sources: Vec<Source>,
    /// The values of `-x`.
    pub excludes: Vec<String>,
}

/// The variables, `None` when unset.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// `CLSH_HOSTS`
    pub hosts: Option<OsString>,
    /// `CLSH_HOSTFILE`
    pub hostfile: Option<OsString>,
}

/// Gives the bytes of the file at a path. A relative path starts at the current directory; `-`, which only a flag
/// can ask for, is standard input.
pub type Reader<'a> = &'a mut dyn FnMut(&Path) -> io::Result<Vec<u8>>;

/// The nodes of a call, at least one, and what to tell about where they come from.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The nodes that are left after exclusion.
    pub nodes: NodeSet,
    /// What `-q` silences.
    pub notes: Vec<Note>,
}

/// Finds the nodes of a call: flags, `CLSH_HOSTS`, `CLSH_HOSTFILE`, `.hostfile`; the first that yields a node wins,
/// then exclusion is applied.
///
/// `warnings` gets what was passed over and why, also when the call fails in the end; they are to be printed before
/// the error. Fails when a flag cannot be honoured, a word is refused, no source yields a node, or none is left.
pub fn resolve(
    flags: &Flags,
    env: &Env,
    read: Reader<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Resolved, SourcesError> {
    let (mut nodes, note) = first_source(flags, env, read, warnings)?;
    let named = nodes.len();
    for list in &flags.excludes {
        let refused = |error| SourcesError::refused(Origin::Exclude, error);
        nodes.exclude(list).map_err(refused)?;
    }
    if nodes.is_empty() {
        return Err(SourcesError::AllExcluded { named });
    }
    Ok(Resolved {
        nodes,
        notes: note.into_iter().collect(),
    })
}

fn first_source(
    flags: &Flags,
    env: &Env,
    read: Reader<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<(NodeSet, Option<Note>), SourcesError> {
    if !flags.sources.is_empty() {
        return Ok((from_flags(&flags.sources, read)?, None));
    }
    let nodes = from_variable(env.hosts.as_ref())?;
    if !nodes.is_empty() {
        return Ok((nodes, Some(Note::HostsVariable)));
    }
    if let Some(path) = env.hostfile.as_ref().filter(|path| !path.is_empty()) {
        let origin = Origin::Variable(path.into());
        if let Some(nodes) = from_optional_file(origin, read, warnings)? {
            return Ok((nodes, Some(Note::HostfileVariable(path.into()))));
        }
    }
    if let Some(nodes) = from_optional_file(Origin::Default, read, warnings)? {
        return Ok((nodes, Some(Note::HostfileDefault)));
    }
    Err(SourcesError::NothingNamed)
}

fn from_flags(sources: &[Source], read: Reader<'_>) -> Result<NodeSet, SourcesError> {
    let mut nodes = NodeSet::new();
    for source in sources {
        match source {
            Source::List(list) => {
                if words(list).next().is_none() {
                    return Err(SourcesError::EmptyList);
                }
                nodes.add(list).map_err(|error| SourcesError::Refused {
                    origin: None,
                    error,
                })?;
            }
            Source::File(path) => {
                let text = read(path).map_err(|error| SourcesError::Unreadable {
                    path: path.clone(),
                    error,
                })?;
                let found = add_hostfile(&mut nodes, &text)
                    .map_err(|error| SourcesError::refused(Origin::Flag(path.clone()), error))?;
                if found == 0 {
                    return Err(SourcesError::EmptyFile { path: path.clone() });
                }
            }
        }
    }
    Ok(nodes)
}

fn from_variable(value: Option<&OsString>) -> Result<NodeSet, SourcesError> {
    let mut nodes = NodeSet::new();
    if let Some(value) = value {
        let value = value.to_str().ok_or(SourcesError::VariableNotUtf8)?;
        let refused = |error| SourcesError::refused(Origin::Hosts, error);
        nodes.add_variable(value).map_err(refused)?;
    }
    Ok(nodes)
}

/// The nodes of a file nobody insisted on: `None`, with a warning, when it cannot be read or holds no node.
fn from_optional_file(
    origin: Origin,
    read: Reader<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<NodeSet>, SourcesError> {
    let text = match read(origin.path()) {
        Ok(text) => text,
        Err(error) => {
            if origin != Origin::Default || error.kind() != io::ErrorKind::NotFound {
                warnings.push(Warning {
                    origin,
                    reason: Some(error),
                });
            }
            return Ok(None);
        }
    };
    let mut nodes = NodeSet::new();
    match add_hostfile(&mut nodes, &text) {
        Err(error) => Err(SourcesError::refused(origin, error)),
        Ok(0) => {
            warnings.push(Warning {
                origin,
                reason: None,
            });
            Ok(None)
        }
        Ok(_) => Ok(Some(nodes)),
    }
}
