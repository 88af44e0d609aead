//! The pages of `--generate`, read by mandoc, groff, shellcheck and the three shells. The shells complete words as they do after Tab.

use crate::support::{clsh, run, run_clsh, scratch};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A page in a file of this name.
fn page(what: &str, name: &str) -> (TempDir, PathBuf) {
    let done = run_clsh(["--generate", what]);
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let directory = scratch();
    let path = directory.path().join(name);
    fs::write(&path, done.out()).expect("write");
    (directory, path)
}

/// What a program says of a page; it must find nothing wrong.
fn judged(program: &str, words: &[&str], page: &PathBuf) -> String {
    let mut command = Command::new(program);
    let done = run(command.args(words).arg(page).stdin(Stdio::null()));
    let said = done.out() + &done.err();
    assert_eq!(done.code(), 0, "{program}: {said}");
    said
}

#[test]
fn mandoc_and_groff_find_nothing_wrong_with_the_manual_page() {
    let (_directory, page) = page("man", "clsh.1");
    assert_eq!(judged("mandoc", &["-T", "lint", "-W", "style"], &page), "");
    assert_eq!(judged("groff", &["-man", "-ww", "-z"], &page), "");
}

#[test]
fn the_manual_page_has_every_flag_and_what_surrounds_a_call() {
    let (_directory, page) = page("man", "clsh.1");
    let text = judged("mandoc", &["-T", "ascii", "-O", "width=200"], &page);
    // Bold is struck over.
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\u{8}' => drop(plain.pop()),
            _ => plain.push(letter),
        }
    }
    for part in [
        "NAME",
        "SYNOPSIS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "CLSH_HOSTFILE",
        "-h, -w, --hosts LIST",
        "--no-config",
        "'n[1-3,5],bob@web:2222'",
        "clsh/config",
        "clsh -h 'n[1-3]' uptime",
    ] {
        assert!(plain.contains(part), "{part} is not in\n{plain}");
    }
}

#[test]
fn an_unknown_page_is_refused_with_those_there_are() {
    let done = run_clsh(["--generate", "info"]);
    assert_eq!((done.code(), done.out()), (2, String::new()));
    assert!(
        done.err()
            .contains("man, complete-bash, complete-zsh, complete-fish"),
        "{}",
        done.err()
    );
}

#[test]
fn shellcheck_finds_nothing_wrong_with_the_completion_for_bash() {
    let (_directory, page) = page("complete-bash", "clsh");
    assert_eq!(judged("shellcheck", &["-s", "bash"], &page), "");
}

/// A directory with a hostfile, in which clsh is on the `PATH`.
fn place() -> TempDir {
    let place = scratch();
    fs::write(place.path().join("nodes"), "alpha beta\nalbert\n").expect("write");
    let colons = "fe80::12\nfe80::15\nfe81::1\nweb1:2222\n";
    fs::write(place.path().join("colons"), colons).expect("write");
    fs::create_dir(place.path().join("album")).expect("mkdir");
    place
}

/// What a script of a shell prints there, sorted.
fn printed(place: &TempDir, shell: &str, words: &[&str]) -> Vec<String> {
    let binary = clsh();
    let binary = PathBuf::from(binary.get_program());
    let directory = binary
        .parent()
        .expect("a directory")
        .to_str()
        .expect("text");
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new(shell);
    command
        .args(words)
        .current_dir(place.path())
        .stdin(Stdio::null());
    command
        .env("PATH", format!("{directory}:{path}"))
        .env("HOME", place.path());
    command.env_remove("CLSH_HOSTS").env_remove("CLSH_HOSTFILE");
    let done = run(&mut command);
    assert_eq!((done.code(), done.err()), (0, String::new()), "{words:?}");
    done.sorted()
}

/// What bash offers after these words.
fn by_bash(words: &[&str]) -> Vec<String> {
    let (_directory, page) = page("complete-bash", "clsh");
    let script = r#"
        . "$1"; shift
        compopt() { :; } # has a meaning only at a prompt
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _clsh clsh "${@: -1}" ""
        ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}""#;
    let page = page.to_str().expect("text");
    let words = [&["-c", script, "bash", page], words].concat();
    printed(&place(), "bash", &words)
}

#[test]
fn bash_completes_flags_values_nodes_and_the_command() {
    assert_eq!(by_bash(&["clsh", "--ho"]), ["--hostfile", "--hosts"]);
    assert_eq!(by_bash(&["clsh", "-q", "--no-c"]), ["--no-config"]);
    let nodes = ["clsh", "--hostfile", "nodes", "-x"];
    assert_eq!(
        by_bash(&[&nodes[..], &["al"]].concat()),
        ["albert", "alpha"]
    );
    assert_eq!(
        by_bash(&[&nodes[..], &["beta,alb"]].concat()),
        ["beta,albert"]
    );
    assert_eq!(
        by_bash(&["clsh", "--hostfile", "=", "nodes", "-qx", "b"]),
        ["beta"]
    );
    // bash cuts words at colons, and puts in what stands behind the last one.
    let colons = ["clsh", "--hostfile", "colons", "-x"];
    assert_eq!(by_bash(&[&colons[..], &["w"]].concat()), ["web1:2222"]);
    let part = ["fe80", "::", "1"];
    assert_eq!(by_bash(&[&colons[..], &part].concat()), ["12", "15"]);
    let part = ["web1", ":", "2222,fe80", "::"];
    assert_eq!(by_bash(&[&colons[..], &part].concat()), ["12", "15"]);
    let flag = ["web1", ":", "2222", "--no-c"];
    assert_eq!(by_bash(&[&colons[..], &flag].concat()), ["--no-config"]);
    // The word that is being typed names nothing yet, and without any name nothing is offered.
    assert_eq!(by_bash(&["clsh", "-h", "no"]), [""; 0]);
    assert_eq!(by_bash(&["clsh", "-h", ""]), [""; 0]);
    assert_eq!(by_bash(&["clsh", "--hostfile", "no"]), ["nodes"]);
    assert_eq!(by_bash(&["clsh", "--hostfile", "=", "no"]), ["nodes"]);
    assert_eq!(by_bash(&["clsh", "--out", "al"]), ["album"]);
    assert_eq!(by_bash(&["clsh", "--color", "a"]), ["always", "auto"]);
    assert_eq!(by_bash(&["clsh", "-R", ""]), ["exec", "ssh"]);
    assert_eq!(by_bash(&["clsh", "-f", ""]), [""; 0]);
    assert!(by_bash(&["clsh", "-h", "n1", "unam"]).contains(&"uname".into()));
    assert!(by_bash(&["clsh", "-h", "n1", "--", "unam"]).contains(&"uname".into()));
    // What follows a command is not clsh's.
    assert_eq!(by_bash(&["clsh", "ls", "--ho"]), [""; 0]);
}

#[test]
fn fish_completes_flags_values_and_nodes() {
    let (_directory, page) = page("complete-fish", "clsh.fish");
    let script = "source $argv[1]; complete -C $argv[2]";
    let offered = |line: &str| {
        let words = ["-N", "-c", script, page.to_str().expect("text"), line];
        let lines = printed(&place(), "fish", &words);
        let word = |line: &String| line.split('\t').next().unwrap_or_default().to_owned();
        let typed = line.rsplit(' ').next().unwrap_or_default();
        let words = lines.iter().map(word);
        // Where nothing better is there, fish 4 also offers what only holds the letters, as `--ssh-config` does.
        words
            .filter(|word| word.starts_with(typed))
            .collect::<Vec<_>>()
    };
    assert_eq!(offered("clsh --ho"), ["--hostfile", "--hosts"]);
    assert_eq!(offered("clsh --hostfile nodes -x al"), ["albert", "alpha"]);
    assert_eq!(
        offered("clsh --hostfile nodes -x beta,alb"),
        ["beta,albert"]
    );
    assert_eq!(
        offered("clsh --hostfile colons -x web1:2222,fe80::1"),
        ["web1:2222,fe80::12", "web1:2222,fe80::15"]
    );
    assert_eq!(offered("clsh -h no"), [""; 0]);
    assert_eq!(offered("clsh -h "), [""; 0]);
    assert_eq!(offered("clsh --hostfile no"), ["nodes"]);
    assert_eq!(offered("clsh --out al"), ["album/"]);
    assert_eq!(offered("clsh --color a"), ["always", "auto"]);
    assert!(offered("clsh -h n1 unam").contains(&"uname".into()));
    assert!(!offered("clsh -h n1 ls --ho").contains(&"--hosts".into()));
}

#[test]
fn zsh_completes_flags_values_and_nodes() {
    let (_directory, page) = page("complete-zsh", "_clsh");
    // A zsh in a terminal of its own gets the line and a Tab, and prints what it has put in.
    let script = r#"
        zmodload zsh/zpty || exit 3
        inner() {
            PS1= PS2=
            fpath=($1 $fpath)
            autoload -Uz compinit && compinit -u -D
            zstyle ':completion:*' insert-unambiguous false
            zstyle ':completion:*' menu yes
            show() { print -r -- "<$BUFFER>"; exit }
            zle -N show
            bindkey '^X' show
            zle -N tab complete-word
        }
        zpty z zsh -f -i
        zpty -w z "$(functions inner); inner ${(q)1:h}; print rea''dy"
        zpty -r z line '*ready*'
        zpty -n -w z "$2"$'\t\C-x'
        zpty -r z line '*<*>*'
        print -r -- "${${line##*<}%%>*}""#;
    let completed = |line: &str| {
        let words = [
            "-f",
            "-c",
            script,
            "zsh",
            page.to_str().expect("text"),
            line,
        ];
        printed(&place(), "zsh", &words).concat()
    };
    assert_eq!(completed("clsh --no-co").trim_end(), "clsh --no-config");
    // The comma goes by itself when no other node follows.
    assert_eq!(
        completed("clsh --hostfile nodes -x alb").trim_end(),
        "clsh --hostfile nodes -x albert,"
    );
    for (typed, wanted) in [
        ("-x beta,alb", "-x beta,albert,"),
        ("-x we", "-x we"),
        ("-h no", "-h no"),
        ("-h alb", "-h albert,"),
        ("-x alb -h be", "-x alb -h beta,"),
    ] {
        let typed = format!("clsh --hostfile nodes {typed}");
        assert_eq!(completed(&typed), format!("clsh --hostfile nodes {wanted}"));
    }
    let colons = "clsh --hostfile colons -x";
    for (typed, wanted) in [
        ("we", "web1:2222,"),
        ("web1:2", "web1:2222,"),
        ("fe81:", "fe81::1,"),
        ("web1:2222,fe81", "web1:2222,fe81::1,"),
    ] {
        assert_eq!(
            completed(&format!("{colons} {typed}")),
            format!("{colons} {wanted}")
        );
    }
    // Where no node is known, there is nothing to offer, and nothing is said.
    for line in ["clsh -h no", "clsh -h ", "clsh -x "] {
        assert_eq!(completed(line), line);
    }
    assert_eq!(
        completed("clsh --hostfile nod").trim_end(),
        "clsh --hostfile nodes"
    );
    assert_eq!(
        completed("clsh --color nev").trim_end(),
        "clsh --color never"
    );
}
