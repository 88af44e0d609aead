//! Files a call names: reads hostfiles and scripts whole, and looks whether ssh's configuration can be read. What stands in a hostfile is judged
//! by `hosts`.

use super::others;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longest hostfile that is read, in bytes: past it no list of nodes within the limits is this long.
pub const HOSTFILE_BYTES_MAX: usize = 64 << 20;

/// Longest script that is sent along, in bytes: a node's shell may read it byte by byte.
pub const SCRIPT_BYTES_MAX: usize = 4 << 20;

/// Longest file of flags for every call, in bytes.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;

/// The files of one call, as seen from one directory.
pub struct Files<R> {
    /// Where relative paths start; empty for the current directory.
    directory: PathBuf,
    /// Standard input, until it is read.
    stdin: Option<R>,
}

impl<R: Read> Files<R> {
    pub fn new(directory: &Path, stdin: R) -> Self {
        Self {
            directory: directory.to_owned(),
            stdin: Some(stdin),
        }
    }

    /// The bytes of the file at `path`, or those of standard input if it is `-`.
    ///
    /// # Errors
    /// What the system says; more than [`HOSTFILE_BYTES_MAX`] bytes; standard input asked for a second time.
    pub fn read_list(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new("-") {
            let again = || io::Error::other("standard input can be read only once");
            read_bounded(self.stdin.take().ok_or_else(again)?, HOSTFILE_BYTES_MAX)
        } else {
            read_bounded(File::open(self.directory.join(path))?, HOSTFILE_BYTES_MAX)
        }
    }

    /// The text of a script.
    ///
    /// # Errors
    /// What the system says; more than [`SCRIPT_BYTES_MAX`] bytes.
    pub fn read_script(&self, path: &OsStr) -> io::Result<Vec<u8>> {
        read_bounded(File::open(self.directory.join(path))?, SCRIPT_BYTES_MAX)
    }

    /// Whether ssh will be able to read its configuration at `path`; `Ok` if so. A pipe is not opened, since that would take it away
    /// from ssh.
    pub fn check_readable(&self, path: &OsStr) -> io::Result<()> {
        let path = self.directory.join(path);
        let kind = fs::metadata(&path)?;
        if kind.is_dir() {
            Err(ErrorKind::IsADirectory.into())
        } else if kind.is_file() {
            File::open(&path).map(drop)
        } else {
            Ok(())
        }
    }
}

/// The text of the file of flags for every call.
///
/// # Errors
/// What the system says; it is no file, or one that somebody else could have written, whose flags would run what they like as this user
/// (ssh(1) refuses its own file then, too); more than [`CONFIG_BYTES_MAX`] bytes.
pub fn read_config(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would wait for whoever writes to it.
    let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    let kind = about.file_type();
    // Who links it to the null device wants no flags.
    if kind.is_char_device() && about.rdev() == fs::metadata("/dev/null")?.rdev() {
        return Ok(Vec::new());
    }
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    match others::who_may_write(&about) {
        Some(who) => Err(io::Error::other(who)),
        None => read_bounded(file, CONFIG_BYTES_MAX),
    }
}

/// All bytes of `source`, which may be `most` at most.
fn read_bounded(source: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// The system's reason in lower case and without its number: `no such file or directory`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    match text.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_lowercase() + rest,
        None if text.is_empty() => "unknown reason".to_owned(),
        // It begins with a letter that has no case in ASCII.
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_up_to_its_limit() {
        let read = |bytes: &[u8]| read_bounded(bytes, 4);
        assert_eq!(read(b"").expect("empty"), b"");
        assert_eq!(read(b"1234").expect("at the limit"), b"1234");
        assert!(read(b"12345").is_err());
        assert!(read_bounded(io::repeat(0), 4).is_err());
    }

    #[test]
    fn standard_input_is_read_once() {
        let mut files = Files::new(Path::new(""), &b"n1 n2"[..]);
        assert_eq!(files.read_list(Path::new("-")).expect("first"), b"n1 n2");
        let error = files.read_list(Path::new("-")).expect_err("second");
        assert_eq!(reason(&error), "standard input can be read only once");
    }

    #[test]
    fn reasons_are_words() {
        let mut files = Files::new(Path::new("/"), io::empty());
        let error = files.read_list(Path::new("no/such")).expect_err("missing");
        assert_eq!(reason(&error), "no such file or directory");
        let error = files.read_list(Path::new("tmp")).expect_err("directory");
        assert_eq!(reason(&error), "is a directory");
        let error = files
            .check_readable(OsStr::new("tmp"))
            .expect_err("directory");
        assert_eq!(reason(&error), "is a directory");
    }

    #[test]
    fn a_device_is_left_to_ssh() {
        let files = Files::new(Path::new("/"), io::empty());
        assert!(files.check_readable(OsStr::new("dev/null")).is_ok());
    }
}
