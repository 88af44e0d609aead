//! clsh, a cluster shell.
pub mod cli;
pub mod driver;
pub mod engine;
pub mod hosts;
pub mod job;
pub mod limits;
pub mod outcome;
pub mod output;
pub mod remote;
pub mod report;
pub mod sys;
