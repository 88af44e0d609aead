//! Which nodes: words, ranges, hostfiles, folding back to ranges, and the order of the sources.
//!
//! Responsible for turning what was typed into an ordered set of unique [`Node`]s, and back into a short text. Not
//! for reading anything: files come in as bytes, the environment as plain data, and who reads them is `cli`.
//!
//! Invariant: whatever became a [`Node`] is fit to be an argument of ssh: neither its host nor its user can be taken
//! for an option or for a word of a shell, and a [`NodeSet`] never holds more than `NODES_MAX` of them.

mod error;
mod fold;
mod hostfile;
mod index;
mod labels;
mod node;
mod range;
mod set;
mod sources;
mod words;

pub use error::{Cause, HostsError};
pub use fold::fold;
pub use hostfile::add_hostfile;
pub use labels::labels;
pub use node::Node;
pub use set::NodeSet;
pub use sources::{Env, Flags, Note, Reader, Resolved, Source, SourcesError, Warning, resolve};
