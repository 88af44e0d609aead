//! Names of hosts that were made to run something here.

use crate::nodes::{Config, nodes};
use crate::support;
use std::path::Path;

/// Words, and a piece of each that must be quoted back.
const HOSTILE: [(&str, &str); 22] = [
    ("-oProxyCommand=touch pwned", "'-oProxyCommand=touch"),
    (
        "-oProxyCommand=touch${IFS}pwned",
        "'-oProxyCommand=touch${IFS}pwned",
    ),
    ("n1,-oPermitLocalCommand=yes", "'-oPermitLocalCommand=yes"),
    ("-Fpwned", "'-Fpwned"),
    ("x;touch pwned", "'x;touch"),
    ("x;>pwned", "'x;>pwned"),
    ("$(touch pwned)", "'$(touch"),
    ("$(>pwned)", "'$(>pwned)"),
    ("`touch pwned`", "'`touch"),
    ("`>pwned`", "'`>pwned`"),
    ("user;touch@host", "'user;touch@host"),
    ("$(>pwned)@host", "'$(>pwned)@host"),
    ("-oProxyCommand=x@host", "'-oProxyCommand=x@host"),
    ("user@-oProxyCommand=x", "'user@-oProxyCommand=x"),
    ("x|touch\tpwned", "'x|touch"),
    ("x&>pwned", "'x&>pwned"),
    ("x\n-oProxyCommand=x", "'-oProxyCommand=x"),
    ("x\r\n$(>pwned)", "'$(>pwned)"),
    ("x\u{1}y", "'x\\u{1}y"),
    ("x\u{1b}]0;y\u{7}", "'x\\u{1b}]0;y"),
    ("x\u{a0}y", "'x"),
    ("../pwned", "'../pwned"),
];

/// A config by which every name reaches a shell of this machine.
fn config() -> Config {
    let blocks = "Host *\n  PermitLocalCommand yes\n  LocalCommand echo %n %h\n  ProxyCommand echo %h %n %r %p\n";
    Config::new(nodes(), blocks)
}

fn is_untouched(directory: &Path, left: &[&str]) {
    let mut found: Vec<String> = std::fs::read_dir(directory)
        .expect("read")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    found.sort();
    assert_eq!(found, left, "a hostile name ran something");
}

#[test]
fn a_hostile_word_is_refused_wherever_it_comes_from_and_runs_nothing() {
    let config = config();
    for (word, quoted) in HOSTILE {
        for source in [
            "-h",
            "CLSH_HOSTS",
            "CLSH_HOSTFILE",
            ".hostfile",
            "--hostfile",
            "-",
        ] {
            let directory = support::scratch();
            let mut call = config.clsh(&[]);
            call.current_dir(directory.path());
            let mut left = vec![];
            let mut file = |name: &'static str| {
                std::fs::write(directory.path().join(name), format!("good\n{word}\n"))
                    .expect("write");
                left.push(name);
            };
            match source {
                "-h" => drop(call.args(["-h", word])),
                "CLSH_HOSTS" => drop(call.env("CLSH_HOSTS", word)),
                "CLSH_HOSTFILE" => {
                    file("list");
                    call.env("CLSH_HOSTFILE", "list");
                }
                ".hostfile" => file(".hostfile"),
                "--hostfile" => {
                    file("list");
                    call.args(["--hostfile", "list"]);
                }
                _ => {
                    file("list");
                    let input = std::fs::File::open(directory.path().join("list"));
                    call.args(["--hostfile", "-"]).stdin(input.expect("open"));
                }
            }
            let done = support::run(call.args(["--", "true"]));
            let err = done.err();
            assert_eq!(
                (done.code(), done.out()),
                (2, String::new()),
                "{word:?} from {source}: {err}"
            );
            assert!(err.contains(quoted), "{word:?} from {source}: {err}");
            let harmless = |c: char| c == '\n' || !c.is_control();
            assert!(err.chars().all(harmless), "{word:?} from {source}: {err:?}");
            is_untouched(directory.path(), &left);
        }
    }
}

#[test]
fn names_that_pass_stay_one_word_on_the_way_to_ssh() {
    // What the rules let pass is harmless even where the config hands it to a shell.
    let config = config();
    let directory = support::scratch();
    let names = ["x%h", "x=touch", "x^y", "x+y", "x~", "größe", "x%%n", "x,y"];
    let mut call = config.clsh(&["-h", &names.join(" "), "--", "true"]);
    let done = support::run(call.current_dir(directory.path()));
    assert_eq!(
        (done.code(), done.out()),
        (255, String::new()),
        "{}",
        done.err()
    );
    let err = done.err();
    assert_eq!(
        err.matches("connection failed\n").count(),
        10,
        "nine nodes and the summary: {err}"
    );
    is_untouched(directory.path(), &[]);
}

#[test]
fn a_hostile_user_of_the_flag_runs_nothing() {
    let config = config();
    for user in ["-oProxyCommand=>pwned", "$(>pwned)", "x;>pwned", "`>pwned`"] {
        let directory = support::scratch();
        let mut call = config.clsh(&["-l", user, "-h", "node1", "--", "true"]);
        let done = support::run(call.current_dir(directory.path()));
        assert!(matches!(done.code(), 2 | 255), "{}", done.err());
        is_untouched(directory.path(), &[]);
    }
}

#[test]
fn a_host_that_reaches_the_far_side_is_data_there() {
    // CLSH_HOST is the one thing of a name that goes into the wrapper's line.
    let alias = "Host x%h\n  HostName 127.0.0.1\n  HostKeyAlias node1\n  Port ";
    let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
    let config = Config::new(nodes(), &format!("{alias}{port}"));
    let done = support::run(&mut config.clsh(&["-h", "x%h", "--", "echo \"$CLSH_HOST\""]));
    assert_eq!(
        (done.code(), done.out()),
        (0, "x%h: x%h\n".to_owned()),
        "{}",
        done.err()
    );
}
