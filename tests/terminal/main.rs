//! A command's run as a person meets it on a terminal. Goal: what README says of the progress line, of labels and of output that would
//! drive the terminal holds in the binary itself. Method: clsh on a real pseudo terminal whose screen is read as an emulator draws it; nodes
//! are processes here (`-R exec`). Conditions are waited for; a clock is asked only where nothing must happen for a while.
#[path = "../support/mod.rs"]
mod support;

#[path = "../session/kit.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod kit;
#[path = "../session/terminal.rs"]
#[allow(dead_code, reason = "shared with the tests of sessions")]
mod terminal;

mod labels;
mod progress;
mod shapes;
mod signals;

use std::process::Command;
use terminal::Sitting;

/// `sh` on a terminal that runs `words`; `"$CLSH"` is clsh.
fn shell(words: &str) -> Sitting {
    let mut call = Command::new("sh");
    call.args(["-c", words]);
    for name in ["CLSH_HOSTS", "CLSH_HOSTFILE", "NO_COLOR"] {
        call.env_remove(name);
    }
    call.env("CLSH", env!("CARGO_BIN_EXE_clsh"));
    Sitting::new(call)
}

/// What came on a terminal in which `sh` ran these words to their end.
fn raw(words: &str) -> String {
    let mut terminal = shell(words).start();
    terminal.finish_clean();
    String::from_utf8_lossy(&terminal.raw()).into_owned()
}
