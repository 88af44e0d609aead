//! clsh against real sshd nodes: what a person sees, and what is left on either side.
#[path = "../support/mod.rs"]
mod support;

mod farm;
mod nodes;
mod talk;

mod background;
mod bootstrap;
mod cold;
mod command;
mod cut;
mod emulated;
mod ending;
mod groups;
mod hostile;
mod input;
mod lost;
mod options;
mod pipeline;
mod reach;
mod script;
mod session;
mod session_end;
mod session_interrupt;
mod session_lost;
mod shared;
mod shells;
mod status;
mod tty;
mod window;
mod words;
