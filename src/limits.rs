//! Every constant of the program, with its unit in its name, and the relations that must hold between them.

/// Most nodes one call may name, counted after expansion.
pub const NODES_MAX: usize = 1_000_000;
/// Longest host name, user name or word of a node list after expansion, in bytes (DNS allows 253).
pub const NAME_BYTES_MAX: usize = 255;
