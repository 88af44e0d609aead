//! From the words of a call to what it means, in two steps: [`parse`] sorts them (what was typed, [`Typed`]), [`resolve`] adds the
//! defaults, the environment and the files (what it means, [`Action`]). The flags themselves, and all that is said about them, come
//! from the one table. Responsible for every refusal before anything is started; prints nothing and starts nothing.

mod config;
mod conflict;
mod error;
mod files;
mod generate;
mod help;
mod nearest;
mod others;
mod parse;
mod pick;
mod resolve;
mod ssh_files;
pub mod table;
mod value;
mod work;

pub use config::ConfigError;
pub use conflict::Conflict;
pub use error::CliError;
pub use generate::Page;
pub use help::{HELP_COLUMNS_MAX, help, version};
pub use parse::{Invocation, Typed, parse};
pub use resolve::{Action, Environment, Resolved, Said, resolve};

use nearest::nearest;
