//! Whether clsh was started without a standard output (`clsh ... >&-` in a shell).
//!
//! Rust's runtime opens the null device in the place of a standard stream that is closed, so that no file that is opened later is taken for
//! it. From then on nothing tells the two apart, and what is printed would be lost without a word. So this looks before the runtime begins:
//! functions that stand in a section of this name are called before `main` (the System V ABI's `DT_INIT_ARRAY`).

use nix::libc;
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

// The section holds pointers to functions of this type, and this one needs nothing that is made ready later.
#[used]
// SAFETY: as above.
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
// SAFETY: as above.
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: fcntl(2) with F_GETFD takes any number, and only looks.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Whether stdout was closed when clsh was started.
pub fn stdout_was_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
