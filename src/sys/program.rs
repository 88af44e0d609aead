//! Programs, found as a shell finds them.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(CString);

impl Program {
    /// Its path, for execve(2).
    pub fn path(&self) -> &CStr {
        &self.0
    }
}

/// Finds a program as execvp(3) does: a name with a slash is a path, any other is looked for along `PATH`.
pub fn find_program(name: &[u8]) -> Option<Program> {
    let runs = |path: &Path| {
        nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file()
    };
    let program = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok().map(Program);
    if name.is_empty() {
        return None;
    }
    if name.contains(&b'/') {
        let path = Path::new(OsStr::from_bytes(name));
        return program(path).filter(|_| path.exists());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .map(|directory| directory.join(OsStr::from_bytes(name)))
        .find(|path| runs(path))
        .and_then(|path| program(&path))
}
