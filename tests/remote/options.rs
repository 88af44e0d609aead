//! Options of an ssh configuration that would keep a command from running, or from reading its input.

use crate::nodes::{Config, nodes};
use crate::support::{self, clsh_with, scratch, script, start};
use std::fs;
use std::io::Write;
use std::process::Stdio;

/// `-o` values that clsh would set back.
const NAMES: [&str; 4] = [
    "RemoteCommand",
    "StdinNull",
    "ForkAfterAuthentication",
    "SessionType",
];

/// Sends a text through `cat` on a node of this configuration.
fn through_cat(config: &Config, flags: &[&str]) -> support::Finished {
    let mut call = config.clsh(flags);
    call.args(["-q", "-h", "node1", "cat; echo status >&2; exit 7"]);
    let mut running = start(call.stdin(Stdio::piped()));
    let mut stdin = running.stdin();
    // One that ended early takes nothing.
    let _ = stdin.write_all(b"text\n");
    drop(stdin);
    running.finish()
}

#[test]
fn a_command_runs_and_reads_whatever_the_configuration_says() {
    for block in [
        "RemoteCommand top",
        "remotecommand=\"echo never\"",
        "StdinNull yes",
        "ForkAfterAuthentication yes",
        "SessionType none",
        "SessionType subsystem",
        "RemoteCommand top\n  StdinNull yes\n  ForkAfterAuthentication yes",
        "IgnoreUnknown NoSuchOption\n  NoSuchOption 1\n  StdinNull yes",
    ] {
        for place in ["Host node1", "Match host 127.0.0.1,node1", "Host *"] {
            let config = Config::new(nodes(), &format!("{place}\n  {block}"));
            let done = through_cat(&config, &[]);
            let said = (done.code(), done.out(), done.err());
            let wanted = (7, "node1: text\n".to_owned(), "node1: status\n".to_owned());
            assert_eq!(said, wanted, "{place}: {block}");
        }
    }
}

#[test]
fn so_it_does_where_an_included_file_says_so() {
    let directory = scratch();
    fs::create_dir(directory.path().join("conf.d")).expect("mkdir");
    let path = |name: &str| directory.path().join(name);
    let first = format!("Include \"{}\"\n", path("conf.d/*.conf").display());
    fs::write(path("first"), first).expect("write");
    fs::write(path("conf.d/one.conf"), "StdinNull yes\n").expect("write");
    fs::write(path("conf.d/two.conf"), "Host node*\n RemoteCommand top\n").expect("write");
    let config = Config::new(nodes(), &format!("Include {}", path("first").display()));
    let done = through_cat(&config, &[]);
    assert_eq!(
        (done.code(), done.out()),
        (7, "node1: text\n".to_owned()),
        "{}",
        done.err()
    );
}

#[test]
fn what_is_typed_wins() {
    let config = Config::new(nodes(), "Host node1\n  StdinNull no");
    let done = through_cat(&config, &["-n", "-o", "SessionType=none", "-t", "1"]);
    assert_eq!(done.code(), 255, "{}", done.err());
}

#[test]
fn an_ssh_that_may_not_know_them_is_not_told_of_them() {
    // It says what it was given, and goes.
    let directory = scratch();
    script(
        directory.path(),
        "ssh",
        "#!/bin/sh\nprintf '%s ' \"$@\" >&2\nexit 255\n",
    );
    let path = format!("{}:/usr/bin:/bin", directory.path().display());
    let given = |text: &str| {
        fs::write(directory.path().join("config"), text).expect("write");
        let mut call = clsh_with(["-n", "-h", "n1", "-F", "config", "true"]);
        support::run(call.current_dir(directory.path()).env("PATH", &path)).err()
    };
    let none = given("Host *\n  # StdinNull yes\n  User bob\n");
    assert!(none.contains("-F config"), "{none}");
    for name in NAMES {
        assert!(!none.contains(name), "{none}");
        let one = given(&format!("Host n2\n  {name} no\n"));
        let named: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| one.contains(name))
            .collect();
        assert_eq!(named, [name], "{one}");
    }
}
