//! What a person who installs clsh gets beside it: the manual page, the completions, each in the hands of the program it is for, and the
//! Debian package that carries them.

mod package;
mod pages;
#[path = "../support/mod.rs"]
mod support;
