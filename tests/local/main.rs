//! clsh where no remote machine is needed: `-R exec` and transports that are scripts. Goal: what CONTRACT.md promises of lines, of the
//! end, of limits and of wrong calls holds in the binary itself. Method: real processes, pipes and terminals, conditions that are waited
//! for, and a look at the process table afterwards. Nothing is judged by a clock.
#[path = "../support/mod.rs"]
mod support;

mod arrival;
mod calls;
mod config;
mod descriptors;
mod edge;
mod ending;
mod guardian;
mod held;
mod kit;
mod lines;
mod pausing;
mod pressure;
mod remotes;
mod sessions;
mod stdio;
mod terminal;
mod unfinished;
mod verdicts;
