//! `-L`: the lines of every node in the order of the nodes, those of the first that is not done as they come.

use crate::gear::{Way, await_file, call};
use crate::kit::{TERM, count, labelled, nap};
use crate::support::{run, scratch, start, wait_until};
use std::fs;

#[test]
fn the_first_node_that_is_not_done_is_live_and_later_ones_wait() {
    for way in Way::BOTH {
        for flag in ["-L", "--in-order"] {
            let place = scratch();
            let at = |name: &str| place.path().join(name);
            let script = format!(
                "echo $h one; echo $h err >&2; [ $h != n1 ] || {{ {}; }}; [ $h != n2 ] || {{ {}; }}; echo $h two",
                await_file(&at("n1")),
                await_file(&at("n2")),
            );
            let running = start(&mut way.call("n[1-4]", &[flag, "-v"], &script));
            running.stdout.wait_for("n1: n1 one\n");
            running.stderr.wait_for("n1: n1 err\n");
            // Both that wait for nothing are done, and nothing of them is shown.
            for node in ["n3", "n4"] {
                running.stderr.wait_for(&format!("clsh: {node}: exited"));
            }
            assert_eq!(running.stdout.text(), "n1: n1 one\n", "{way:?}");
            assert_eq!(running.stderr.text().matches(" err\n").count(), 1);
            fs::write(at("n1"), "").expect("go");
            // The turn of the second has come: what it said, and what it says, is shown.
            running.stdout.wait_for("n1: n1 two\nn2: n2 one\n");
            running.stderr.wait_for("n2: n2 err\n");
            assert!(!running.stdout.text().contains("n3"));
            fs::write(at("n2"), "").expect("go");
            let done = running.finish();
            let nodes = ["n1", "n2", "n3", "n4"];
            let wanted =
                nodes.map(|node| labelled(node, &[&format!("{node} one"), &format!("{node} two")]));
            assert_eq!(done.out(), wanted.concat());
            let err = done.err();
            let told: Vec<&str> = err.lines().filter(|line| line.ends_with(" err")).collect();
            assert_eq!(told, nodes.map(|node| format!("{node}: {node} err")));
            assert_eq!(done.code(), 0);
        }
    }
}

#[test]
fn many_nodes_a_few_at_a_time_come_out_in_order() {
    // The later the sooner, among those that run together.
    let script = "i=$((7 - r % 8)); while [ $i -gt 0 ]; do i=$((i - 1)); sleep 0.01; done; printf '%s a\\n%s b' $h $h; exit $((r % 3))";
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-60]", &["-L", "-f", "8"], script));
        let wanted: String = (1..=60)
            .map(|n| labelled(&format!("n{n}"), &[&format!("n{n} a"), &format!("n{n} b")]))
            .collect();
        assert_eq!(done.out(), wanted, "{way:?}");
        assert_eq!(done.code(), 2);
    }
}

#[test]
fn the_order_is_that_of_the_words_and_not_of_the_names() {
    let script = "case $h in m) sleep 0.2;; esac; echo $h";
    let done = run(&mut call("m,c,a,b", &["-L"], script));
    assert_eq!(done.out(), "m: m\nc: c\na: a\nb: b\n");
}

#[test]
fn lines_of_both_streams_keep_their_order_behind_the_first_node() {
    // On one pipe the order of the two streams can be seen.
    let script = "[ $h != n1 ] || sleep 0.3; for i in 1 2 3; do echo out $i; sleep 0.03; echo err $i >&2; sleep 0.03; done";
    let call = call("n[1-2]", &["-L"], script);
    let done = run(&mut crate::kit::through("sh", "exec \"$@\" 2>&1", &call));
    let lines = ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"];
    assert_eq!(done.out(), labelled("n1", &lines) + &labelled("n2", &lines));
}

#[test]
fn every_byte_of_a_later_node_comes_out_as_it_came_in() {
    let script = r"[ $h != n1 ] || sleep 0.2; printf 'a\000b\377\n\n1\n2\n\r'";
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-2]", &["-L"], script));
        let wanted = |node: &str| {
            let text = b"a\0b\xff\nLABEL\nLABEL1\nLABEL2\nLABEL\r\n"
                .escape_ascii()
                .to_string();
            format!("{node}: {}", text.replace("LABEL", &format!("{node}: ")))
        };
        assert_eq!(
            done.stdout.escape_ascii().to_string(),
            wanted("n1") + &wanted("n2")
        );
    }
}

#[test]
fn long_lines_of_a_later_node_are_cut_where_they_would_be_without_it() {
    let place = scratch();
    let go = place.path().join("go");
    let script = format!(
        "[ $h != n1 ] || {{ {}; echo first; exit; }}; line() {{ head -c $1 /dev/zero | tr '\\000' $2; }}; line 1048576 a; echo; line 1048577 b; echo; line 2500000 c; printf x >&2",
        await_file(&go)
    );
    let plain = run(&mut call("n2", &["-q"], &script));
    let lengths: Vec<usize> = plain
        .out()
        .lines()
        .map(|line| line.len() - "n2: ".len())
        .collect();
    assert_eq!(
        lengths,
        [1 << 20, 1 << 20, 1, 1 << 20, 1 << 20, 2_500_000 - (2 << 20)]
    );
    let running = start(&mut call("n[1-2]", &["-L", "-v"], &script));
    running.stderr.wait_for("clsh: n2: exited");
    fs::write(&go, "").expect("go");
    let done = running.finish();
    assert!(
        done.out() == format!("n1: first\n{}", plain.out()),
        "other pieces"
    );
    assert_eq!(
        done.err().matches("longer than 1 MiB").count(),
        1,
        "{}",
        done.err()
    );
}

#[test]
fn a_run_that_is_ended_prints_what_had_arrived_in_order() {
    for way in Way::BOTH {
        let nap = nap();
        let script = format!(
            "echo $h; [ $h != n2 ] || exit 0; printf '%s part' $h; echo $h err >&2; exec sleep {nap}"
        );
        let running = start(&mut way.call("n[1-4],m", &["-L", "-v", "-f", "4"], &script));
        running.stdout.wait_for("n1: n1\n");
        running.stderr.wait_for("clsh: n2: exited");
        // The last one starts in its place.
        wait_until("four that sleep", || count(&["sleep", &nap]) == 4);
        running.signal(TERM);
        let done = running.finish();
        let part = |node: &str| labelled(node, &[node, &format!("{node} part")]);
        let wanted = part("n1") + "n2: n2\n" + &part("n3") + &part("n4") + &part("m");
        assert_eq!(done.out(), wanted, "{way:?}");
        let err = done.err();
        let told: Vec<&str> = err.lines().filter(|line| line.ends_with(" err")).collect();
        assert_eq!(told, ["n1: n1 err", "n3: n3 err", "n4: n4 err", "m: m err"]);
        assert_eq!(done.code(), 143);
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}
