//! The file of lines typed before: one a line, newlines and backslashes within as `\\n` and `\\\\`. For its owner's eyes only.

use nix::libc;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// No history is longer than this, in bytes: more of a file is not read.
const HISTORY_BYTES_MAX: u64 = 16 << 20;

/// The last `most` lines, oldest first; none when there is no file. A file that holds more than twice as many is cut.
///
/// # Errors
/// It can't be read.
pub fn load_history(path: &Path, most: usize) -> io::Result<Vec<String>> {
    let mut bytes = Vec::new();
    let mut file = match open(OpenOptions::new().read(true), path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let passed = file.metadata()?.len().saturating_sub(HISTORY_BYTES_MAX);
    file.seek(SeekFrom::Start(passed))?;
    file.take(HISTORY_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line may be only the end of one.
    let whole = text.lines().skip(usize::from(passed > 0));
    let lines: Vec<&str> = whole.filter(|line| !line.is_empty()).collect();
    let kept = &lines[lines.len().saturating_sub(most)..];
    if lines.len() > 2 * most || passed > 0 {
        cut(path, kept)?;
    }
    Ok(kept.iter().map(|line| decode(line)).collect())
}

/// Appends a line. Makes the file, and the directories it stands in, when they are not there.
///
/// # Errors
/// It can't be written.
pub fn remember(path: &Path, line: &str) -> io::Result<()> {
    let append = || open(private().create(true).append(true), path);
    let mut file = match (append(), path.parent()) {
        (Err(error), Some(directory)) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
            append()?
        }
        (result, _) => result?,
    };
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    // In one write, so that lines of two sessions don't mix.
    file.write_all(format!("{}\n", encode(line)).as_bytes())
}

/// Writes what is kept beside the file and puts it in its place, so that no moment is without a history.
fn cut(path: &Path, kept: &[&str]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = private()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&beside)?;
    file.write_all(kept.join("\n").as_bytes())?;
    file.write_all(b"\n")?;
    fs::rename(&beside, path)
}

/// Opens a regular file. A pipe or a device could make clsh wait for ever.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(libc::O_NONBLOCK).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn encode(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n")
}

fn decode(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('\\') | None => text.push('\\'),
                Some(other) => text.extend(['\\', other]),
            },
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_loaded_and_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state/clsh/history");
        assert_eq!(load_history(&path, 10).expect("no file"), [""; 0]);
        let lines = [
            "echo one",
            "printf 'a\\n'",
            "two\nlines",
            "c:\\new\\\\",
            "ünï",
        ];
        for line in lines {
            remember(&path, line).expect("written");
        }
        assert_eq!(load_history(&path, 10).expect("read"), lines);
        assert_eq!(load_history(&path, 2).expect("read"), lines[3..]);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mode = fs::metadata(path.parent().expect("a directory"))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn only_a_regular_file_is_a_history() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        assert!(load_history(&path, 10).is_err() && remember(&path, "x").is_err());
        assert!(load_history(directory.path(), 10).is_err());
    }

    #[test]
    fn of_a_huge_file_the_newest_lines_count() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history");
        let line = |number: usize| format!("{number} {}", "x".repeat(1 << 20));
        let text: String = (0..18).map(|number| line(number) + "\n").collect();
        fs::write(&path, text).expect("written");
        assert_eq!(load_history(&path, 2).expect("read"), [line(16), line(17)]);
        assert!(fs::metadata(&path).expect("there").len() < 3 << 20);
    }

    #[test]
    fn a_long_file_is_cut() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history");
        for number in 0..9 {
            remember(&path, &number.to_string()).expect("written");
        }
        assert_eq!(load_history(&path, 4).expect("read"), ["5", "6", "7", "8"]);
        assert_eq!(fs::read_to_string(&path).expect("read"), "5\n6\n7\n8\n");
        assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 1);
    }
}
