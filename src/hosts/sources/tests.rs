//! Goal: each rule of the order of sources. Method: calls as a table of sources, over files that are only a list.

use super::*;
use crate::hosts::Node;

const FILES: &[(&str, &str)] = &[
    ("some", "f1\nf2 # two"),
    ("more", "f2:f3"),
    ("empty", "# none\n"),
    ("wrong", "f1\nf[2-"),
    ("-", "s1"),
    ("./-", "dash"),
];

/// What a call ends in: names and notes, or the error; and the warnings.
struct Seen {
    result: Result<(String, Vec<String>), String>,
    warnings: Vec<String>,
}

struct Call {
    flags: Flags,
    env: Env,
    /// `None` for no `.hostfile`, `Some("!")` for one that cannot be read.
    default: Option<&'static str>,
}

fn call() -> Call {
    Call {
        flags: Flags::default(),
        env: Env::default(),
        default: None,
    }
}

impl Call {
    fn list(mut self, list: &str) -> Call {
        self.flags.sources.push(Source::List(list.into()));
        self
    }
    fn file(mut self, path: &str) -> Call {
        self.flags.sources.push(Source::File(path.into()));
        self
    }
    fn exclude(mut self, list: &str) -> Call {
        self.flags.excludes.push(list.into());
        self
    }
    fn hosts(mut self, value: &str) -> Call {
        self.env.hosts = Some(value.into());
        self
    }
    fn hostfile(mut self, value: &str) -> Call {
        self.env.hostfile = Some(value.into());
        self
    }
    fn default_file(mut self, text: &'static str) -> Call {
        self.default = Some(text);
        self
    }

    fn see(self) -> Seen {
        let mut read = |path: &Path| -> io::Result<Vec<u8>> {
            let path = path.to_str().unwrap();
            let text = match self.default {
                Some("!") if path == ".hostfile" => {
                    return Err(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        "permission denied",
                    ));
                }
                default if path == ".hostfile" => default,
                _ => FILES.iter().find(|file| file.0 == path).map(|file| file.1),
            };
            let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
            text.map(|text| text.as_bytes().to_vec())
                .ok_or_else(missing)
        };
        let mut warnings = Vec::new();
        let result = resolve(&self.flags, &self.env, &mut read, &mut warnings);
        let names = |set: &NodeSet| set.iter().map(Node::name).collect::<Vec<_>>().join(" ");
        Seen {
            result: result
                .map(|r| {
                    (
                        names(&r.nodes),
                        r.notes.iter().map(Note::to_string).collect(),
                    )
                })
                .map_err(|error| error.to_string()),
            warnings: warnings.iter().map(Warning::to_string).collect(),
        }
    }

    fn gives(self, names: &str, note: &str, warnings: &[&str]) {
        let seen = self.see();
        let notes = if note.is_empty() {
            vec![]
        } else {
            vec![note.to_owned()]
        };
        assert_eq!(seen.result, Ok((names.to_owned(), notes)));
        assert_eq!(seen.warnings, warnings);
    }

    fn fails(self, start: &str) {
        let error = self.see().result.unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
}

const HOSTS_NOTE: &str = "Note: use CLSH_HOSTS environment";
const SOME_NOTE: &str = "Note: use hostfile 'some' (CLSH_HOSTFILE env)";
const DEFAULT_NOTE: &str = "Note: use hostfile '.hostfile' (default)";

#[test]
fn flags_add_up_in_order_and_win() {
    let all = || call().hosts("e1").hostfile("some").default_file("d1");
    all()
        .list("a[1-2],b")
        .file("more")
        .list("a1,c")
        .gives("a1 a2 b f2 f3 c", "", &[]);
    all().file("-").gives("s1", "", &[]);
    all().gives("e1", HOSTS_NOTE, &[]);
}

#[test]
fn the_order_after_the_flags() {
    call().hosts("e1:e2").gives("e1 e2", HOSTS_NOTE, &[]);
    call()
        .hosts("")
        .hostfile("some")
        .default_file("d1")
        .gives("f1 f2", SOME_NOTE, &[]);
    call()
        .hosts(" :")
        .hostfile("")
        .default_file("d1")
        .gives("d1", DEFAULT_NOTE, &[]);
    call()
        .hostfile("-")
        .gives("dash", "Note: use hostfile '-' (CLSH_HOSTFILE env)", &[]);
}

#[test]
fn a_flag_never_falls_through() {
    let all = || call().hosts("e1").hostfile("some").default_file("d1");
    all()
        .file("gone")
        .fails("hostfile 'gone' cannot be read: no such file");
    all()
        .list("n1")
        .file("empty")
        .fails("hostfile 'empty' holds no node");
    all()
        .list("n1")
        .list(" ,")
        .fails("the list of -h holds no node");
    all()
        .file("wrong")
        .fails("hostfile 'wrong': line 2: 'f[2-': bracket is never closed");
    all().list("n[1-").fails("'n[1-': bracket is never closed");
}

#[test]
fn files_nobody_insisted_on_warn_and_fall_through() {
    let gone = "Warning: hostfile 'gone' (CLSH_HOSTFILE env) cannot be read: no such file";
    let empty = "Warning: hostfile 'empty' (CLSH_HOSTFILE env) holds no node";
    call()
        .hostfile("gone")
        .default_file("d1")
        .gives("d1", DEFAULT_NOTE, &[gone]);
    call()
        .hostfile("empty")
        .default_file("d1")
        .gives("d1", DEFAULT_NOTE, &[empty]);
    let seen = call().hostfile("gone").default_file("!").see();
    let denied = "Warning: hostfile '.hostfile' (default) cannot be read: permission denied";
    assert_eq!(seen.warnings, [gone, denied]);
    assert!(
        seen.result
            .unwrap_err()
            .starts_with("--hostfile option was not provided; ")
    );
    let seen = call().default_file("#").see();
    assert_eq!(
        seen.warnings,
        ["Warning: hostfile '.hostfile' (default) holds no node"]
    );
    let seen = call().see();
    assert!(seen.warnings.is_empty() && seen.result.is_err());
}

#[test]
fn a_refused_word_names_its_source() {
    call()
        .hosts("n1:n[")
        .default_file("d1")
        .fails("CLSH_HOSTS: 'n[': bracket");
    call()
        .hostfile("wrong")
        .fails("hostfile 'wrong' (CLSH_HOSTFILE env): line 2: 'f[2-': ");
    call()
        .default_file("a\n-b")
        .fails("hostfile '.hostfile' (default): line 2: '-b': ");
    call().list("n1").exclude("n[").fails("-x: 'n[': ");
}

#[test]
fn exclusion_comes_last_and_must_leave_a_node() {
    call()
        .hosts("e1:e2:e3")
        .exclude("e1")
        .exclude("e3")
        .gives("e2", HOSTS_NOTE, &[]);
    call()
        .list("n[1-3]")
        .exclude("n[1-9]")
        .fails("-x leaves no node of the 3 named");
}

#[test]
fn a_path_cannot_drive_the_terminal() {
    call()
        .file("a\x1b]0;x\x07")
        .fails(r"hostfile 'a\u{1b}]0;x\u{7}' cannot be read");
    assert_eq!(
        Note::HostfileVariable("\n".into()).to_string(),
        r"Note: use hostfile '\n' (CLSH_HOSTFILE env)"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let env = Env {
        hosts: Some(OsString::from_vec(b"n\xff".to_vec())),
        hostfile: None,
    };
    let mut read = |_: &Path| -> io::Result<Vec<u8>> { Err(io::ErrorKind::NotFound.into()) };
    let result = resolve(&Flags::default(), &env, &mut read, &mut Vec::new());
    assert!(matches!(result, Err(SourcesError::VariableNotUtf8)));
}
