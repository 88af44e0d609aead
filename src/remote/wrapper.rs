//! The wrapper: small POSIX sh scripts that run one command, a script, or a session's shell, on the far side and tell how it went.
//!
//! They travel over the channel, not in the command line, because everybody on the node can read that, and some login shells and logs take
//! no long one. The command line is the [`BOOTSTRAP`], the same for all runs. It says that it is ready and reads one line from its
//! stdin, which is evaluated: the script. The script reads a second one: the nonce, the command and what else differs. POSIX's `read` takes
//! no byte more than its line, so what follows is the command's to read.
//!
//! A line can hold no newline: each one stands as `$n` between quotes, a variable that the script's line sets first.

use super::frames::{MARK, Nonce};
use super::script::Script;
use crate::limits::ARGUMENT_BYTES_MAX;
use std::rc::Rc;

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
const SUDO: &str = plain!("sudo.sh");
const POLLING: &str = plain!("polling.sh");
const PROCESSES: &str = plain!("processes.sh");
const LOGIN: &str = plain!("login.sh");
const COMMAND: &str = plain!("command.sh");
const SCRIPT: &str = plain!("script.sh");
const WRAPPER: &str = plain!("wrapper.sh");
const SESSION: &str = plain!("session.sh");
const SHELL: &str = plain!("shell.sh");

/// What the bootstrap's shell evaluates. On a terminal, which would echo a line and take no long one, the modes are kept in `t` for the
/// script to set them again. A mark on each stream, because a startup file may have led the other one elsewhere.
macro_rules! bootstrap {
    () => {
        r#"test -t 0&&t=$(stty -g)&&stty raw -echo;printf "\036clsh ready 1\036\n";printf "\036clsh ready 2\036\n">&2;read -r s;eval "$s""#
    };
}

/// The command line of every wrapped node. The login shell reads it first, and not all are POSIX: csh takes no newline and no `!` inside
/// quotes, fish unescapes `\\` and `\'` inside single quotes, a restricted shell knows no `exec` and no program by its path.
pub const BOOTSTRAP: &str = concat!("sh -c '", bootstrap!(), "' clsh");
/// The same behind a command line of the user's own, which ends in a POSIX shell. That one is not to stand above it: what is signalled here
/// is the process group, and the bootstrap's shell is to lead it.
pub const BOOTSTRAP_IN_PLACE: &str = concat!("exec sh -c '", bootstrap!(), "' clsh");
/// The same for a shell that is started by a script on the far side.
const INNER: &str = bootstrap!();

const _: () = assert!(BOOTSTRAP.len() < 200);

/// What a node is sent when its bootstrap is ready. Built once a run.
#[derive(Debug, Clone)]
pub struct Wrapper {
    stages: Vec<Stage>,
    /// Whether the command reads the channel's stdin. Then the wrapper notices the connection's end by that of its parent, within a second.
    input: bool,
    nonce: Nonce,
}

/// What is sent to one bootstrap: a script that runs the command as another user starts a second one.
#[derive(Debug, Clone)]
struct Stage {
    /// The line of the script.
    script: Rc<[u8]>,
    /// The end of the second line, which is the same for all nodes.
    text: Rc<[u8]>,
}

/// What runs once on each node.
#[derive(Debug, Clone, Copy)]
pub enum Run<'a> {
    /// A command for the login shell, which may hold any byte but NUL.
    Command(&'a [u8]),
    /// A script.
    Script(&'a Script),
}

impl Run<'_> {
    /// The script that defines how it is run, and what that has to know: the end of the second line.
    fn stage(self) -> (&'static str, Vec<u8>) {
        let mut text;
        match self {
            Self::Command(command) => {
                text = assignment("_text", command);
                // Room for the name of the shell is not counted: the bound is that of one argument.
                let long = command.len() >= ARGUMENT_BYTES_MAX;
                text.extend_from_slice(if long { b" _long=1\n" } else { b" _long=\n" });
                (COMMAND, text)
            }
            Self::Script(Script { shell, file }) => {
                text = assignment("_call", shell.as_deref().unwrap_or_default().as_bytes());
                match file {
                    Some(file) => {
                        text.extend_from_slice(b" _file=1 ");
                        text.extend(assignment("_args", &file.quoted_args()));
                        text.push(b' ');
                        text.extend(assignment("_text", &file.text));
                    }
                    None => text.extend_from_slice(b" _file="),
                }
                text.push(b'\n');
                (SCRIPT, text)
            }
        }
    }
}

/// What differs from node to node in the second line.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub host: &'a str,
    pub rank: usize,
    pub count: usize,
    /// From SIGTERM to SIGKILL when the connection goes, in seconds.
    pub grace_secs: u64,
}

impl Wrapper {
    /// Wraps what is to run. With `input` it reads the channel's stdin, or has a terminal there. With `user` it runs as that one, by sudo.
    pub fn run(run: Run, nonce: &Nonce, input: bool, user: Option<&str>) -> Self {
        // A shell reads a byte at a time, so what is not needed is not sent.
        let polling = if input { POLLING } else { "" };
        let (script, text) = run.stage();
        let sudo = user.map(|user| {
            let mut names = assignment("_user", user.as_bytes());
            names.push(b' ');
            names.extend(assignment("_bootstrap", INNER.as_bytes()));
            names.push(b'\n');
            Stage {
                script: line(&[PROLOGUE, polling, SUDO]),
                text: names.into(),
            }
        });
        let command = Stage {
            script: line(&[PROLOGUE, PROCESSES, polling, LOGIN, script, WRAPPER]),
            text: text.into(),
        };
        Self {
            stages: sudo.into_iter().chain([command]).collect(),
            input,
            nonce: nonce.clone(),
        }
    }

    /// Wraps the persistent shell of a session; `shell` is a command line that reads commands from its stdin.
    pub fn session(shell: &str, nonce: &Nonce) -> Self {
        let mark = char::from(MARK).to_string();
        let first = SHELL
            .replace("MARK", &mark)
            .replace("NONCE", nonce.as_str());
        let mut text = assignment("_text", shell.as_bytes());
        text.push(b' ');
        text.extend(assignment("_commands", first.as_bytes()));
        text.push(b'\n');
        let stage = Stage {
            script: line(&[PROLOGUE, PROCESSES, SESSION]),
            text: text.into(),
        };
        Self {
            stages: vec![stage],
            input: false,
            nonce: nonce.clone(),
        }
    }

    /// How many times a node says that it is ready, and is sent something.
    #[cfg(test)]
    pub fn stages(&self) -> usize {
        self.stages.len()
    }

    /// What a node is sent when it is ready for the first time (`stage` 0), or once more: texts to be written one after the other. `None`
    /// behind the last stage.
    pub fn stage(&self, stage: usize, target: Target) -> Option<[Rc<[u8]>; 3]> {
        let Stage { script, text } = self.stages.get(stage)?;
        let Target {
            host,
            rank,
            count,
            grace_secs,
        } = target;
        let input = if self.input { "command" } else { "own" };
        let mut own = assignment("_mark", &[MARK]);
        own.extend_from_slice(
            format!(
                " _nonce={} _input={input} _grace={grace_secs} CLSH_RANK={rank} CLSH_COUNT={count} ",
                self.nonce.as_str()
            )
            .as_bytes(),
        );
        own.extend(assignment("CLSH_HOST", host.as_bytes()));
        own.push(b' ');
        Some([script.clone(), own.into(), text.clone()])
    }
}

/// A script as one line that a shell evaluates.
fn line(parts: &[&str]) -> Rc<[u8]> {
    // The third character that a shell splits words at is a newline (POSIX); zsh knows a fourth.
    let mut line = b"n=${IFS#??};n=${n%\"${n#?}\"};".to_vec();
    line.extend(assignment("p", parts.join("\n").as_bytes()));
    line.extend_from_slice(b";eval \"$p\"\n");
    line.into()
}

/// An assignment that a shell reads from one line, whatever stands in the value.
fn assignment(name: &str, value: &[u8]) -> Vec<u8> {
    let mut word = Vec::with_capacity(value.len() + value.len() / 8 + 16);
    word.extend_from_slice(name.as_bytes());
    word.extend_from_slice(b"='");
    for &byte in value {
        match byte {
            b'\'' => word.extend_from_slice(br"'\''"),
            b'\n' => word.extend_from_slice(b"'$n'"),
            _ => word.push(byte),
        }
    }
    word.push(b'\'');
    word
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::ScriptFile;

    const TARGET: Target = Target {
        host: "node1",
        rank: 3,
        count: 4,
        grace_secs: 2,
    };

    #[test]
    fn the_command_line_holds_no_byte_that_a_login_shell_treats_specially() {
        let inner = BOOTSTRAP
            .strip_prefix("sh -c '")
            .and_then(|rest| rest.strip_suffix("' clsh"))
            .expect("quoted");
        assert!(inner.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert!(!inner.contains(['\'', '!']));
        // fish's escapes within single quotes.
        assert!(!inner.contains(r"\\"));
    }

    #[test]
    fn each_stage_is_two_lines() {
        let nonce = Nonce::new([1; 16]);
        let all: Vec<u8> = (1..=255).collect();
        let script = Script {
            shell: Some("it's a shell".to_owned()),
            file: Some(ScriptFile {
                text: all.clone(),
                args: vec![all.clone()],
            }),
        };
        for user in [None, Some("root")] {
            for run in [Run::Command(&all), Run::Script(&script)] {
                let wrapper = Wrapper::run(run, &nonce, true, user);
                for stage in 0..wrapper.stages() {
                    let sent = wrapper.stage(stage, TARGET).expect("a stage").concat();
                    assert_eq!(sent.iter().filter(|&&byte| byte == b'\n').count(), 2);
                    assert_eq!(sent.last(), Some(&b'\n'));
                }
            }
        }
        let wrapper = Wrapper::session("sh", &nonce);
        let sent = wrapper.stage(0, TARGET).expect("a stage").concat();
        assert_eq!(sent.iter().filter(|&&byte| byte == b'\n').count(), 2);
    }

    #[test]
    fn a_value_is_the_same_after_a_shell_has_read_it() {
        let word = assignment("a", b"it's\n\\n");
        assert_eq!(word, br"a='it'\''s'$n'\n'");
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
            (SUDO, include_str!("sudo.sh")),
            (POLLING, include_str!("polling.sh")),
            (PROCESSES, include_str!("processes.sh")),
            (LOGIN, include_str!("login.sh")),
            (COMMAND, include_str!("command.sh")),
            (SCRIPT, include_str!("script.sh")),
            (WRAPPER, include_str!("wrapper.sh")),
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
}
