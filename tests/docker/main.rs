//! The containers of docker/ as a person meets them. Goal: what README says of them holds wherever a Docker engine runs, with and without a
//! registry. Method: one cluster for all tests, brought up as a user does it; nodes are killed, paused and cut off, and each test leaves
//! them whole. Conditions are waited for; nothing is judged by a clock. Without an engine each test says on stderr that it did not run,
//! and fails only under CLSH_TEST_DOCKER=1.
#[path = "../support/mod.rs"]
mod support;

#[path = "../session/kit.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod kit;
#[path = "../session/terminal.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod terminal;

mod cluster;

mod first;
mod host;
mod lost;
mod many;
mod session;
