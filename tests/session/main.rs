//! The interactive session as a person meets it. Goal: every sentence of CONTRACT.md section 8 and of README's "A session" holds in the
//! binary itself. Method: clsh on a real pseudo terminal whose screen is read as an emulator draws it, or on pipes as a script; nodes are
//! local shells behind the same wrapper that ssh would start (`-R exec`). Conditions are waited for; nothing is judged by a clock.
#[path = "../support/mod.rs"]
mod support;

mod kit;
mod terminal;

mod background;
mod banner;
mod commands;
mod constructs;
mod dumb;
mod ending;
mod here;
mod history;
mod interrupt;
mod lost;
mod many;
mod modes;
mod own;
mod script;
mod shells;
mod typing;
