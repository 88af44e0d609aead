//! The file of flags for every call: which words it holds, and what they mean beside those that were typed.
//!
//! The call wins. What stands in the file and cannot be meant by this call, such as a flag for one command where a session was asked for, is
//! passed over: it was written for other calls.

use super::error::quoted;
use super::files;
use super::parse::{Invocation, Typed, parse};
use super::table;
use super::work::Asked;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// It cannot be read.
    Unreadable { path: String, why: String },
    /// This line is no flag for every call.
    Line {
        path: String,
        line: usize,
        why: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(
                f,
                "cannot read {path}, the file of flags for every call: {why}; --no-config goes without it"
            ),
            Self::Line { path, line, why } => write!(f, "{path}, line {line}: {why}"),
        }
    }
}

/// Adds the flags of the file at `path` to `typed`, which asks for `asked`, where there is one. `home` is what `~` stands for at the start of a path.
///
/// # Errors
/// The file cannot be read, or a line of it is no flag for every call.
pub fn apply(
    typed: &mut Typed,
    asked: Asked,
    path: &Path,
    home: Option<&OsStr>,
) -> Result<(), ConfigError> {
    let name = quoted(path.as_os_str().as_bytes());
    match files::read_config(path) {
        Ok(text) => match read(&text, home) {
            Ok(kept) => {
                over(typed, asked, kept);
                Ok(())
            }
            Err((line, why)) => Err(ConfigError::Line {
                path: name,
                line,
                why,
            }),
        },
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(())
        }
        Err(error) => Err(ConfigError::Unreadable {
            path: name,
            why: files::reason(&error),
        }),
    }
}

/// The flags of a file's text, or the number of the first line that is wrong, and why.
fn read(text: &[u8], home: Option<&OsStr>) -> Result<Typed, (usize, String)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut all = Vec::new();
    for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if !line.is_empty() && !line.starts_with(b"#") {
            let words = words(line, home);
            check(line, &words).map_err(|why| (at + 1, why))?;
            all.extend(words);
        }
    }
    match parse(all) {
        Ok(Invocation::Run(typed)) => Ok(*typed),
        // Each line was checked by itself.
        Ok(Invocation::Help | Invocation::Version | Invocation::Generate(_)) => {
            Ok(Typed::default())
        }
        Err(error) => Err((0, error.to_string())),
    }
}

/// A line as the words of a call: a flag, and its value. Nothing is quoted, so a value may hold spaces as they are.
fn words(line: &[u8], home: Option<&OsStr>) -> Vec<OsString> {
    let end = line
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == b'=');
    let (flag, value) = match end {
        Some(end) if line[end] == b'=' => (&line[..end], Some(&line[end + 1..])),
        Some(end) => (&line[..end], Some(line[end..].trim_ascii())),
        None => (line, None),
    };
    let value = value.map(|value| match (value.strip_prefix(b"~/"), home) {
        (Some(rest), Some(home))
            if value_of(flag).is_some_and(|name| ["FILE", "DIR"].contains(&name)) =>
        {
            OsString::from_vec([home.as_bytes(), b"/", rest].concat())
        }
        _ => OsStr::from_bytes(value).to_owned(),
    });
    [Some(OsStr::from_bytes(flag).to_owned()), value]
        .into_iter()
        .flatten()
        .collect()
}

/// What the value of this flag is called; `None` for a switch, and for what is no flag.
fn value_of(flag: &[u8]) -> Option<&'static str> {
    let flag = std::str::from_utf8(flag).ok()?;
    let known = match flag.strip_prefix("--") {
        Some(name) => table::by_long(name),
        None => table::by_short(flag.strip_prefix('-')?.chars().next()?),
    };
    known?.value
}

/// Whether a line's words are one flag that may stand in the file.
fn check(line: &[u8], words: &[OsString]) -> Result<(), String> {
    let line = quoted(line);
    let is_flag = |word: &OsString| word.as_bytes().starts_with(b"-") && word != "--";
    if !words.first().is_some_and(is_flag) {
        return Err(format!(
            "{line} is no flag; write one as on the command line, such as --fanout 32"
        ));
    }
    let is_needless = words.len() > 1 && value_of(words[0].as_bytes()).is_none();
    match parse(words.to_vec()).map_err(|error| error.to_string())? {
        Invocation::Run(typed) if !typed.words.is_empty() || is_needless => Err(format!(
            "{line} is more than one flag, or one that takes no value; put each on a line of its own"
        )),
        Invocation::Run(typed) if !is_for_one_call(&typed) => Ok(()),
        _ => Err(format!(
            "{line} is not for every call; take it out, and type it where it is meant"
        )),
    }
}

/// Whether a flag was typed that says what a call does, and can't be meant for all.
fn is_for_one_call(typed: &Typed) -> bool {
    typed.query || typed.interactive || typed.script.is_some() || typed.no_config
}

/// Adds what is kept where nothing was typed about it.
fn over(typed: &mut Typed, asked: Asked, mut kept: Typed) {
    let is_run = asked.is_run();
    let kept_shape = is_run && !(typed.in_order || typed.json);
    let other_shape = kept_shape && !(typed.gather || typed.diff);
    let kept_ending = !(typed.fail_fast || typed.keep_going);
    if typed.nodes.is_empty() {
        typed.nodes = std::mem::take(&mut kept.nodes);
    }
    typed.exclude.append(&mut kept.exclude);
    fill(&mut typed.transport, &mut kept.transport, true);
    let transport = typed.transport.as_deref();
    let is_ssh = transport.is_none_or(|transport| transport == "ssh");
    if is_ssh {
        // ssh obeys the first of two.
        typed.options.append(&mut kept.options);
    }
    fill(&mut typed.pick, &mut kept.pick, true);
    fill(&mut typed.user, &mut kept.user, true);
    fill(&mut typed.ssh_config, &mut kept.ssh_config, is_ssh);
    fill(&mut typed.jump, &mut kept.jump, is_ssh);
    fill(&mut typed.connect, &mut kept.connect, true);
    fill(&mut typed.retries, &mut kept.retries, true);
    fill(
        &mut typed.retry_delay,
        &mut kept.retry_delay,
        typed.retries.is_some(),
    );
    over_accounts(typed, asked, &mut kept, is_ssh);
    fill(&mut typed.shell, &mut kept.shell, asked != Asked::Command);
    fill(&mut typed.fanout, &mut kept.fanout, true);
    fill(&mut typed.time_limit, &mut kept.time_limit, true);
    fill(&mut typed.kill_after, &mut kept.kill_after, true);
    fill(&mut typed.out, &mut kept.out, is_run);
    fill(&mut typed.err, &mut kept.err, is_run);
    fill(&mut typed.failed, &mut kept.failed, is_run);
    fill(&mut typed.color, &mut kept.color, true);
    fill(&mut typed.talk, &mut kept.talk, true);
    typed.no_stdin |= asked.leaves_stdin() && kept.no_stdin;
    typed.fail_fast |= is_run && kept_ending && kept.fail_fast;
    typed.keep_going |= kept_ending && kept.keep_going;
    typed.gather |= kept_shape && kept.gather;
    typed.diff |= typed.gather && kept.diff;
    typed.in_order |= other_shape && kept.in_order;
    typed.json |= other_shape && !typed.no_label && kept.json;
    typed.no_label |= !typed.json && kept.no_label;
    typed.progress |= is_run && kept.progress;
    typed.summary |= is_run && kept.summary;
}

/// The same for who runs the command there, and with what password.
fn over_accounts(typed: &mut Typed, asked: Asked, kept: &mut Typed, is_ssh: bool) {
    // Each of these three leaves no room for --sudo, and what was typed goes first.
    let plain = asked.is_run() && !typed.has_sudo();
    typed.bare |= plain && !typed.tty && asked != Asked::ScriptFile && kept.bare;
    typed.tty |= plain && !typed.bare && is_ssh && asked.leaves_stdin() && kept.tty;
    let is_wrapped =
        asked.is_run() && typed.transport.as_deref() != Some("exec") && !(typed.bare || typed.tty);
    fill(
        &mut typed.sudo_user,
        &mut kept.sudo_user,
        is_wrapped && !typed.sudo,
    );
    typed.sudo |= is_wrapped && kept.sudo;
    let takes_password = is_ssh || typed.has_sudo();
    typed.askpass |= is_ssh && typed.password_file.is_none() && kept.askpass;
    fill(
        &mut typed.password_file,
        &mut kept.password_file,
        takes_password && !typed.askpass,
    );
}

fn fill<T>(typed: &mut Option<T>, kept: &mut Option<T>, counts: bool) {
    if typed.is_none() && counts {
        *typed = kept.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::Source;
    use crate::job::Talk;

    fn typed(words: &str) -> Typed {
        match parse(words.split_whitespace().map(OsString::from)) {
            Ok(Invocation::Run(typed)) => *typed,
            other => panic!("{other:?}"),
        }
    }

    fn kept(text: &str) -> Typed {
        read(text.as_bytes(), Some(OsStr::new("/home/me"))).expect("a good file")
    }

    fn merged(words: &str, kept: Typed) -> Typed {
        let mut typed = typed(words);
        let asked = Asked::of(&typed, true);
        over(&mut typed, asked, kept);
        typed
    }

    #[test]
    fn every_flag_that_may_stand_in_it_counts() {
        for flag in &table::FLAGS {
            let value = match flag.value {
                Some("WHEN") => " auto",
                Some("N") => " 2",
                Some("SECS") => " 3",
                Some("OPT") => " A=1",
                Some(_) => " word",
                None => "",
            };
            let line = format!("--{}{value}", flag.longs[0]);
            let Ok(kept) = read(line.as_bytes(), None) else {
                assert!(
                    [
                        "query",
                        "interactive",
                        "script",
                        "no-config",
                        "generate",
                        "help",
                        "version"
                    ]
                    .contains(&flag.longs[0]),
                    "{line}"
                );
                continue;
            };
            // A flag that needs another one, or none beside it.
            let beside = match flag.longs[0] {
                "shell" => "",
                "diff" => "-b c",
                "retry-delay" => "--retries 1 c",
                _ => "c",
            };
            assert_eq!(
                merged(beside, kept),
                typed(&format!("{line} {beside}")),
                "{line}"
            );
        }
    }

    fn wrong(text: &str) -> (usize, String) {
        read(text.as_bytes(), None).expect_err("a wrong file")
    }

    #[test]
    fn a_line_is_a_flag_as_it_is_typed_and_its_value_ends_with_the_line() {
        let text = "\u{feff}# mine\r\n\r\n--fanout 8\r\n  -u 5  \n--user=bob\n-o ProxyCommand=ssh -W %h:%p gate\n-qn\n";
        let kept = kept(text);
        assert_eq!(
            kept,
            typed("--fanout 8 -u 5 --user=bob -qn")
                .with_options(&["ProxyCommand=ssh -W %h:%p gate"])
        );
    }

    #[test]
    fn a_path_may_begin_at_home() {
        let file = |text| kept(text).nodes;
        let home = vec![Source::File("/home/me/n".into())];
        assert_eq!(file("--hostfile ~/n"), home);
        assert_eq!(file("--hostfile=~/n"), home);
        assert_eq!(kept("-F ~/c").ssh_config, Some("/home/me/c".into()));
        assert_eq!(kept("-o A=~/c").options, ["A=~/c"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, why) in [
            ("\n\n--fanot 3\n", 3, "did you mean '--fanout'"),
            ("--fanout", 1, "needs"),
            ("--fanout=zero", 1, "zero"),
            ("fanout 3", 1, "'fanout 3' is no flag"),
            ("-q\n--\n", 2, "'--' is no flag"),
            ("-q -v", 1, "more than one flag"),
            ("--quiet=yes", 1, "more than one flag"),
            ("--help", 1, "not for every call"),
            ("-Q", 1, "not for every call"),
            ("-i", 1, "not for every call"),
            ("--script x", 1, "not for every call"),
            ("--no-config", 1, "not for every call"),
        ] {
            let (at, told) = wrong(text);
            assert_eq!(at, line, "{text}");
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn the_call_wins() {
        let merged = |words, text| merged(words, kept(text));
        assert_eq!(
            merged("-f 2 -v c", "-f 8\n-q\n-u 3"),
            typed("-f 2 -v -u 3 c")
        );
        assert_eq!(merged("-h a c", "-h b\n-x d"), typed("-h a -x d c"));
        assert_eq!(merged("-o A=1 c", "-o A=2"), typed("-o A=1 -o A=2 c"));
        assert_eq!(merged("-L c", "-b\n--diff"), typed("-L c"));
        assert_eq!(merged("--diff c", "-b"), typed("-b --diff c"));
        assert_eq!(merged("-b c", "--json"), typed("-b c"));
        assert_eq!(merged("--keep-going c", "-k"), typed("--keep-going c"));
        assert_eq!(merged("--json c", "-N"), typed("--json c"));
        assert_eq!(merged("-N c", "--json"), typed("-N c"));
        assert_eq!(merged("c", "-q").talk, Some(Talk::Quiet));
        assert_eq!(merged("--sudo c", "--tty"), typed("--sudo c"));
        assert_eq!(merged("--sudo c", "--bare"), typed("--sudo c"));
        assert_eq!(merged("--sudo c", "--sudo-user bob"), typed("--sudo c"));
        assert_eq!(merged("--tty c", "--sudo"), typed("--tty c"));
        assert_eq!(merged("c", "--sudo\n--tty"), typed("--tty c"));
    }

    #[test]
    fn what_this_call_cannot_mean_is_passed_over() {
        let text = "-b\n--diff\n-k\n-n\n--bare\n--summary\n--progress\n--out o\n--err e\n--failed f\n--shell zsh\n--retry-delay 3";
        assert_eq!(merged("", kept(text)), typed("--shell zsh"));
        let ssh = "-J gate\n-F conf\n-o A=1\n-f 3";
        assert_eq!(merged("-R exec c", kept(ssh)), typed("-R exec -f 3 c"));
        assert_eq!(merged("c", kept("--shell zsh\n--diff")), typed("c"));
    }

    impl Typed {
        fn with_options(mut self, options: &[&str]) -> Self {
            self.options = options.iter().map(ToString::to_string).collect();
            self
        }
    }
}
