//! The file of flags for every call.

use crate::support::{Finished, clsh_with, not_run, run, scratch};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A directory of settings in which clsh has this file.
fn settings(text: &str) -> TempDir {
    let directory = scratch();
    fs::create_dir(directory.path().join("clsh")).expect("mkdir");
    fs::write(directory.path().join("clsh/config"), text).expect("write");
    directory
}

fn call(config: &Path, words: &[&str]) -> Command {
    let mut call = clsh_with(words);
    call.env("XDG_CONFIG_HOME", config).current_dir(config);
    call
}

fn done(text: &str, words: &[&str]) -> Finished {
    run(&mut call(settings(text).path(), words))
}

const EXEC: &str = "# here\n\n-R exec\n--hosts n[1-2]\n";

#[test]
fn flags_of_the_file_count_in_every_call_and_those_of_the_call_win() {
    assert_eq!(done(EXEC, &["echo", "%h"]).sorted(), ["n1: n1", "n2: n2"]);
    let one = done(EXEC, &["-h", "m", "-N", "echo", "%h"]);
    assert_eq!((one.out(), one.code()), ("m\n".into(), 0), "{}", one.err());
    assert_eq!(done(EXEC, &["-Q"]).out(), "n1\nn2\n");
}

#[test]
fn no_config_leaves_it_unread() {
    let done = done(EXEC, &["--no-config", "echo"]);
    assert_eq!(done.code(), 2);
    assert!(done.err().contains("--hostfile option was not provided"));
}

#[test]
fn a_wrong_line_is_refused_with_the_file_and_its_number() {
    let done = done("-q\n--fanot 3\n", &["true"]);
    assert_eq!((done.code(), done.out()), (2, String::new()));
    let err = done.err();
    assert!(err.starts_with("clsh: '") && err.ends_with('\n'), "{err}");
    assert!(err.contains("/clsh/config', line 2: "), "{err}");
    assert!(
        err.contains("'--fanot'") && err.contains("'--fanout'"),
        "{err}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_none_is_not() {
    let directory = scratch();
    let words = ["-h", "n", "-R", "exec", "echo", "%h"];
    assert_eq!(run(&mut call(directory.path(), &words)).out(), "n: n\n");
    fs::create_dir_all(directory.path().join("clsh/config")).expect("mkdir");
    let done = run(&mut call(directory.path(), &words));
    assert_eq!(done.code(), 2);
    assert!(done.err().contains("is a directory"), "{}", done.err());
    assert!(done.err().contains("--no-config"), "{}", done.err());
}

#[test]
fn without_a_directory_of_settings_it_is_looked_for_at_home() {
    let home = scratch();
    fs::create_dir_all(home.path().join(".config/clsh")).expect("mkdir");
    fs::write(home.path().join("nodes"), "n[3-4]\n").expect("write");
    let text = "-R exec\n--hostfile ~/nodes\n";
    fs::write(home.path().join(".config/clsh/config"), text).expect("write");
    let mut call = clsh_with(["echo", "%h"]);
    call.env_remove("XDG_CONFIG_HOME").env("HOME", home.path());
    assert_eq!(run(&mut call).sorted(), ["n3: n3", "n4: n4"]);
}

#[test]
fn a_flag_that_a_session_has_no_use_for_is_passed_over() {
    let done = done(
        &format!("{EXEC}-b\n-k\n--summary\n"),
        &["-R", "env N=%h sh -c"],
    );
    assert_eq!(
        (done.code(), done.out()),
        (0, String::new()),
        "{}",
        done.err()
    );
}

#[test]
fn a_file_that_others_could_have_written_is_refused() {
    let words = ["echo", "%h"];
    let refused = |change: &dyn Fn(&Path), why: &str| {
        let directory = settings(EXEC);
        change(&directory.path().join("clsh/config"));
        let done = run(&mut call(directory.path(), &words));
        let err = done.err();
        assert_eq!(
            (done.code(), done.out()),
            (2, String::new()),
            "{why}: {err}"
        );
        assert!(err.contains("/clsh/config'") && err.contains(why), "{err}");
        assert!(err.contains("--no-config"), "{err}");
        // Whoever does not read it is not kept from anything.
        let mut call = call(directory.path(), &["--no-config", "-h", "n", "-R", "exec"]);
        assert_eq!(run(call.args(words)).code(), 0, "{why}");
    };
    let chmod = |mode| {
        move |path: &Path| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
        }
    };
    refused(&chmod(0o646), "everybody may write it");
    if !nix::unistd::geteuid().is_root() {
        return not_run("only root can give a file to another user or group");
    }
    let give = |user: Option<u32>, group: Option<u32>, mode| {
        move |path: &Path| {
            chown(path, user, group).expect("chown");
            chmod(mode)(path);
        }
    };
    refused(
        &give(Some(1), None, 0o644),
        "it belongs to daemon, not to you",
    );
    refused(&give(None, Some(1), 0o664), "its group may write it");
    // A group of root's own name that nobody else is in, or one that may only read, is no reason.
    for change in [give(None, Some(0), 0o664), give(None, Some(1), 0o644)] {
        let directory = settings(EXEC);
        change(&directory.path().join("clsh/config"));
        assert_eq!(run(&mut call(directory.path(), &words)).code(), 0);
    }
}

#[test]
fn what_is_no_file_keeps_nobody_waiting_and_the_null_device_is_an_empty_one() {
    let directory = settings("");
    let path = directory.path().join("clsh/config");
    let words = ["-h", "n", "-R", "exec", "echo", "%h"];
    fs::remove_file(&path).expect("removed");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let done = run(&mut call(directory.path(), &words));
    assert_eq!(done.code(), 2);
    assert!(
        done.err().contains("it is not a regular file"),
        "{}",
        done.err()
    );
    fs::remove_file(&path).expect("removed");
    symlink("/dev/null", &path).expect("linked");
    let done = run(&mut call(directory.path(), &words));
    assert_eq!(
        (done.code(), done.out()),
        (0, "n: n\n".into()),
        "{}",
        done.err()
    );
}
