//! How a node is reached and what runs there: command lines, quoting, the wrapper scripts, the frames they send back.
//!
//! Nothing here starts a process. Invariant: a node's name reaches a command line as an argument of its own behind `--`, and the wrapper
//! inside quotes, so that it can become neither an option nor a shell word.

mod drop;
mod frames;
mod invocation;
mod question;
mod script;
mod shell;
mod ssh_config;
mod transport;
mod wrapper;

pub use drop::Drop;
pub use frames::{Frame, MARK, Nonce};
pub use invocation::{Call, Invocation, TooLong, Work};
pub use question::{Questions, Reply};
pub use script::{Script, ScriptFile};
pub use shell::{command, interrupt, interrupt_again};
pub use ssh_config::Mentions;
pub use transport::{
    SshOptions, Transport, TransportError, is_denied, is_expired, is_farewell, is_unverified,
};
