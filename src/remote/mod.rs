//! How a node is reached and what runs there: command lines, quoting, the wrapper script, the frames it sends back.
mod transport;
pub use transport::{SshOptions, Transport, TransportError};
