//! `--out` and `--err`: what a node says goes into a file of its own, raw, as it arrives, and nowhere else.

use crate::gear::{Way, await_file, call, file, names, on_small_disk};
use crate::kit::{TERM, count, nap, text, through};
use crate::support::{run, scratch, start, wait_until};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// What stands in these files of a directory, as text.
fn contents<const N: usize>(directory: &Path, names: [&str; N]) -> [String; N] {
    names.map(|name| {
        let bytes =
            fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        bytes.escape_ascii().to_string()
    })
}

#[test]
fn files_hold_the_raw_bytes_and_the_streams_are_not_printed() {
    let script = r"printf 'a\000\377\nlast'; [ $h = n2 ] || printf '\n\nerr\001' >&2; exit 3";
    for way in Way::BOTH {
        for [out, err] in [["--out", "--err"], ["--outdir", "--errdir"]] {
            let place = scratch();
            // Both are made, with the directories they stand in, or are there already.
            let at = |name: &str| place.path().join(name);
            for (one, other) in [(at("a/b/out"), at("c/err")), (at("both"), at("both"))] {
                // What a file held before is gone.
                for repeat in 0..2 {
                    let done = run(&mut way.call(
                        "n[1-2]",
                        &[out, &text(&one), err, &text(&other)],
                        script,
                    ));
                    assert_eq!(
                        (done.code(), done.out()),
                        (3, String::new()),
                        "{way:?} {repeat}"
                    );
                    assert_eq!(done.err(), "clsh: n[1-2] (2): exited with exit code 3\n");
                    assert_eq!(
                        contents(&one, ["n1.out", "n2.out"]),
                        [r"a\x00\xff\nlast"; 2]
                    );
                    assert_eq!(contents(&other, ["n1.err", "n2.err"]), [r"\n\nerr\x01", ""]);
                }
            }
            assert_eq!(names(&at("a/b/out")), ["n1.out", "n2.out"]);
            assert_eq!(names(&at("both")).len(), 4);
        }
    }
}

#[test]
fn one_stream_in_files_leaves_the_other_as_it_is() {
    let script = "echo out; echo err >&2";
    for way in Way::BOTH {
        let place = scratch();
        let directory = text(place.path());
        let done = run(&mut way.call("n1", &["--out", &directory], script));
        assert_eq!(
            (done.out(), done.err()),
            (String::new(), "n1: err\n".into()),
            "{way:?}"
        );
        let done = run(&mut way.call("n1", &[&format!("--err={directory}")], script));
        assert_eq!(
            (done.out(), done.err()),
            ("n1: out\n".into(), String::new())
        );
        assert_eq!(
            contents(place.path(), ["n1.out", "n1.err"]),
            [r"out\n", r"err\n"]
        );
    }
}

#[test]
fn the_other_stream_still_has_its_shape() {
    // Both streams differ, so nodes only stand together when one of them is left out.
    let script = "echo out $h; echo err $((r / 2)) >&2; [ $h != n1 ] || sleep 0.3";
    let place = scratch();
    let directory = text(place.path());
    let done = run(&mut call("n[1-3]", &["-b", "--out", &directory], script));
    let rule = "-".repeat(15);
    let wanted =
        format!("{rule}\nn[1-2] (2)\n{rule}\nstderr: err 0\n{rule}\nn3\n{rule}\nstderr: err 1\n");
    assert_eq!((done.out(), done.err()), (wanted, String::new()));
    let done = run(&mut call("n[1-3]", &["-L", "--err", &directory], script));
    assert_eq!(
        (done.out(), done.err()),
        ("n1: out n1\nn2: out n2\nn3: out n3\n".into(), String::new())
    );
    let done = run(&mut call(
        "n[1-3]",
        &["--json", "--out", &directory],
        script,
    ));
    let (out, lines) = (done.out(), done.out().lines().count());
    assert!(
        !out.contains("\"stdout\"") && out.matches("\"stderr\"").count() == 3,
        "{out}"
    );
    assert_eq!(lines, 3 + 3 + 1, "{out}");
    let done = run(&mut call(
        "n[1-3]",
        &["-b", "--out", &directory, "--err", &directory],
        script,
    ));
    assert_eq!((done.out(), done.err()), (String::new(), String::new()));
    let files = ["n1.out", "n2.out", "n3.out", "n1.err", "n2.err", "n3.err"];
    let wanted = ["out n1", "out n2", "out n3", "err 0", "err 0", "err 1"];
    assert_eq!(
        contents(place.path(), files),
        wanted.map(|line| format!("{line}\\n"))
    );
}

#[test]
fn a_partial_line_stands_in_the_file_before_the_node_ends() {
    for way in Way::BOTH {
        let place = scratch();
        let go = place.path().join("go");
        let script = format!("printf part; printf err >&2; {}; echo ial", await_file(&go));
        let directory = text(place.path());
        let running =
            start(&mut way.call("n1", &["--out", &directory, "--err", &directory], &script));
        for (name, part) in [("n1.out", "part"), ("n1.err", "err")] {
            wait_until("the beginning of a line", || {
                fs::read_to_string(place.path().join(name)).is_ok_and(|text| text == part)
            });
        }
        fs::write(&go, "").expect("go");
        assert_eq!(running.finish().code(), 0, "{way:?}");
        assert_eq!(
            contents(place.path(), ["n1.out", "n1.err"]),
            [r"partial\n", "err"]
        );
    }
}

#[test]
fn what_had_arrived_stands_in_the_files_of_a_run_that_is_ended() {
    for way in Way::BOTH {
        let nap = nap();
        let place = scratch();
        let directory = text(place.path());
        let script = format!("printf part; echo up >&2; exec sleep {nap}");
        let running = start(&mut way.call("n[1-3]", &["--out", &directory], &script));
        wait_until("all up", || running.stderr.text().lines().count() == 3);
        running.signal(TERM);
        assert_eq!(running.finish().code(), 143);
        assert_eq!(
            contents(place.path(), ["n1.out", "n2.out", "n3.out"]),
            ["part"; 3],
            "{way:?}"
        );
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn what_is_no_file_is_neither_followed_nor_written_and_the_rest_goes_on() {
    for way in Way::BOTH {
        let place = scratch();
        let at = |name: &str| place.path().join(name);
        let victim = file(place.path(), "victim", "precious");
        fs::create_dir(at("dir")).expect("a directory");
        symlink(&victim, at("dir/n1.out")).expect("a link");
        symlink(at("nothing"), at("dir/n2.out")).expect("a link");
        fs::create_dir(at("dir/n3.out")).expect("a directory");
        let fifo = std::process::Command::new("mkfifo")
            .arg(at("dir/n4.out"))
            .status();
        assert!(fifo.is_ok_and(|status| status.success()));
        let script = "echo out; echo $h err >&2";
        let done = run(&mut way.call("n[1-5]", &["--out", &text(at("dir"))], script));
        assert_eq!((done.code(), done.out()), (255, String::new()), "{way:?}");
        let err = done.err();
        for node in ["n1", "n2", "n3", "n4"] {
            let path = text(at(&format!("dir/{node}.out")));
            let words = format!("clsh: {node}: cannot write '{path}': ");
            assert_eq!(err.matches(&words).count(), 1, "{err}");
        }
        assert_eq!(err.matches(" err\n").count(), 5, "{err}");
        assert_eq!(err.lines().count(), 9, "{err}");
        assert_eq!(
            contents(place.path(), ["victim", "dir/n5.out"]),
            ["precious", r"out\n"]
        );
        assert!(!at("nothing").exists());
    }
}

#[test]
fn a_full_disk_is_named_once_a_stream_and_the_rest_goes_on() {
    let place = scratch();
    let directory = text(place.path());
    // What fits is there, and the command is not disturbed.
    let script = "[ $h != n1 ] || head -c 1000000 /dev/zero; echo $h done >&2; exit 4";
    for way in Way::BOTH {
        let call = way.call("n[1-2]", &["--out", &directory], script);
        let around = "\"$@\"; s=$?; [ $(wc -c <n1.out) -gt 50000 ] && echo much; [ -e n2.out ] && echo there; exit $s";
        let mut around = through("sh", around, &call);
        // The directory has to be entered after it was mounted.
        around = through("sh", &format!("cd {directory}; exec \"$@\""), &around);
        let Some(mut around) = on_small_disk(place.path(), 128, &around) else {
            return;
        };
        let done = run(&mut around);
        assert_eq!(
            (done.code(), done.out()),
            (255, "much\nthere\n".into()),
            "{way:?}: {}",
            done.err()
        );
        let err = done.err();
        let words =
            format!("clsh: n1: cannot write '{directory}/n1.out': No space left on device; ");
        assert_eq!(err.matches(&words).count(), 1, "{err}");
        assert_eq!(err.matches(" done\n").count(), 2, "{err}");
        assert!(
            err.ends_with("clsh: n[1-2] (2): exited with exit code 4\n"),
            "{err}"
        );
    }
}

#[test]
fn a_place_where_no_files_can_be_is_refused_and_nothing_starts() {
    let place = scratch();
    let plain = text(file(place.path(), "plain", "precious"));
    let started = place.path().join("started");
    for flag in ["--out", "--err"] {
        for directory in [plain.clone(), format!("{plain}/below"), "/proc/none".into()] {
            let done = run(&mut call(
                "n1",
                &[flag, &directory],
                &format!("echo >{}", text(&started)),
            ));
            assert_eq!((done.code(), done.out()), (2, String::new()));
            let words = format!("clsh: cannot write to '{directory}', named by {flag}: ");
            assert!(done.err().starts_with(&words), "{}", done.err());
            assert_eq!(done.err().lines().count(), 1);
        }
    }
    assert!(!started.exists());
    assert_eq!(fs::read(&plain).expect("there"), b"precious");
}

#[test]
fn three_thousand_nodes_leave_their_files_with_few_descriptors() {
    let place = scratch();
    let directory = text(place.path());
    let mut call = crate::kit::exec(
        "n[1-3000]",
        ["-f", "64", "--out", &directory, "--err", &directory],
    );
    let done = run(&mut through(
        "sh",
        "ulimit -n 256; exec \"$@\"",
        call.args(["echo", "%h"]),
    ));
    assert_eq!(
        (done.code(), done.out(), done.err()),
        (0, String::new(), String::new())
    );
    assert_eq!(names(place.path()).len(), 6000);
    for n in 1..=3000 {
        let [out, err] =
            [".out", ".err"].map(|end| fs::read_to_string(place.path().join(format!("n{n}{end}"))));
        assert_eq!(
            (out.expect("there"), err.expect("there")),
            (format!("n{n}\n"), String::new())
        );
    }
}

#[test]
fn much_output_goes_into_a_file_whole() {
    let bytes = crate::gear::random(5 << 20);
    let place = scratch();
    let input = text(file(place.path(), "input", &bytes));
    for way in Way::BOTH {
        let directory = text(place.path());
        let done = run(&mut way.call("n[1-3]", &["--out", &directory], &format!("cat {input}")));
        assert_eq!((done.code(), done.err()), (0, String::new()), "{way:?}");
        for node in ["n1", "n2", "n3"] {
            let written = fs::read(place.path().join(format!("{node}.out"))).expect("there");
            assert!(written == bytes, "{way:?} {node}: {} bytes", written.len());
        }
    }
}

#[test]
fn a_file_there_is_always_this_run_s() {
    for way in Way::BOTH {
        let place = scratch();
        let old = [
            "n1.out", "n2.out", "n3.out", "n9.out", "n1.err", "n1.txt", "notes",
        ];
        for name in old {
            file(place.path(), name, "old");
        }
        let directory = text(place.path());
        // The first node ends the run before the others have their turn.
        let words = ["-f", "1", "-k", "--out", &directory];
        let done = run(&mut way.call("n[1-3]", &words, "echo new; exit 1"));
        assert_eq!(done.code(), 1, "{way:?}: {}", done.err());
        assert_eq!(
            names(place.path()),
            ["n1.err", "n1.out", "n1.txt", "n9.out", "notes"]
        );
        assert_eq!(
            contents(place.path(), ["n1.out", "n1.err"]),
            [r"new\n", "old"]
        );
        // A call that is refused removes nothing.
        let words = ["--out", &directory, "--err", "/proc/none"];
        let done = run(&mut way.call("n[1-9]", &words, "true"));
        assert_eq!(done.code(), 2);
        assert_eq!(names(place.path()).len(), 5);
    }
}

#[test]
fn a_file_with_another_name_elsewhere_is_not_written() {
    let place = scratch();
    let victim = file(place.path(), "victim", "precious");
    let directory = place.path().join("dir");
    fs::create_dir(&directory).expect("a directory");
    fs::hard_link(&victim, directory.join("n1.out")).expect("a link");
    let done = run(&mut call(
        "n[1-2]",
        &["--out", &text(&directory)],
        "echo out",
    ));
    assert_eq!(done.code(), 255);
    assert!(
        done.err()
            .contains("n1.out': it has another name elsewhere"),
        "{}",
        done.err()
    );
    assert_eq!(fs::read(&victim).expect("there"), b"precious");
    assert_eq!(contents(&directory, ["n2.out"]), [r"out\n"]);
}

#[test]
fn two_runs_into_one_directory_at_once_are_refused() {
    let place = scratch();
    let directory = text(place.path());
    let nap = nap();
    let script = format!("echo first; exec sleep {nap}");
    for flag in ["--out", "--err"] {
        let running = start(&mut call("n1", &["--out", &directory], &script));
        wait_until("the first run", || count(&["sleep", &nap]) == 1);
        let done = run(&mut call("n[1-2]", &[flag, &directory], "echo second"));
        let words = format!(
            "clsh: cannot write to '{directory}', named by {flag}: another run of clsh writes its files there; name another place\n"
        );
        assert_eq!((done.code(), done.err()), (2, words));
        assert_eq!(names(place.path()), ["n1.out"]);
        // However it ends, the place is free again.
        running.signal(nix::libc::SIGKILL);
        running.finish();
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
        assert_eq!(contents(place.path(), ["n1.out"]), [r"first\n"]);
    }
    let done = run(&mut call("n1", &["--out", &directory], "echo third"));
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn a_stdout_that_is_not_used_may_be_closed() {
    let place = scratch();
    let directory = text(place.path());
    let script = "sleep 0.3; echo out; echo err >&2; exit 3";
    let files = ["--out", &directory, "--err", &directory];
    for way in Way::BOTH {
        for options in [
            &files[..2],
            &files,
            &["-b", files[0], files[1], files[2], files[3]],
        ] {
            let call = way.call("n[1-2]", options, script);
            let around = "{ \"$@\"; echo $? >status; } | true";
            let done = run(through("sh", around, &call).current_dir(place.path()));
            assert_eq!(done.code(), 0);
            assert_eq!(
                contents(place.path(), ["status", "n1.out", "n2.out"]),
                [r"3\n", r"out\n", r"out\n"],
                "{way:?} {options:?}: {}",
                done.err()
            );
        }
        // Where something is printed, nobody is left to read it.
        let call = way.call("n[1-2]", &["--err", &directory], script);
        let around = "{ \"$@\"; echo $? >status; } | true";
        run(through("sh", around, &call).current_dir(place.path()));
        assert_eq!(contents(place.path(), ["status"]), [r"141\n"], "{way:?}");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_with_a_name() {
    let place = scratch();
    let directory = text(place.path());
    // Two blocks of 512 or of 1,024 bytes. The command has the limit, too, and the signal for it.
    let around = "ulimit -f 2; exec \"$@\"";
    for way in Way::BOTH {
        let script = "head -c 5000 /dev/zero; echo done >&2; head -c 5000 /dev/zero >mine";
        let mut call = way.call("n1", &["--out", &directory], script);
        call.current_dir(place.path());
        let done = run(through("sh", around, &call).current_dir(place.path()));
        let err = done.err();
        let words = format!("clsh: n1: cannot write '{directory}/n1.out': File too large");
        assert!(
            err.contains(&words) && err.contains("n1: done\n"),
            "{way:?}: {err}"
        );
        assert_eq!(done.code(), 255, "{err}");
    }
    let status = "head -c 5000 /dev/zero >mine";
    let done = run(through("sh", around, &call("n1", &[], status)).current_dir(place.path()));
    assert_eq!(done.code(), 128 + nix::libc::SIGXFSZ, "{}", done.err());
    // What clsh prints about itself meets it, too.
    let around = "ulimit -f 2; \"$@\" >page";
    let done = run(
        through("sh", around, &crate::support::clsh_with(["--help"])).current_dir(place.path()),
    );
    let words = "clsh: cannot write to standard output: File too large\n";
    assert_eq!((done.code(), done.err()), (255, words.into()));
}
