//! clsh, a cluster shell: one command on many machines at once, every line under its node's name.
//!
//! The floors, from the words of a call down to the kernel, each with what holds on it:
//!
//! - `cli`: words become a [`job::Job`], or are refused before anything is started. All flags stand in one table.
//! - [`driver`]: one turn after the other, readiness -> event, effect -> system call. It decides nothing and knows no flag.
//! - [`engine`]: what should happen next. Architecture invariant: no kernel, no clock, no randomness; every node gets one outcome.
//! - [`session`]: the interactive mode, on top of the engine. Architecture invariant: a prompt exactly when no command runs.
//! - [`output`]: whole lines on their way out, or kept until their time. Architecture invariant: a queue grows by whole lines only, and
//!   what is kept is bounded in memory whatever the nodes send.
//! - [`remote`]: command lines, the wrapper, its frames. Architecture invariant: a name becomes neither an option nor a shell word.
//! - [`hosts`]: which nodes. Architecture invariant: what is folded parses back to the same names.
//! - [`sys`]: the only room that touches the kernel and the only one with `unsafe`. It knows nothing of nodes.
//! - [`job`], [`outcome`], [`report`], [`limits`]: plain data, exit numbers, clsh's own words, every constant.
//! - [`order`], [`seconds`], [`harmless`]: sorting, seconds in decimal, and what a terminal may be given, each once for all.
//!
//! One thread. All but `sys`, `driver`, and `cli` where it reads files or chooses at random, is pure and uses the floors below it only.

pub mod cli;
pub mod driver;
pub mod engine;
pub mod harmless;
pub mod hosts;
pub mod job;
pub mod limits;
pub mod order;
pub mod outcome;
pub mod output;
pub mod remote;
pub mod report;
pub mod seconds;
pub mod session;
pub mod sys;
