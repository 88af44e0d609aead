//! `--json`: every line is an object with the keys that README.md names, and all that a node said can be had back from them.

use crate::gear::{Way, call, random};
use crate::kit::{TERM, count, nap, text};
use crate::support::{Finished, run, scratch, start, wait_until};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// All objects; each is one line, and what README.md says of its keys holds.
fn objects(done: &Finished) -> Vec<Value> {
    let text = String::from_utf8(done.stdout.clone()).expect("UTF-8");
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(object).collect()
}

fn object(line: &str) -> Value {
    let object: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let keys: Vec<&str> = object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    // In the order of the alphabet, as they are kept.
    let mut wanted = match &object["event"] {
        Value::Null => vec!["line", "node", "stream"],
        exit if exit == "exit" => vec!["event", "node", "outcome", "seconds", "status"],
        _ => vec!["event", "failed", "nodes", "ok", "seconds", "status"],
    };
    if let Some(connected) = object["connect_seconds"].as_f64() {
        // Of a node that said hello, a part of its seconds.
        assert!(Some(connected) <= object["seconds"].as_f64(), "{line}");
        assert_ne!(object["outcome"], "connection failed", "{line}");
        wanted.insert(0, "connect_seconds");
    }
    if object.get("base64").is_some() {
        wanted[0] = "base64";
    }
    if object.get("more").is_some() {
        assert_eq!(object["more"], true);
        wanted.insert(1, "more");
    }
    assert_eq!(keys, wanted, "{line}");
    assert!(
        object
            .get("seconds")
            .is_none_or(|seconds| seconds.is_f64() || seconds.is_u64()),
        "{line}"
    );
    object
}

/// What a node said on a stream, as bytes, each line with a newline.
fn said(objects: &[Value], node: &str, stream: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for object in objects
        .iter()
        .filter(|object| object["node"] == node && object["stream"] == stream)
    {
        match object["line"].as_str() {
            Some(line) => bytes.extend_from_slice(line.as_bytes()),
            None => {
                let text = object["base64"].as_str().expect("base64");
                let line = BASE64_STANDARD.decode(text).expect("base64");
                assert!(str::from_utf8(&line).is_err(), "it could have been text");
                bytes.extend_from_slice(&line);
            }
        }
        if object.get("more").is_none() {
            bytes.push(b'\n');
        }
    }
    bytes
}

/// How nodes ended, sorted: name, status, word.
fn exits(objects: &[Value]) -> Vec<Value> {
    let exits = objects.iter().filter(|object| object["event"] == "exit");
    let mut exits: Vec<Value> = exits
        .map(|exit| json!([exit["node"], exit["status"], exit["outcome"]]))
        .collect();
    exits.sort_by_key(Value::to_string);
    exits
}

/// The last object counts what the others say, and its status is that of the call.
fn assert_end(done: &Finished, objects: &[Value], nodes: usize, ok: usize) {
    let ends = objects.iter().filter(|object| object["event"] == "end");
    assert_eq!(ends.count(), 1);
    let end = objects.last().expect("an end");
    let told = json!([
        end["event"],
        end["status"],
        end["nodes"],
        end["ok"],
        end["failed"]
    ]);
    assert_eq!(
        told,
        json!(["end", done.code(), nodes, ok, nodes - ok]),
        "{}",
        done.err()
    );
    assert_eq!(exits(objects).len(), nodes);
}

#[test]
fn lines_exits_and_the_end_are_objects() {
    let script = r#"echo "a \"b\" \\ ä"; echo; printf 'no newline'; echo err >&2; exit $((r * 3))"#;
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-3]", &["--json"], script));
        let objects = objects(&done);
        for node in ["n1", "n2", "n3"] {
            let out = String::from_utf8(said(&objects, node, "stdout")).expect("UTF-8");
            assert_eq!(out, "a \"b\" \\ ä\n\nno newline\n", "{way:?}");
            assert_eq!(said(&objects, node, "stderr"), b"err\n");
            // Nothing comes after the end of a node.
            let last = objects
                .iter()
                .rfind(|object| object["node"] == node)
                .expect("its end");
            assert_eq!(last["event"], "exit");
        }
        let wanted = [
            json!(["n1", 0, "exited"]),
            json!(["n2", 3, "exited"]),
            json!(["n3", 6, "exited"]),
        ];
        assert_eq!(exits(&objects), wanted);
        assert_end(&done, &objects, 3, 1);
        assert_eq!(done.code(), 6);
        assert_eq!(
            done.err(),
            "clsh: n2: exited with exit code 3\nclsh: n3: exited with exit code 6\n"
        );
    }
}

#[test]
fn every_byte_can_be_had_back() {
    let place = scratch();
    let mut bytes = random(500_000);
    bytes.extend((0..=255).cycle().take(100_000));
    bytes.extend("ä\u{2028}\0\u{1f}\"\\/😀\n".repeat(1000).as_bytes());
    let path = text(crate::gear::file(place.path(), "input", &bytes));
    for way in Way::BOTH {
        let done = run(&mut way.call(
            "n[1-3]",
            &["--json"],
            &format!("cat {path}; cat {path} >&2"),
        ));
        let objects = objects(&done);
        for node in ["n1", "n2", "n3"] {
            for stream in ["stdout", "stderr"] {
                assert!(
                    said(&objects, node, stream) == bytes,
                    "{way:?} {node} {stream}"
                );
            }
        }
        assert_end(&done, &objects, 3, 3);
    }
}

#[test]
fn a_line_over_a_mebibyte_goes_on_in_the_next_object() {
    // The first line just fits. In the others a character of two bytes stands across each cut, or across none.
    let script = "line() { yes $1 | head -n $2 | tr -d '\\n'; }; line é 524288; echo; line é 524289; echo; printf x; line é 1300000";
    let done = run(&mut call("n1", &["--json", "-q"], script));
    let objects = objects(&done);
    let lines = objects.iter().filter(|object| object["stream"] == "stdout");
    let more: Vec<bool> = lines.map(|line| line.get("more").is_some()).collect();
    assert_eq!(more, [false, true, false, true, true, false]);
    let wanted = format!(
        "{}\n{}\nx{}\n",
        "é".repeat(524_288),
        "é".repeat(524_289),
        "é".repeat(1_300_000)
    );
    assert!(said(&objects, "n1", "stdout") == wanted.as_bytes());
    assert_end(&done, &objects, 1, 1);
}

#[test]
fn the_order_within_a_stream_is_kept() {
    let script = "i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i; echo e$i >&2; done";
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-4]", &["--json"], script));
        let objects = objects(&done);
        let wanted: String = (1..=2000).map(|n| format!("{n}\n")).collect();
        for node in ["n1", "n2", "n3", "n4"] {
            assert_eq!(said(&objects, node, "stdout"), wanted.as_bytes(), "{way:?}");
            let err = String::from_utf8(said(&objects, node, "stderr")).expect("UTF-8");
            assert_eq!(err.replace('e', ""), wanted);
        }
    }
}

#[test]
fn every_node_has_an_exit_when_the_run_is_ended() {
    for way in Way::BOTH {
        let nap = nap();
        let script = format!("[ $h != n1 ] || exit 5; echo up; printf part; exec sleep {nap}");
        let running = start(&mut way.call("n[1-5]", &["--json", "-f", "2"], &script));
        wait_until("two that sleep", || count(&["sleep", &nap]) == 2);
        running.stdout.wait_for("\"exit\"");
        running.signal(TERM);
        let done = running.finish();
        let objects = objects(&done);
        let wanted = [
            json!(["n1", 5, "exited"]),
            json!(["n2", null, "terminated"]),
            json!(["n3", null, "terminated"]),
            json!(["n4", null, "not started"]),
            json!(["n5", null, "not started"]),
        ];
        assert_eq!(exits(&objects), wanted, "{way:?}");
        for node in ["n2", "n3"] {
            assert_eq!(said(&objects, node, "stdout"), b"up\npart\n");
        }
        assert_end(&done, &objects, 5, 0);
        assert_eq!(done.code(), 143);
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn what_became_of_nodes_that_were_not_reached_lost_or_too_slow_is_told() {
    let nap = nap();
    let place = scratch();
    let remote = "#!/bin/sh\n[ $1 != n2 ] || exit 1; exec sh -c \"$2\"\n";
    let remote = text(crate::support::script(place.path(), "remote", remote));
    let script = format!(
        "case $CLSH_HOST in n1) exit 0;; n3) kill -9 $PPID;; n4) exec sleep {nap};; n5) kill -9 $$;; esac"
    );
    let mut call = crate::support::clsh_with([
        "-h",
        "n[1-5]",
        "-R",
        &remote,
        "--json",
        "--keep-going",
        "-u",
        "2",
    ]);
    let done = run(call.arg(&script));
    let objects = objects(&done);
    let wanted = [
        json!(["n1", 0, "exited"]),
        json!(["n2", 255, "connection failed"]),
        json!(["n3", 255, "connection lost"]),
        json!(["n4", 124, "timed out"]),
        json!(["n5", 137, "exited"]),
    ];
    assert_eq!(exits(&objects), wanted);
    assert_end(&done, &objects, 5, 1);
    assert_eq!(done.code(), 255);
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
}

#[test]
fn names_of_any_alphabet_are_names() {
    let done = run(&mut call(
        "ä1,日本[1-2],b.c:22,b.c:23",
        &["--json"],
        "echo ü",
    ));
    let objects = objects(&done);
    let wanted =
        ["b.c:22", "b.c:23", "ä1", "日本1", "日本2"].map(|node| json!([node, 0, "exited"]));
    assert_eq!(exits(&objects), wanted);
    for node in ["b.c:22", "b.c:23", "ä1", "日本1", "日本2"] {
        assert_eq!(said(&objects, node, "stdout"), "ü\n".as_bytes(), "{node}");
    }
}

#[test]
fn nothing_but_objects_stands_on_stdout_whatever_else_is_asked_for() {
    let place = scratch();
    let failed = text(place.path().join("failed"));
    for way in Way::BOTH {
        let flags = [
            "--json",
            "-v",
            "--summary",
            "--failed",
            &failed,
            "-k",
            "--color",
            "always",
        ];
        let done = run(&mut way.call("n[1-3]", &flags, "echo line; sleep $r; exit 2"));
        let objects = objects(&done);
        assert_end(&done, &objects, 3, 0);
        assert_eq!(said(&objects, "n1", "stdout"), b"line\n", "{way:?}");
    }
}
