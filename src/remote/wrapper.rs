//! The wrapper: a small POSIX sh script that runs one command, or a session's shell, on the far side and tells how it went.
//!
//! The login shell reads the line first, and not all are POSIX: csh takes no newline and no `!` inside quotes, fish unescapes `\\` and
//! `\'` inside single quotes. So the line holds neither of those: every such byte travels as `\0ooo`, which all of them leave alone and
//! printf's `%b` (POSIX) decodes.

use super::frames::Nonce;
use crate::limits::{ARGUMENT_BYTES_MAX, NAME_BYTES_MAX};

/// A script without its comments and indentation.
macro_rules! plain {
    ($file:literal) => {{
        const SCRIPT: &[u8] = include_bytes!($file);
        const BYTES: usize = plain(SCRIPT, &mut []);
        const PLAIN: [u8; BYTES] = {
            let mut room = [0; BYTES];
            plain(SCRIPT, &mut room);
            room
        };
        const _: () = assert!(PLAIN.is_ascii());
        match str::from_utf8(&PLAIN) {
            Ok(text) => text,
            Err(_) => "",
        }
    }};
}

const PROLOGUE: &str = plain!("prologue.sh");
const COMMAND: &str = plain!("wrapper.sh");
const SESSION: &str = plain!("session.sh");
const SHELL: &str = plain!("shell.sh");
const BOOTSTRAP: &[u8] = br#"exec sh -c 'eval "$(printf %b "$1")"' clsh"#;

/// The part of the wrapped command line that is the same for all nodes.
#[derive(Debug, Clone)]
pub struct Wrapper {
    line: Vec<u8>,
}

impl Wrapper {
    /// Wraps `command`. The error is the length of the line in bytes when it is too long for a single argument.
    pub fn command(command: &[u8], nonce: &Nonce) -> Result<Self, usize> {
        Self::new(COMMAND, command, nonce)
    }

    /// Wraps the persistent shell of a session; `shell` is a command line that reads commands from its stdin. The error is as above.
    pub fn session(shell: &str, nonce: &Nonce) -> Result<Self, usize> {
        let first = SHELL.replace("NONCE", nonce.as_str());
        Self::new(SESSION, format!("{shell}\n{first}").as_bytes(), nonce)
    }

    fn new(body: &str, text: &[u8], nonce: &Nonce) -> Result<Self, usize> {
        let script = format!("{PROLOGUE}\n{body}");
        // `pgrep -f` and `pkill -f` on the far side match whole command lines: a command that stood readable in the wrapper's own
        // would be found there. A command too long for that goes readable.
        let line = [true, false]
            .map(|scatter| compose(&script, text, nonce, scatter))
            .into_iter()
            .find(|line| fits(line));
        line.map(|line| Self { line })
            .ok_or_else(|| compose(&script, text, nonce, false).len())
    }

    /// The whole line for one node. When the connection goes, its command gets SIGTERM and `grace_secs` later SIGKILL. With `input` the
    /// command reads the channel's stdin; the wrapper notices the connection's end by that of its parent then, within a second.
    pub fn line(
        &self,
        host: &str,
        rank: usize,
        count: usize,
        grace_secs: u64,
        input: bool,
    ) -> Vec<u8> {
        let reader = if input { "command" } else { "own" };
        let mut line = self.line.clone();
        line.push(b' ');
        quote(host.as_bytes(), false, &mut line);
        line.extend_from_slice(format!(" {rank} {count} {grace_secs} {reader}").as_bytes());
        line
    }

    /// Makes a whole line of this run all of it as another user, by sudo.
    pub fn raise(line: &mut Vec<u8>, user: &str) {
        line.push(b' ');
        quote(format!("sudo {user}").as_bytes(), false, line);
    }
}

fn compose(script: &str, text: &[u8], nonce: &Nonce, scatter: bool) -> Vec<u8> {
    let mut line = BOOTSTRAP.to_vec();
    for (argument, scatter) in [
        (script.as_bytes(), scatter),
        (nonce.as_str().as_bytes(), false),
        (text, scatter),
    ] {
        line.push(b' ');
        quote(argument, scatter, &mut line);
    }
    line
}

/// Whether the line leaves room for the host and the user, each byte of which may take five, and for the numbers.
fn fits(line: &[u8]) -> bool {
    line.len() + 2 * 5 * NAME_BYTES_MAX + 64 <= ARGUMENT_BYTES_MAX
}

/// Puts a script without its comments and indentation into `room`, as far as that goes; gives how many bytes it has.
const fn plain(mut script: &[u8], room: &mut [u8]) -> usize {
    let mut bytes = 0;
    while !script.is_empty() {
        let mut end = 0;
        while end + 1 < script.len() && script[end] != b'\n' {
            end += 1;
        }
        let (line, rest) = script.split_at(end + 1);
        let line = line.trim_ascii();
        script = rest;
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let mut at = 0;
        while at <= line.len() {
            if bytes < room.len() {
                room[bytes] = if at < line.len() { line[at] } else { b'\n' };
            }
            bytes += 1;
            at += 1;
        }
    }
    // The last line goes without its newline.
    bytes.saturating_sub(1)
}

/// Appends `bytes` as one single-quoted word that dash, bash, zsh, ksh, fish and csh read alike and `printf %b` turns back. With
/// `scatter`, no three bytes in a row stay readable.
fn quote(bytes: &[u8], scatter: bool, line: &mut Vec<u8>) {
    line.push(b'\'');
    let mut plain = 0;
    for &byte in bytes {
        let special = !(b' '..=b'~').contains(&byte) || matches!(byte, b'\'' | b'\\' | b'!');
        if special || (scatter && plain == 2) {
            line.extend_from_slice(&[
                b'\\',
                b'0',
                b'0' + (byte >> 6),
                b'0' + (byte >> 3 & 7),
                b'0' + (byte & 7),
            ]);
            plain = 0;
        } else {
            line.push(byte);
            plain += 1;
        }
    }
    line.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_that_a_login_shell_treats_specially_is_left() {
        let all: Vec<u8> = (1..=255).collect();
        for scatter in [true, false] {
            let mut word = Vec::new();
            quote(&all, scatter, &mut word);
            let inner = &word[1..word.len() - 1];
            assert!(
                inner
                    .iter()
                    .all(|byte| (b' '..=b'~').contains(byte) && !b"'!".contains(byte))
            );
            for (at, _) in inner.iter().enumerate().filter(|&(_, &byte)| byte == b'\\') {
                assert_eq!(inner[at + 1], b'0');
            }
        }
    }

    #[test]
    fn scripts_go_without_comments_and_indentation() {
        let cut = |script: &str| {
            let mut room = vec![0; script.len()];
            let bytes = plain(script.as_bytes(), &mut room);
            String::from_utf8(room[..bytes].to_vec()).expect("UTF-8")
        };
        assert_eq!(cut(""), "");
        assert_eq!(cut("# a\n\n  #b\n"), "");
        assert_eq!(cut("a\n# b\n  c '#'\n\n\td\n"), "a\nc '#'\nd");
        assert_eq!(cut("a\nb"), "a\nb");
        for (plain, script) in [
            (PROLOGUE, include_str!("prologue.sh")),
            (COMMAND, include_str!("wrapper.sh")),
            (SESSION, include_str!("session.sh")),
            (SHELL, include_str!("shell.sh")),
        ] {
            let lines = script.lines().map(str::trim);
            let kept: Vec<&str> = lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .collect();
            assert_eq!(plain, kept.join("\n"));
        }
    }

    #[test]
    fn the_command_is_not_readable_in_the_line() {
        let nonce = Nonce::new([1; 16]);
        let line = Wrapper::command(b"pkill -f nginx", &nonce)
            .expect("short")
            .line("node1", 0, 1, 2, false);
        let line = String::from_utf8(line).expect("ascii");
        for word in ["nginx", "pkill"] {
            assert!(!line.contains(word), "{word} in {line}");
        }
    }

    #[test]
    fn a_command_that_no_argument_can_hold_is_refused() {
        let nonce = Nonce::new([1; 16]);
        assert!(Wrapper::command(&vec![b'x'; 100_000], &nonce).is_ok());
        assert!(Wrapper::command(&vec![b'x'; 130_000], &nonce).is_err());
    }
}
