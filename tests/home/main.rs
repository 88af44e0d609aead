//! What a person who installs clsh gets beside it: the manual page, the completions, each in the hands of the program it is for, and the
//! Debian package that carries them; and what the system itself has to do with it: accounts with passwords, their logins and their sudo.

mod package;
mod pages;
#[path = "../support/mod.rs"]
mod support;

#[path = "../session/kit.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod kit;
#[path = "../remote/nodes.rs"]
#[allow(dead_code, reason = "shared with the tests of real nodes")]
mod nodes;
#[path = "../session/terminal.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod terminal;

mod accounts;
mod asking;
mod fresh;
mod login;
mod password;
mod questions;
mod secrecy;
mod sudo;
mod sudo_end;
