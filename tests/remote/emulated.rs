//! clsh on a machine whose processor is emulated, as builds for another one are tried: Debian's qemu-user-static. The shells and ssh that it
//! starts are this machine's own.

use crate::nodes::{must, nodes};
use crate::support::{self, run};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

const ARM: &str = "aarch64-unknown-linux-musl";

/// The call, with this binary under this emulator.
fn emulated(emulator: &str, binary: &Path, call: &Command) -> Command {
    let mut command = Command::new(emulator);
    command.arg(binary).args(call.get_args());
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// One command on real nodes, a transport of the user's own, gathered output, and a session.
fn does_all(emulator: &str, binary: &Path) {
    let call = |words: &[&str], input: &Path| {
        let mut call = emulated(emulator, binary, &nodes().clsh(words));
        let input = File::open(input).expect("an input");
        let done = run(call.stdin(input));
        (done.code(), done.sorted(), done.err())
    };
    let lines = |lines: &[&str]| {
        lines
            .iter()
            .map(|&line| line.to_owned())
            .collect::<Vec<_>>()
    };
    let place = support::scratch();
    let input = place.path().join("input");
    std::fs::write(&input, "cd /usr\ntest $CLSH_RANK = 0 || cd bin\npwd\n").expect("write");

    let words = ["-q", "-h", "node[1-3]", "wc -l; exit $((4 + CLSH_RANK))"];
    let counted = lines(&["node1: 3", "node2: 3", "node3: 3"]);
    assert_eq!(call(&words, &input), (6, counted, String::new()));

    let words = ["-h", "n[1-2]", "-R", "env NODE=%h sh -c", "echo on $NODE"];
    let said = lines(&["n1: on n1", "n2: on n2"]);
    assert_eq!(call(&words, &input), (0, said, String::new()));

    let words = ["-b", "-h", "node[1-2]", "echo the same"];
    let rule = "-".repeat(15);
    let gathered = lines(&[&rule, &rule, "node[1-2] (2)", "the same"]);
    assert_eq!(call(&words, &input), (0, gathered, String::new()));

    let pages = lines(&["node1: /usr", "node2: /usr/bin"]);
    assert_eq!(
        call(&["-q", "-h", "node[1-2]"], &input),
        (0, pages, String::new())
    );
}

#[test]
fn under_an_emulated_processor_commands_and_sessions_run() {
    let emulator = format!("qemu-{}-static", std::env::consts::ARCH);
    does_all(&emulator, Path::new(env!("CARGO_BIN_EXE_clsh")));
}

/// The static binary for arm64, built by what README says; or why it can't be.
fn for_arm() -> Result<PathBuf, String> {
    let place = must(&["rustc", "--print", "target-libdir", "--target", ARM]);
    if !Path::new(place.trim()).exists() {
        return Err(format!("rustup target add {ARM}"));
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arm");
    // It takes its time, and cargo fails by itself.
    let done = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--bin", "clsh", "--target", ARM])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_DIR", &built)
        .output()
        .expect("cargo");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Ok(built.join(ARM).join("debug/clsh"))
}

#[test]
fn a_build_for_arm64_runs_commands_and_sessions() {
    match for_arm() {
        Ok(binary) => does_all("qemu-aarch64-static", &binary),
        Err(what) => support::not_run(&format!("a build for arm64 needs: {what}")),
    }
}
