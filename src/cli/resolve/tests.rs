//! Goal: flags, environment and files together mean what the contract says, and an explicit wish never becomes another. Method: whole
//! calls, each in a directory of its own, without any process.

use super::*;
use crate::cli::{Invocation, parse};
use crate::job::{Session, Work};
use crate::remote::{Script, ScriptFile};
use std::fs;
use std::time::Duration;

/// A directory for one test, gone at its end.
struct Place(PathBuf);

impl Place {
    /// With these files in it.
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let unique = format!("clsh-resolve-{}-{name}", std::process::id());
        let place = Self(env::temp_dir().join(unique));
        fs::create_dir_all(&place.0).expect("a temporary directory");
        for (file, text) in files {
            fs::write(place.0.join(file), text).expect("a temporary file");
        }
        place
    }

    fn environment(&self) -> Environment {
        Environment {
            directory: self.0.clone(),
            ..Environment::default()
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A call with its words separated by blanks, `_` standing for a blank inside a word.
fn call(words: &str, environment: &Environment) -> Result<Resolved, CliError> {
    let words = words.split_whitespace();
    let words = words.map(|word| OsString::from(word.replace('_', " ")));
    match parse(words) {
        Ok(Invocation::Run(typed)) => resolve_with(*typed, environment, &b"s1 s2\n"[..]),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn job_of(words: &str, environment: &Environment) -> Job {
    match call(words, environment).map(|resolved| resolved.action) {
        Ok(Action::Run(job)) => *job,
        other => panic!("{words}: {other:?}"),
    }
}

/// The nodes of a `-Q` call and all that is said.
#[track_caller]
fn query(words: &str, environment: &Environment) -> (String, Vec<String>) {
    let resolved = call(words, environment).expect(words);
    let said = resolved.notes.iter().map(Said::to_string).collect();
    match resolved.action {
        Action::Query(nodes) => {
            let names: Vec<&str> = nodes.iter().map(Node::name).collect();
            (names.join(" "), said)
        }
        other => panic!("{words}: {other:?}"),
    }
}

#[track_caller]
fn refused(words: &str, environment: &Environment) -> String {
    match call(words, environment) {
        Err(error) => error.to_string(),
        Ok(resolved) => panic!("{words}: {resolved:?}"),
    }
}

/// Somebody may type.
fn terminal() -> Environment {
    Environment {
        terminal: true,
        ..Environment::default()
    }
}

fn set(value: &str) -> Option<OsString> {
    Some(value.into())
}

#[test]
fn defaults() {
    let job = job_of("-h n1 uptime", &Environment::default());
    assert_eq!(job.fanout, 64);
    assert_eq!(job.connect, Duration::from_secs(10));
    assert_eq!(job.time_limit, None);
    assert_eq!(job.kill_after, Duration::from_secs(2));
    assert!(job.label && !job.keep_going);
    assert_eq!((job.color, job.talk), (ColorWhen::Auto, Talk::Normal));
    assert_eq!(job.user, None);
    assert_eq!(job.work, Work::Command(vec![b"uptime".to_vec()]));
    let ssh = SshOptions::default();
    assert_eq!(job.transport, Transport::Ssh { ssh, bare: false });
    assert!(job.input, "the command reads standard input");
    assert_eq!((job.shape, job.files), (Shape::Lines, [None, None]));
    assert!(!job.progress && !job.summary && !job.dumb && !job.fail_fast);
    assert_eq!(job.failed, None);
    let delay = Duration::from_secs(1);
    assert_eq!(job.retries, Retries { most: 0, delay });
}

#[test]
fn a_plain_environment_turns_colour_off_unless_a_flag_asks_for_it() {
    let plain = Environment {
        plain: true,
        ..Environment::default()
    };
    assert_eq!(job_of("-h n1 uptime", &plain).color, ColorWhen::Never);
    assert_eq!(
        job_of("-h n1 --color always uptime", &plain).color,
        ColorWhen::Always
    );
    assert_eq!(
        job_of("-h n1 --color auto uptime", &plain).color,
        ColorWhen::Auto
    );
}

#[test]
fn every_flag_reaches_the_job() {
    let flags = "-f8 -t1.5 -u9 --kill-after=0 -N --keep-going --color=never -v -l bob --bare -S";
    let ssh = "-R ssh -J gate -oA=1 -oB=2 -F none";
    let job = job_of(
        &format!("-h n[1-3] -x n2 {flags} {ssh} ls -l --_x"),
        &Environment::default(),
    );
    assert_eq!(
        job.nodes.iter().map(Node::name).collect::<Vec<_>>(),
        ["n1", "n3"]
    );
    assert_eq!(job.fanout, 8);
    assert_eq!(job.connect, Duration::from_millis(1500));
    assert_eq!(job.time_limit, Some(Duration::from_secs(9)));
    assert_eq!(job.kill_after, Duration::ZERO);
    assert!(!job.label && job.keep_going);
    assert_eq!((job.color, job.talk), (ColorWhen::Never, Talk::Verbose));
    assert_eq!(job.user.as_deref(), Some("bob"));
    let words = [&b"ls"[..], b"-l", b"-- x"].map(<[u8]>::to_vec);
    assert_eq!(job.work, Work::Command(words.to_vec()));
    let ssh = SshOptions {
        mentions: Mentions::default(),
        options: vec!["A=1".to_owned(), "B=2".to_owned()],
        config: set("none"),
        jump: Some("gate".to_owned()),
        tty: false,
        password: false,
    };
    assert_eq!(job.transport, Transport::Ssh { ssh, bare: true });
}

#[test]
fn every_flag_on_input_output_and_failures_reaches_the_job() {
    let none = Environment::default();
    let flags = "-n -k -b --diff --out o --err e --progress --summary --failed f";
    let job = job_of(
        &format!("-h n[1-9] --pick 4 {flags} --retries 3 --retry-delay 0.5 ls"),
        &none,
    );
    assert_eq!(job.nodes.len(), 4);
    assert!(!job.input && job.fail_fast && job.progress && job.summary);
    assert_eq!(job.shape, Shape::Gathered { diff: true });
    assert_eq!(job.files, [Some("o".into()), Some("e".into())]);
    assert_eq!(job.failed, Some("f".into()));
    let delay = Duration::from_millis(500);
    assert_eq!(job.retries, Retries { most: 3, delay });
    for (flag, shape) in [
        ("-b", Shape::Gathered { diff: false }),
        ("-L", Shape::Ordered),
        ("--json", Shape::Json),
    ] {
        assert_eq!(job_of(&format!("-h n1 {flag} ls"), &none).shape, shape);
    }
    let job = job_of("-h n1 --outdir o --errdir e ls", &none);
    assert_eq!(job.files, [Some("o".into()), Some("e".into())]);
    let dumb = Environment { dumb: true, ..none };
    assert!(job_of("-h n1 ls", &dumb).dumb);
}

#[test]
fn standard_input_is_left_to_the_command_unless_something_else_reads_it() {
    let place = Place::new("input", &[("-", "file\n"), ("list", "f1\n")]);
    let environment = Environment {
        hostfile: set("-"),
        ..place.environment()
    };
    for (words, input) in [
        ("-h n1 cat", true),
        ("--hostfile list cat", true),
        ("cat", true),
        ("-h n1 -R exec cat", true),
        ("-h n1 -n cat", false),
        ("-h n1 --nostdin cat", false),
        ("--hostfile - cat", false),
        ("-h n1 --hostfile - cat", false),
        ("-h n1", true),
        ("-h n1 -n --script list", false),
        ("-h n1 --script list", true),
        ("--hostfile - --script list", false),
        ("-h n1 -i", false),
    ] {
        assert_eq!(job_of(words, &environment).input, input, "{words}");
    }
}

#[test]
fn some_of_the_nodes_in_their_order() {
    let none = Environment::default();
    let picked = |words: &str| query(words, &none).0;
    assert_eq!(picked("-Q -h n[3,1,2] --pick 3"), "n3 n1 n2");
    assert_eq!(picked("-Q -h n[3,1,2] --pick 9"), "n3 n1 n2");
    let mut seen = std::collections::BTreeSet::new();
    // Each of the three stays away with a chance of 1 in 10^35.
    for _ in 0..200 {
        seen.insert(picked("-Q -h n[4,1-3] -x n3 --pick 2"));
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, ["n1 n2", "n4 n1", "n4 n2"]);
    for words in ["-h n[1-9] --pick 2 true", "-h n[1-9] --pick 2"] {
        let nodes = job_of(words, &none).nodes;
        assert_eq!(nodes.len(), 2, "{words}");
        assert!(nodes[0].name() < nodes[1].name(), "{words}: {nodes:?}");
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let none = Environment::default();
    for (words, one, other) in [
        ("-L -b", "-b", "-L"),
        ("--json -b", "-b", "--json"),
        ("--json -L", "-L", "--json"),
        ("-b -L --json", "-b", "-L"),
        ("--keep-going -k", "-k", "--keep-going"),
    ] {
        let error = refused(&format!("-h n1 {words} true"), &none);
        let start = format!("{one} and {other} contradict each other: ");
        assert!(error.starts_with(&start), "{words}: {error}");
        assert!(error.ends_with("; leave one of them out"), "{error}");
    }
}

#[test]
fn a_flag_that_needs_another_says_which_to_add() {
    let none = Environment::default();
    for (words, flag, other) in [
        ("--diff", "--diff", "-b"),
        ("-L --diff", "--diff", "-b"),
        ("--retry-delay 2", "--retry-delay", "--retries N"),
    ] {
        let error = refused(&format!("-h n1 {words} true"), &none);
        assert!(error.starts_with(flag), "{words}: {error}");
        let way_out = format!("; add {other}, or leave out {flag}");
        assert!(error.ends_with(&way_out), "{words}: {error}");
    }
    job_of("-h n1 --retry-delay 2 --retries 0 true", &none);
    job_of("-h n1 --retry-delay 2 --retries 1", &none);
}

#[test]
fn a_session_refuses_what_is_for_one_command() {
    for flag in [
        "-n",
        "-k",
        "-b",
        "--diff",
        "-L",
        "--json",
        "--out d",
        "--err d",
        "--progress",
        "--summary",
        "--failed f",
    ] {
        let name = flag.split(' ').next().unwrap_or_default();
        for rest in ["", "-i", "--"] {
            let error = refused(&format!("-h n1 {flag} {rest}"), &terminal());
            let start = format!("{name} is for a single run");
            assert!(error.starts_with(&start), "{flag} {rest}: {error}");
            let way_out = format!("; give a command or a script, or leave out {name}");
            assert!(error.contains(&way_out), "{flag} {rest}: {error}");
            assert_eq!(error.contains("':gather on'"), flag == "-b", "{error}");
        }
    }
}

#[test]
fn transports() {
    let none = Environment::default();
    assert_eq!(
        job_of("-h n1 -R exec --bare true", &none).transport,
        Transport::Exec
    );
    let words = ["docker", "exec", "%h"].map(str::to_owned).to_vec();
    let template = Transport::Template { words, bare: false };
    assert_eq!(
        job_of("-h n1 -R docker_exec_%h true", &none).transport,
        template
    );
    for (text, cause) in [
        ("-R=", "'' for --transport: it is empty"),
        ("-R _", "' ' for --transport: it is empty"),
        ("-R ssh_'x", "'ssh 'x' for --transport: a ' is never closed"),
    ] {
        let error = refused(&format!("-h n1 {text} true"), &none);
        assert!(error.starts_with(&format!("bad value {cause}")), "{error}");
    }
}

#[test]
fn flags_of_ssh_are_refused_beside_another_transport() {
    let none = Environment::default();
    for (words, flag) in [
        ("-F none", "--ssh-config"),
        ("-J g", "--jump"),
        ("-o A=1", "--option"),
    ] {
        for transport in ["exec", "docker_exec_%h"] {
            let error = refused(&format!("-h n1 -R {transport} {words} true"), &none);
            let start = format!("{flag} is for ssh alone and has no effect with -R ");
            assert!(error.starts_with(&start), "{error}");
        }
        job_of(&format!("-h n1 {words} true"), &none);
    }
    assert_eq!(
        job_of("-h n1 -R exec -l bob -t1 true", &none)
            .user
            .as_deref(),
        Some("bob")
    );
}

#[test]
fn the_configuration_of_ssh_comes_from_flag_or_variable() {
    let place = Place::new("config", &[("conf", ""), ("other", "")]);
    let config = |words: &str, variable: &str| {
        let environment = Environment {
            ssh_config: set(variable),
            ..place.environment()
        };
        match job_of(words, &environment).transport {
            Transport::Ssh { ssh, .. } => ssh.config,
            _ => None,
        }
    };
    assert_eq!(config("-h n1 true", ""), None);
    assert_eq!(config("-h n1 true", "conf"), set("conf"));
    assert_eq!(config("-h n1 -F other true", "conf"), set("other"));
    assert_eq!(config("-h n1 -F other true", "missing"), set("other"));
    assert_eq!(
        config("-h n1 -R exec true", "missing"),
        None,
        "not used, not looked at"
    );
    assert_eq!(config("-h n1 true", "none"), set("none"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let place = Place::new("no-config", &[]);
    let cases = [
        ("missing", "no such file or directory"),
        (".", "is a directory"),
        ("a\u{1b}b", "no such file or directory"),
    ];
    for (path, why) in cases {
        let shown = path.replace('\u{1b}', "\\u{1b}");
        let error = refused(&format!("-h n1 -F {path} true"), &place.environment());
        assert_eq!(
            error,
            format!("cannot read '{shown}', named by --ssh-config: {why}")
        );
        let environment = Environment {
            ssh_config: set(path),
            ..place.environment()
        };
        let error = refused("-h n1 true", &environment);
        assert_eq!(
            error,
            format!("cannot read '{shown}', named by CLSH_SSH_CONFIG: {why}")
        );
    }
}

#[test]
fn a_call_without_a_command_at_a_terminal_is_a_session() {
    let environment = Environment {
        state: Some("/state".into()),
        ..terminal()
    };
    let session = |words: &str| match job_of(words, &environment).work {
        Work::Session(session) => session,
        work => panic!("{words}: {work:?}"),
    };
    for words in ["-h n1", "-h n1 --", "-h n1 -i", "-h n1 --interactive --"] {
        let Session {
            shell,
            history,
            local_shell,
            ..
        } = session(words);
        assert_eq!(shell, "sh");
        assert_eq!(history, Some("/state/clsh/history".into()));
        assert_eq!(local_shell, "/bin/sh");
    }
    assert_eq!(session("-h n1 --shell busybox_sh").shell, "busybox sh");
}

#[test]
fn a_call_without_a_command_is_a_script_where_nobody_types() {
    let text = "echo one\ntwo\n";
    let place = Place::new("script", &[("s", text), ("nul", "a\0b"), ("long", "")]);
    let environment = place.environment();
    let script = |words: &str| match job_of(words, &environment).work {
        Work::Script(script) => script,
        work => panic!("{words}: {work:?}"),
    };
    let mut wanted = Script {
        shell: None,
        file: None,
    };
    assert_eq!(script("-h n1"), wanted);
    assert_eq!(script("-h n1 -b --"), wanted);
    assert_eq!(script("-h n1 --bare"), wanted);
    wanted.shell = Some("fish".to_owned());
    assert_eq!(script("-h n1 --shell fish"), wanted);
    wanted.shell = None;
    wanted.file = Some(ScriptFile {
        text: b"echo one\ntwo".to_vec(),
        args: Vec::new(),
    });
    assert_eq!(script("-h n1 --script s"), wanted);
    let args = [&b"a b"[..], b"-b"].map(<[u8]>::to_vec).to_vec();
    wanted
        .file
        .iter_mut()
        .for_each(|file| file.args.clone_from(&args));
    assert_eq!(script("-h n1 --script s a_b -b"), wanted);
    assert_eq!(script("-h n1 --script s --tty -- a_b -b"), wanted);
    fs::write(
        place.0.join("long"),
        vec![b'x'; files::SCRIPT_BYTES_MAX + 1],
    )
    .expect("write");
    for (words, told) in [
        (
            "-h n1 -n",
            "-n leaves that unread; give a command or --script FILE",
        ),
        ("-h n1 --tty", "--tty puts a terminal in its place"),
        ("--hostfile -", "--hostfile - takes standard input"),
        ("-h n1 --script s -i", "-i and --script contradict"),
        ("-h n1 --script s --bare", "--bare and --script contradict"),
        (
            "-h n1 --script missing",
            "cannot read 'missing', named by --script: no such file",
        ),
        ("-h n1 --script .", "is a directory"),
        ("-h n1 --script nul", "it holds NUL bytes"),
        ("-h n1 --script long", "it is longer than 4194304 bytes"),
    ] {
        let error = refused(words, &environment);
        assert!(error.contains(told), "{words}: {error}");
    }
}

#[test]
fn what_a_session_cannot_be_is_refused() {
    let none = terminal();
    for (words, told) in [
        ("-h n1 -i uptime", "-i starts a session"),
        (
            "-h n1 --shell bash uptime",
            "--shell is the shell of a session or a script",
        ),
        ("-h n1 --bare", "--bare sends one command"),
        ("-h n1 --shell fish", "bad value 'fish' for --shell"),
        ("--hostfile -", "--hostfile - takes standard input"),
    ] {
        let error = refused(words, &none);
        assert!(error.starts_with(told), "{words}: {error}");
    }
}

#[test]
fn an_empty_command_is_refused() {
    let none = Environment::default();
    for words in ["-h n1 _", "-h n1 -- _ _", "-h n1 -- __"] {
        let error = refused(words, &none);
        assert!(
            error.starts_with("the command is empty; "),
            "{words}: {error}"
        );
    }
    let typed = |transport: &str| Typed {
        transport: Some(transport.to_owned()),
        nodes: vec![hosts::Source::List("n1".to_owned())],
        words: vec![OsString::new(), "x".into()],
        ..Typed::default()
    };
    assert!(
        resolve(typed("exec"), &none).is_err(),
        "there is no program to run"
    );
    assert!(resolve(typed("ssh"), &none).is_ok(), "a shell reads ` x`");
}

#[test]
fn sources_in_their_order() {
    let files = [("list", "f1 # first\r\nf[2-3]\n"), (".hostfile", "d1:d2\n")];
    let place = Place::new("sources", &files);
    let mut environment = Environment {
        hosts: set("e1:e[2-3]"),
        hostfile: set("list"),
        ..place.environment()
    };
    let said = |line: &str| vec![line.to_owned()];
    let flags = "-Q -h a --hostfile list -w b --hostfile - -x f2,s1";
    assert_eq!(
        query(flags, &environment),
        ("a f1 f3 b s2".to_owned(), vec![])
    );
    let note = said("Note: use CLSH_HOSTS environment");
    assert_eq!(query("-Q", &environment), ("e1 e2 e3".to_owned(), note));
    environment.hosts = set("");
    let note = said("Note: use hostfile 'list' (CLSH_HOSTFILE env)");
    assert_eq!(query("-Q", &environment), ("f1 f2 f3".to_owned(), note));
    environment.hostfile = None;
    let note = said("Note: use hostfile '.hostfile' (default)");
    assert_eq!(query("-Q", &environment), ("d1 d2".to_owned(), note));
}

#[test]
fn quiet_silences_notes_but_not_warnings() {
    let place = Place::new("quiet", &[(".hostfile", "d1\n")]);
    let environment = Environment {
        hostfile: set("missing"),
        ..place.environment()
    };
    let (nodes, said) = query("-Q", &environment);
    assert_eq!((nodes.as_str(), said.len()), ("d1", 2));
    assert!(
        said[0].contains("'missing'") && said[0].ends_with(": no such file or directory"),
        "{said:?}"
    );
    assert!(said[1].starts_with("Note: "), "{said:?}");
    assert_eq!(query("-qQ", &environment).1, said[..1]);
    assert_eq!(call("-q true", &environment).expect("a run").notes.len(), 1);
}

#[test]
fn no_source_at_all() {
    let place = Place::new("none", &[("empty", "# nothing\n")]);
    let error = refused("true", &place.environment());
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert_eq!(lines[0], "--hostfile option was not provided");
    assert!(
        lines[1].starts_with("clsh: ") && lines[1].contains("-h "),
        "{error}"
    );
    let environment = Environment {
        hostfile: set("empty"),
        ..place.environment()
    };
    let error = call("true", &environment).expect_err("nothing in it");
    assert!(matches!(error.notes(), [Said::Warning(why)] if why.contains("'empty'")));
}

#[test]
fn an_explicit_wish_never_falls_through() {
    let files = [(".hostfile", "d1\n"), ("empty", "# nothing\n")];
    let place = Place::new("explicit", &files);
    let environment = Environment {
        hosts: set("e1"),
        ..place.environment()
    };
    for (words, part) in [
        ("--hostfile missing", "'missing'"),
        ("--hostfile .", "is a directory"),
        ("--hostfile empty", "'empty'"),
        ("--hosts=", "no node"),
        ("-h _", "no node"),
        ("-h n[3-1]", "'n[3-1]'"),
        ("-h n1 -x n1", "-x"),
        ("-h n1 -x n[", "'n['"),
        ("--hostfile - --hostfile -", "only once"),
    ] {
        let error = refused(&format!("{words} true"), &environment);
        assert!(error.contains(part), "{words}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn standard_input_is_no_file_of_the_environment() {
    let place = Place::new("dash", &[("-", "file\n")]);
    let environment = Environment {
        hostfile: set("-"),
        ..place.environment()
    };
    assert_eq!(query("-Q", &environment).0, "file");
    assert_eq!(query("-Q --hostfile -", &environment).0, "s1 s2");
}

#[test]
fn a_query_needs_no_command_and_looks_at_nothing_else() {
    let place = Place::new("query", &[]);
    let (nodes, said) = query("-Q -h n[1-2],bob@n3:22 -F missing ls", &place.environment());
    assert_eq!((nodes.as_str(), said.len()), ("n1 n2 bob@n3:22", 0));
    let flags = "-k --keep-going -n -L --json --diff --retry-delay 2 --out d --failed f";
    let (nodes, said) = query(&format!("-Q -h n1 {flags}"), &place.environment());
    assert_eq!((nodes.as_str(), said.len()), ("n1", 0));
}
