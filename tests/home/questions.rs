//! What ssh asks that is no question for a password: it gets no answer, its words are shown, and the rest goes on.

use crate::accounts::{self, Account};
use crate::nodes::must;
use crate::support::{self, Finished, run};
use crate::terminal::Sitting;
use std::process::Command;

const NOT_ANSWERED: &str = "ssh asks what clsh does not answer: ";

#[test]
fn an_unknown_host_key_is_not_accepted_and_how_to_do_that_is_said() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = &world.person;
    let blocks = "Host n*\n  StrictHostKeyChecking ask\n  HostKeyAlias stranger\n";
    let config = world.config(me, blocks);
    for given in [true, false] {
        let words = ["-h", "n[1-2]", "true"];
        let mut call = match given {
            true => me.given(world, words),
            false => world.clsh(me, words),
        };
        let done = run(call.env("CLSH_SSH_CONFIG", &config));
        let err = done.err();
        assert_eq!(done.code(), 255, "{err}");
        let by_hand = format!("type: ssh -F {} n", config.display());
        assert_eq!(err.matches(&by_hand).count(), 1, "{err}");
        let words = "The authenticity of host 'stranger";
        let told = format!("{NOT_ANSWERED}{words}");
        assert_eq!(err.matches(&told).count(), usize::from(given), "{err}");
        assert!(
            err.ends_with("clsh: n[1-2] (2): connection failed\n"),
            "{err}"
        );
    }
}

#[test]
fn the_passphrase_of_a_key_is_asked_for_in_vain_and_the_password_still_works() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = Account::new();
    let key = me.path("locked");
    let key = key.to_str().expect("text");
    must(&[
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "a passphrase",
        "-f",
        key,
    ]);
    let blocks = format!(
        "Host n*\n  PubkeyAuthentication yes\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
    );
    let public = std::fs::read_to_string(format!("{key}.pub")).expect("read");
    world.authorize(&me, &public);
    let mut call = me.given(world, ["-h", "n[1-2]", "id -un"]);
    let done = run(call.env("CLSH_SSH_CONFIG", world.config(&me, &blocks)));
    assert_eq!(done.code(), 0, "{}", done.err());
    assert_eq!(
        done.sorted(),
        [1, 2].map(|node| format!("n{node}: {}", me.name))
    );
    let told = format!("{NOT_ANSWERED}Enter passphrase for key '{key}':\n");
    assert_eq!(done.err().matches(&told).count(), 1, "{}", done.err());
}

#[test]
fn a_key_with_a_passphrase_and_no_agent_gets_a_hint_once() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = Account::new();
    let key = me.path("locked");
    let key = key.to_str().expect("text");
    let make = [
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "a passphrase",
        "-f",
    ];
    must(&[&make[..], &[key]].concat());
    let blocks = format!(
        "Host n*\n  PubkeyAuthentication yes\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
    );
    let public = std::fs::read_to_string(format!("{key}.pub")).expect("read");
    world.authorize(&me, &public);
    let mut call = world.clsh(&me, ["-h", "n[1-3]", "true"]);
    let done = run(call.env("CLSH_SSH_CONFIG", world.config(&me, &blocks)));
    let err = done.err();
    assert_eq!(done.code(), 255, "{err}");
    assert_eq!(err.matches(": ssh was not let in: ").count(), 1, "{err}");
    assert!(err.contains("ssh-add") && err.contains("(-A)"), "{err}");
    assert_eq!(err.matches(": Permission denied (").count(), 3, "{err}");
    // Nor on any other line.
    assert!(!err.contains('\r'), "{err:?}");
}

#[test]
fn an_expired_password_is_said_to_be_expired_and_not_to_be_wrong() {
    let Some(world) = accounts::world() else {
        return;
    };
    const EXPIRED: &str = "the login succeeded, but the account's password has expired";
    let me = Account::new();
    let key = me.path("key");
    let key = key.to_str().expect("text");
    must(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
    let public = std::fs::read_to_string(format!("{key}.pub")).expect("read");
    world.authorize(&me, &public);
    must(&["chage", "-d", "0", &me.name]);
    let told = |done: &Finished, node: &str| {
        let err = done.err();
        assert_eq!(done.code(), 255, "{err}");
        let hint = format!("clsh: {node}: {EXPIRED}");
        assert_eq!(err.matches(&hint).count(), 1, "{err}");
        assert!(!err.contains("was not taken"), "{err}");
        assert!(!err.contains("ForceCommand"), "{err}");
        assert!(!err.contains('\r'), "{err:?}");
    };
    for node in ["n1", "k1"] {
        told(&run(&mut me.given(world, ["-h", node, "true"])), node);
    }
    let blocks = format!("Host n*\n  PubkeyAuthentication yes\n  IdentityFile {key}\n");
    let mut call = world.clsh(&me, ["-h", "n1", "true"]);
    told(
        &run(call.env("CLSH_SSH_CONFIG", world.config(&me, &blocks))),
        "n1",
    );
}

#[test]
fn a_jump_host_and_the_node_behind_it_are_given_it_once_each() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::new();
    let done = run(&mut account.given(world, ["-h", "far[1-2]", "id -un"]));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    assert_eq!(
        done.sorted(),
        [1, 2].map(|node| format!("far{node}: {}", account.name))
    );
    assert_eq!(world.plain.said("Accepted password", &account), 4);
    // By a flag, too.
    let done = run(&mut account.given(world, ["-J", "gate", "-h", "k1", "id -un"]));
    assert_eq!(
        done.out(),
        format!("k1: {}\n", account.name),
        "{}",
        done.err()
    );
    assert_eq!(world.plain.said("Accepted password", &account), 5);
}

/// clsh with a program in the place of ssh, at a node named after what is asked.
fn asks(name: &str, text: &str) -> (tempfile::TempDir, Command) {
    let directory = support::scratch();
    support::script(directory.path(), "ssh", &format!("#!/bin/sh\n{text}\n"));
    let secret = directory.path().join("password");
    std::fs::write(&secret, "sesame\n").expect("write");
    must(&["chmod", "600", secret.to_str().expect("text")]);
    let path = format!(
        "{}:{}",
        directory.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut call = support::clsh_with(["-F", "none", "-h", name, "--password-file"]);
    call.arg(secret).arg("true").env("PATH", path);
    (directory, call)
}

fn answer_to(name: &str, question: &str) -> Finished {
    let text =
        format!("answer=$(\"$SSH_ASKPASS\" '{question}')\necho \"got <$answer> $?\" >&2\nexit 255");
    let (_directory, mut call) = asks(name, &text);
    run(&mut call)
}

#[test]
fn a_one_time_code_gets_no_answer_and_its_words_are_shown() {
    let done = answer_to("asks-for-a-code", "(bob@n1) Verification code: ");
    let err = done.err();
    assert!(err.contains("got <> 1"), "{err}");
    let told = format!("clsh: asks-for-a-code: {NOT_ANSWERED}(bob@n1) Verification code:\n");
    assert!(err.contains(&told), "{err}");
    let done = answer_to("asks-for-a-password", "(bob@n1) Password: ");
    assert!(done.err().contains("got <sesame> 0"), "{}", done.err());
}

#[test]
fn a_question_that_would_drive_the_terminal_is_shown_as_text() {
    let text =
        r#""$SSH_ASKPASS" "$(printf '\033]0;pwned\007\033[2J\302\233Jone\ntwo?')" >&2; exit 255"#;
    let (_directory, call) = asks("asks-with-escapes", text);
    let mut terminal = Sitting::new(call).start();
    assert_eq!(terminal.finish(), 255, "{}", terminal.text());
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    for bad in ["\x1b]0", "\x1b[2J", "\x07", "\u{9b}"] {
        assert!(!raw.contains(bad), "{raw:?}");
    }
    let shown = terminal.text();
    assert!(
        shown.contains(r"\u{1b}]0;pwned\u{7}\u{1b}[2J\u{9b}Jone two?"),
        "{shown}"
    );
}

#[test]
fn a_question_without_end_is_cut_and_one_that_never_comes_holds_nobody() {
    let text = r#""$SSH_ASKPASS" "$(head -c 100000 /dev/zero | tr '\0' x)" >&2; echo "status $?" >&2; exit 255"#;
    let (_directory, mut call) = asks("asks-at-length", text);
    let done = run(&mut call);
    assert!(done.err().contains("status 1"), "{}", done.err());
    let told = done.err().matches('x').count();
    assert!((4000..=4096).contains(&told), "{told}");
}

#[test]
fn whoever_is_asked_otherwise_asks_here_all_the_same() {
    let (_directory, mut call) = asks(
        "asks-by-itself",
        r#"echo "got <$("$SSH_ASKPASS" "b@n's password: ")> $SSH_ASKPASS_REQUIRE" >&2; exit 255"#,
    );
    call.env("SSH_ASKPASS", "/bin/false")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("CLSH_ASKPASS_NODE", "77");
    let done = run(&mut call);
    assert!(done.err().contains("got <sesame> force"), "{}", done.err());
}

#[test]
fn more_prompts_may_be_asked_for_and_it_is_still_given_once() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::new();
    let words = ["-o", "NumberOfPasswordPrompts=3", "-h", "n1", "id -un"];
    let done = run(&mut account.given(world, words));
    assert_eq!(
        done.out(),
        format!("n1: {}\n", account.name),
        "{}",
        done.err()
    );
    let answers = r#"for try in 1 2 3; do "$SSH_ASKPASS" "b@n's password: " >&2; done; echo "$*" >&2; exit 255"#;
    let (_directory, mut call) = asks("asks-thrice", answers);
    let done = run(&mut call);
    assert_eq!(done.err().matches("sesame").count(), 1, "{}", done.err());
}

#[test]
fn a_node_that_has_no_sudo_to_run_gets_nothing_by_asking_as_one_that_has() {
    // It knows the run's secret word, as every node does.
    let text = r#"for word; do last=$word; done
        nonce=$(printf %s "$last" | grep -o "'[0-9a-f]\{32\}'" | tr -d "'")
        printf '\036%s ask\036\n' "$nonce" >&2
        sleep 0.3
        echo begun >&2
        timeout 1 cat >&2
        exit 255"#;
    let (_directory, mut call) = asks("asks-for-sudo", text);
    let done = run(&mut call);
    assert!(done.err().contains("begun"), "{}", done.err());
    assert!(!done.err().contains("sesame"), "{}", done.err());
}
