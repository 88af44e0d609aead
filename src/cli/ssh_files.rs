//! The files of ssh's configuration that are in force, read as ssh reads them. What stands in them is judged by `remote`.

use super::files::CONFIG_BYTES_MAX;
use crate::limits::{SSH_CONFIG_DEPTH_MAX, SSH_CONFIG_FILES_MAX};
use crate::remote::Mentions;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What `-F` names, the user's own and the system's configuration, as ssh finds them, and what they include.
struct Reader {
    home: Option<PathBuf>,
    mentions: Mentions,
    files: usize,
}

/// The options that the configuration in force mentions: that of `file`, if one is named, relative to `directory`. What cannot be read
/// counts as empty; a pipe is left to ssh, which could not read it again.
pub fn mentions(file: Option<&OsStr>, directory: &Path) -> Mentions {
    let mut reader = Reader {
        home: home(),
        mentions: Mentions::default(),
        files: 0,
    };
    match file {
        Some(name) if name.eq_ignore_ascii_case("none") => {}
        Some(name) => reader.read(&directory.join(name), Include::User, 0),
        None => {
            if let Some(home) = reader.home.clone() {
                reader.read(&home.join(".ssh/config"), Include::User, 0);
            }
            reader.read(Path::new("/etc/ssh/ssh_config"), Include::System, 0);
        }
    }
    reader.mentions
}

/// Whose configuration a file belongs to, and so where relative names in it begin (ssh_config(5), `Include`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Include {
    User,
    System,
}

impl Reader {
    fn read(&mut self, path: &Path, whose: Include, depth: usize) {
        if depth > SSH_CONFIG_DEPTH_MAX || self.files == SSH_CONFIG_FILES_MAX {
            return;
        }
        self.files += 1;
        if !fs::metadata(path).is_ok_and(|about| about.is_file()) {
            return;
        }
        let mut text = Vec::new();
        let file = File::open(path).map(|file| file.take(CONFIG_BYTES_MAX as u64));
        if file
            .and_then(|mut file| file.read_to_end(&mut text))
            .is_err()
        {
            return;
        }
        for pattern in self.mentions.read(&text) {
            for path in self.named(&pattern, whose) {
                self.read(&path, whose, depth + 1);
            }
        }
    }

    /// The files that a pattern names, as glob(3) finds them.
    fn named(&self, pattern: &str, whose: Include) -> Vec<PathBuf> {
        let below = |part: &str| self.home.as_ref().map(|home| home.join(part));
        let pattern = match (pattern.strip_prefix("~/"), whose) {
            (Some(rest), Include::User) => below(rest),
            (None, Include::User) => below(".ssh").map(|directory| directory.join(pattern)),
            (_, Include::System) => Some(Path::new("/etc/ssh").join(pattern)),
        };
        let options = glob::MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..Default::default()
        };
        let pattern = pattern.as_deref().and_then(Path::to_str);
        let found = pattern.and_then(|pattern| glob::glob_with(pattern, options).ok());
        found.into_iter().flatten().flatten().collect()
    }
}

/// Where ssh looks for the user's configuration: what the system has for a home, not `HOME`.
fn home() -> Option<PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid());
    match user {
        Ok(Some(user)) => Some(user.dir),
        // A static binary knows no users but those of /etc/passwd.
        _ => env::var_os("HOME").map(PathBuf::from),
    }
}
