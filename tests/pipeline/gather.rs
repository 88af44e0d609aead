//! `-b`: nodes that said the same are printed once, when all are done, byte for byte as it is written down.

use crate::gear::{Way, call, start_piped};
use crate::kit::{INT, Stray, TERM, count, nap, through};
use crate::support::{run, start, wait_until};

/// What stands above a group.
fn header(names: &str) -> String {
    let rule = "-".repeat(15);
    format!("{rule}\n{names}\n{rule}\n")
}

/// What `-b` prints where these nodes run this script.
fn gathered(nodes: &str, script: &str) -> String {
    let [exec, wrapped] = Way::BOTH.map(|way| run(&mut way.call(nodes, &["-b"], script)).out());
    assert_eq!(exec, wrapped);
    exec
}

#[test]
fn a_group_has_a_header_its_stdout_and_then_its_stderr() {
    let script = "echo words >&2; echo one; echo more >&2; printf ' two'; exit 3";
    for way in Way::BOTH {
        for flag in ["-b", "--gather"] {
            let done = run(&mut way.call("n[1-3]", &[flag], script));
            let text = "one\n two\nstderr: words\nstderr: more\n";
            assert_eq!(done.out(), header("n[1-3] (3)") + text, "{way:?}");
            assert_eq!(done.err(), "clsh: n[1-3] (3): exited with exit code 3\n");
            assert_eq!(done.code(), 3);
        }
    }
}

#[test]
fn the_largest_group_comes_first_and_equal_ones_in_the_order_of_the_nodes() {
    // The node that stands first ends last.
    let script = "case $h in
        b1) sleep 0.3; echo alone;;
        a2 | a9) echo two;;
        *) echo many;;
    esac";
    let groups = [
        header("a[1,3-4] (3)") + "many\n",
        header("b1") + "alone\n",
        header("a[2,9] (2)") + "two\n",
    ];
    let [many, alone, two] = groups;
    assert_eq!(gathered("b1,a9,a[1-4]", script), many + &two + &alone);
    let script = "case $h in n1) sleep 0.3;; n2) sleep 0.1;; esac; echo $h";
    let wanted = ["n3", "n1", "n4", "n2"].map(|node| format!("{}{node}\n", header(node)));
    assert_eq!(gathered("n3,n1,n4,n2", script), wanted.concat());
}

#[test]
fn only_what_is_all_the_same_is_one_group() {
    // The same text, on another stream, with another status, and with a blank line more.
    let script = "case $h in
        n1 | n2) echo same;;
        n3) echo same >&2;;
        n4) echo same; exit 4;;
        n5) echo same; echo;;
        n6) echo same; echo same >&2;;
    esac";
    let wanted = [
        header("n[1-2] (2)") + "same\n",
        header("n3") + "stderr: same\n",
        // What looks like the first group is told apart by its header.
        header("n4: exit 4") + "same\n",
        header("n5") + "same\n\n",
        header("n6") + "same\nstderr: same\n",
    ];
    assert_eq!(gathered("n[1-6]", script), wanted.concat());
}

#[test]
fn a_last_line_without_newline_is_as_good_as_one_with_it() {
    let script = "case $h in n2) printf 'a\\nb';; *) printf 'a\\nb\\n';; esac; printf e >&2; [ $h = n3 ] || echo >&2";
    let wanted = header("n[1-3] (3)") + "a\nb\nstderr: e\n";
    assert_eq!(gathered("n[1-3]", script), wanted);
}

#[test]
fn silent_nodes_are_left_out_and_a_blank_line_is_not_silence() {
    let script = "case $h in n1) exit 5;; n2) echo;; n3) printf '';; esac";
    assert_eq!(gathered("n[1-4]", script), header("n2") + "\n");
    assert_eq!(gathered("n[1-4]", "exit 1"), "");
}

#[test]
fn without_labels_the_outputs_alone_are_printed_each_once() {
    let script = "case $h in n3) echo other; echo err >&2;; *) echo same;; esac";
    let done = run(&mut call("n[1-4]", &["-N", "-b"], script));
    assert_eq!(done.out(), "same\nother\nstderr: err\n");
    let done = run(&mut call("n[1-2]", &["-N", "--json"], "echo"));
    assert_eq!((done.code(), done.out()), (2, String::new()));
    let words = "clsh: -N and --json contradict each other: each object carries the name";
    assert!(done.err().starts_with(words), "{}", done.err());
}

#[test]
fn a_thousand_nodes_stand_in_three_groups() {
    let script =
        "[ $r -lt 500 ] && exec echo low; [ $r -lt 800 ] && exec echo middle; echo high >&2";
    let done = run(&mut call("n[1-1000]", &["-b"], script));
    let wanted = [
        header("n[1-500] (500)") + "low\n",
        header("n[501-800] (300)") + "middle\n",
        header("n[801-1000] (200)") + "stderr: high\n",
    ];
    assert_eq!(done.out(), wanted.concat());
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn every_byte_comes_out_as_it_came_in() {
    let script = r"printf 'a\000b\377\376\033[31m\r\t%%\n\n'; printf '\303 \000' >&2";
    let mut wanted = header("n[1-2] (2)").into_bytes();
    wanted.extend_from_slice(b"a\0b\xff\xfe\x1b[31m\r\t%\n\nstderr: \xc3 \0\n");
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-2]", &["-b"], script));
        assert_eq!(
            done.stdout.escape_ascii().to_string(),
            wanted.escape_ascii().to_string()
        );
    }
}

#[test]
fn long_lines_come_out_in_the_pieces_they_would_have_without_it() {
    // One that just fits, one byte more, and a long one; no newline at the end.
    let script = "line() { head -c $1 /dev/zero | tr '\\000' $2; }; line 1048576 a; echo; line 1048577 b; echo; line 2500000 c";
    let plain = run(&mut call("n1", &["-N", "-q"], script));
    assert_eq!(plain.out().lines().count(), 6);
    let done = run(&mut call("n[1-2]", &["-b", "-q"], script));
    assert!(
        done.out() == header("n[1-2] (2)") + &plain.out(),
        "{}",
        done.stdout.len()
    );
    // One warning a node, as ever.
    let warned = run(&mut call("n1", &["-b"], script)).err();
    assert_eq!(warned.lines().count(), 1, "{warned}");
}

#[test]
fn a_run_that_is_ended_prints_what_it_has_and_names_the_unfinished() {
    for way in Way::BOTH {
        for signal in [TERM, INT] {
            let nap = nap();
            let script = format!(
                "printf 'a\\nb'; case $h in n[45]) ;; *) exit 3;; esac; [ $h = n4 ] || echo c; exec sleep {nap}"
            );
            let running = start(&mut way.call("n[1-7]", &["-b", "-v", "-f", "5"], &script));
            // Three are done and two sleep; two more started in their place.
            wait_until("five that ended", || {
                running.stderr.text().matches("exit code 3").count() == 5
            });
            wait_until("two that sleep", || count(&["sleep", &nap]) == 2);
            assert_eq!(running.stdout.text(), "", "printed too early");
            running.signal(signal);
            let done = running.finish();
            let wanted = [
                header("n[1-3,6-7] (5)") + "a\nb\n",
                header("n4: unfinished") + "a\nb\n",
                header("n5: unfinished") + "a\nbc\n",
            ];
            assert_eq!(done.out(), wanted.concat(), "{way:?} {signal}");
            // By the signal itself, so that a calling shell sees it.
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&done.status),
                Some(signal)
            );
            assert!(
                done.err().contains("clsh: n[4-5] (2): terminated\n"),
                "{}",
                done.err()
            );
            wait_until("nothing left", || count(&["sleep", &nap]) == 0);
        }
    }
}

#[test]
fn unfinished_nodes_that_said_the_same_stand_together_and_silent_ones_nowhere() {
    let nap = nap();
    let script = format!("[ $h = n3 ] || echo up; exec sleep {nap}");
    let (running, stdin) = start_piped(&mut call("n[1-3],m", &["-b", "-f", "3"], &script));
    wait_until("three that sleep", || count(&["sleep", &nap]) == 3);
    running.signal(TERM);
    let done = running.finish();
    drop(stdin);
    assert_eq!(done.out(), header("n[1-2] (2): unfinished") + "up\n");
    assert!(
        done.err().contains("clsh: m: not started\n"),
        "{}",
        done.err()
    );
    assert_eq!(done.code(), 143);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly_before_and_while_it_prints() {
    // 200 KB are more than a pipe holds.
    let call = call(
        "n[1-3]",
        &["-b"],
        "i=0; while [ $i -lt 200 ]; do i=$((i + 1)); printf '%01000d\\n' 7; done",
    );
    let script = r#""$@" | head -n 1; exit "${PIPESTATUS[0]}""#;
    let done = run(&mut through("bash", script, &call));
    assert_eq!(done.out(), format!("{}\n", "-".repeat(15)));
    assert_eq!((done.code(), done.err()), (141, String::new()));
    for way in Way::BOTH {
        let nap = nap();
        let _stray = Stray::new(&["sleep", &nap]);
        let call = way.call("n[1-3]", &["-b"], &format!("echo up; exec sleep {nap}"));
        let script = r#""$@" | true; exit "${PIPESTATUS[0]}""#;
        let done = run(&mut through("bash", script, &call));
        assert_eq!((done.code(), done.err()), (141, String::new()), "{way:?}");
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn labels_with_user_and_port_are_folded_so_that_they_can_be_named_again() {
    let done = run(&mut call("n1:22,n1:23,bob@n2", &["-b"], "echo same"));
    let out = done.out();
    let names = out.lines().nth(1).expect("a header");
    let (list, many) = names.rsplit_once(' ').expect("a count");
    assert_eq!(many, "(3)");
    let again = run(&mut crate::support::clsh_with(["-Q", "-h", list]));
    assert_eq!(again.out().lines().count(), 3, "{names}");
}
