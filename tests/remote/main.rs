//! clsh against real sshd nodes: what a person sees, and what is left on either side.
#[path = "../support/mod.rs"]
mod support;

mod nodes;

mod background;
mod command;
mod cut;
mod ending;
mod hostile;
mod lost;
mod reach;
mod shells;
mod status;
mod window;
