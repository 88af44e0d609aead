//! `-b --diff`: the largest group whole, and of the others the lines that `diff -u` would show.

use crate::gear::{call, file};
use crate::kit::{read_all, text};
use crate::support::{run, scratch};
use std::path::Path;
use std::process::{Command, Stdio};

/// What `diff -u` shows, without its two lines of names.
fn diff(one: &Path, other: &Path) -> String {
    let mut child = Command::new("diff")
        .arg("-u")
        .args([one, other])
        .stdout(Stdio::piped())
        .spawn()
        .expect("diff");
    let out = read_all(child.stdout.take().expect("piped"));
    child.wait().expect("wait");
    let out = String::from_utf8(out).expect("text");
    out.lines()
        .skip(2)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What stands above a group.
fn header(names: &str) -> String {
    let rule = "-".repeat(15);
    format!("{rule}\n{names}\n{rule}\n")
}

/// Numbered lines, each changed by `edit` into any number of lines.
fn lines(count: usize, edit: impl Fn(usize) -> String) -> String {
    (1..=count).map(edit).collect()
}

#[test]
fn differences_are_those_of_diff() {
    let base = lines(200, |n| format!("line {n}\n"));
    let changed = lines(200, |n| match n {
        5 => "changed\n".into(),
        60..=62 => String::new(),
        100 => format!("line {n}\nnew a\nnew b\n"),
        104 => "near\n".into(),
        _ => format!("line {n}\n"),
    });
    let first = lines(200, |n| {
        if n == 1 {
            String::new()
        } else {
            format!("line {n}\n")
        }
    });
    let last = format!("{base}one more\n");
    let place = scratch();
    let base = file(place.path(), "base", base);
    for other in [changed, first, last, "all else\n".into(), "".into()] {
        let other = file(place.path(), "other", other);
        let script = format!(
            "[ $h = n2 ] && {{ echo $h >&2; exec cat {}; }}; echo $h >/dev/null; cat {}",
            text(&other),
            text(&base)
        );
        let done = run(&mut call("n[1-4]", &["-b", "--diff"], &script));
        let whole = std::fs::read_to_string(&base).expect("text");
        let with_err = file(
            place.path(),
            "err",
            [
                std::fs::read(&other).expect("text"),
                b"stderr: n2\n".to_vec(),
            ]
            .concat(),
        );
        let wanted = header("n[1,3-4] (3)")
            + &whole
            + &header("n2")
            + "--- n[1,3-4] (3)\n+++ n2\n"
            + &diff(&base, &with_err);
        assert_eq!(done.out(), wanted);
        assert_eq!((done.code(), done.err()), (0, String::new()));
    }
}

#[test]
fn a_difference_turns_the_one_into_the_other() {
    // Many changes at once: which lines a difference names is a matter of taste, what it leads to is not.
    let place = scratch();
    let edit = |seed: usize| {
        move |n: usize| match (n * seed) % 7 {
            0 => String::new(),
            1 => format!("other {}\n", n % 5),
            2 => "{\n}\n".into(),
            _ => format!("line {}\n", n % 90),
        }
    };
    let base = lines(3000, edit(1));
    let path = file(place.path(), "n1", &base);
    file(place.path(), "n2", &base);
    file(place.path(), "n3", lines(3000, edit(3)));
    file(place.path(), "n4", lines(2000, edit(5)));
    let script = format!("cat {}/$h", place.path().display());
    let done = run(&mut call("n[1-4]", &["-b", "--diff"], &script));
    let out = done.out();
    let mut parts = out.split("---------------\n").skip(1);
    let mut next = || (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    assert!(next() == ("n[1-2] (2)\n", &base));
    for node in ["n3", "n4"] {
        let (name, difference) = next();
        assert_eq!(name, format!("{node}\n"));
        let difference = file(place.path(), "difference", difference);
        let patched = place.path().join("patched");
        let status = Command::new("patch")
            .args(["-s", "-o"])
            .args([&patched, &path, &difference])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{node}");
        let (patched, wanted) = (
            std::fs::read(patched),
            std::fs::read(place.path().join(node)),
        );
        assert!(patched.expect("read") == wanted.expect("read"), "{node}");
    }
}

#[test]
fn nothing_to_compare_is_printed_as_without_it() {
    for script in ["echo same", "exit 4", "echo >&2"] {
        let plain = run(&mut call("n[1-3]", &["-b"], script));
        let done = run(&mut call("n[1-3]", &["-b", "--diff"], script));
        assert_eq!((done.code(), done.out()), (plain.code(), plain.out()));
    }
}

#[test]
fn to_say_nothing_is_a_difference_too() {
    let script = "case $h in n[12]) echo line;; n3) ;; n4) exit 4;; esac";
    let done = run(&mut call("n[1-4]", &["-b", "--diff"], script));
    let gone = |node: &str, name: &str| {
        let names = format!("--- n[1-2] (2)\n+++ {name}\n");
        format!("{}{names}@@ -1 +0,0 @@\n-line\n", header(node))
    };
    let wanted =
        header("n[1-2] (2)") + "line\n" + &gone("n3", "n3") + &gone("n4: exit 4", "n4: exit 4");
    assert_eq!(done.out(), wanted);
    // The most said nothing: what the others said is the difference.
    let done = run(&mut call(
        "n[1-3]",
        &["-b", "--diff"],
        "[ $h != n2 ] || echo line",
    ));
    let added = "--- n[1,3] (2)\n+++ n2\n@@ -0,0 +1 @@\n+line\n";
    let wanted = header("n[1,3] (2)") + &header("n2") + added;
    assert_eq!(done.out(), wanted);
    // Without --diff they are left out, as ever.
    let done = run(&mut call("n[1-3]", &["-b"], "[ $h != n2 ] || echo line"));
    assert_eq!(done.out(), header("n2") + "line\n");
}

#[test]
fn the_same_lines_with_another_status_differ_in_nothing() {
    let done = run(&mut call(
        "n[1-3]",
        &["-b", "--diff"],
        "echo same; [ $h != n3 ]",
    ));
    let out = done.out();
    let rest = out.strip_prefix(&(header("n[1-2] (2)") + "same\n" + &header("n3: exit 1")));
    assert!(rest.is_some_and(|rest| !rest.contains("same")), "{out}");
    assert_eq!(done.code(), 1);
}

#[test]
fn an_output_that_is_too_long_is_printed_whole_and_that_is_said() {
    let script =
        "case $h in n3) yes 12345678901234567890123456789 | head -c 9000000;; *) echo short;; esac";
    let done = run(&mut call("n[1-3]", &["-b", "--diff"], script));
    let long = "12345678901234567890123456789\n".repeat(300_000);
    assert!(done.out() == header("n[1-2] (2)") + "short\n" + &header("n3") + &long);
    assert_eq!(
        done.err(),
        "clsh: n3: it is too long to be compared and printed whole\n"
    );
    assert_eq!(done.code(), 0);
}
