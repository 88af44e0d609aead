//! clsh, a cluster shell.
pub mod cli;
pub mod hosts;
pub mod job;
pub mod limits;
pub mod remote;
