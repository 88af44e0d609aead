//! What a person who installs clsh gets beside it: the manual page and the completions, each in the hands of the program it is for.

mod pages;
#[path = "../support/mod.rs"]
mod support;
