//! Every floor complains where it should.

use crate::floors::*;
use crate::programs::{asked_for, missing_from, started_by_script, started_by_test};
use crate::rules::*;
use crate::text::*;
use clsh::cli::table;
use std::collections::{BTreeMap, BTreeSet};

fn complaints(floor: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    floor(&Source::new(path, text))
}

#[test]
fn comments_and_literals_are_no_code() {
    let text =
        "a // b \"\n\"c\\\"d\" e 'f' '\\'' <'g> b\"h\" r#\"i\"j\"# br\"k\\\" l /* m\n */ n 'ö' o";
    let words: Vec<String> = code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(
        words,
        ["a", "e", "<'g>", "b", "b", "l", "n", "o"].map(str::to_owned)
    );
}

#[test]
fn tests_are_cut_off() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c({}); } }\nfn d() {}\n#[cfg(test)]\nmod e;\n";
    let left = without_tests(text);
    assert!(left.contains("fn a()") && left.contains("fn d()"), "{left}");
    assert!(!left.contains('b') && !left.contains('e'), "{left}");
}

#[test]
fn paths_are_found_however_they_are_written() {
    for text in [
        "use std::fs;",
        "use std::fs::File;",
        "use std::{io, fs};",
        "use std::{\n    io::{self, Read},\n    fs::{\n        File,\n    },\n};",
        "let a = std::fs::read(b);",
        "let a = ::std::fs::read(b);",
        "fn a(b: std :: fs :: File) {}",
    ] {
        assert!(names(&paths(text), "std::fs"), "{text}: {:?}", paths(text));
    }
    for text in [
        "use std::{io, net};",
        "use std::fsx;",
        "fs::read(a)",
        "my_std::fs",
    ] {
        assert!(!names(&paths(text), "std::fs"), "{text}");
    }
}

#[test]
fn the_floor_of_pure_rooms_complains() {
    let floor = pure_rooms_know_no_kernel_and_no_clock;
    for text in [
        "use mio::Poll;",
        "use nix::libc;",
        "use signal_hook_mio::v1_0::Signals;",
        "use std::fs;",
        "use std::{io, net::TcpStream};",
        "use std::process::Command;",
        "fn a() { std::thread::sleep(b); }",
        "use std::time::{Duration, Instant};",
        "let now = Instant::now();",
        "let now = SystemTime::now();",
        "use crate::sys::read;",
        "use crate::{limits, sys};",
        "use crate::cli;",
    ] {
        for path in ["src/engine/node.rs", "src/report.rs"] {
            assert!(!complaints(floor, path, text).is_empty(), "{path}: {text}");
        }
        assert_eq!(complaints(floor, "src/sys/mod.rs", text), [""; 0]);
    }
    let fine =
        "use std::{io, time::Duration};\n// nix\nuse crate::limits;\nconst A: &str = \"std::fs\";";
    assert_eq!(complaints(floor, "src/engine/node.rs", fine), [""; 0]);
    let tests = "#[cfg(test)]\nmod tests { use std::fs; }";
    assert_eq!(complaints(floor, "src/engine/node.rs", tests), [""; 0]);
}

#[test]
fn the_floor_of_sys_complains() {
    let floor = sys_knows_only_limits;
    for text in [
        "use crate::engine::Event;",
        "use crate::{limits::A, outcome};",
        "crate::report::status()",
    ] {
        assert!(
            !complaints(floor, "src/sys/spawn.rs", text).is_empty(),
            "{text}"
        );
    }
    assert!(!complaints(floor, "src/sys/mod.rs", "use super::engine;").is_empty());
    let fine = "use crate::limits::A;\nuse crate::sys::read;\nuse super::Signals;";
    assert_eq!(complaints(floor, "src/sys/spawn.rs", fine), [""; 0]);
}

#[test]
fn the_floors_of_the_driver_and_of_all_others_complain() {
    for text in [
        "use crate::cli::Flag;",
        "use crate::{cli, job};",
        "use lexopt::Arg;",
    ] {
        assert!(!complaints(the_driver_knows_no_flag, "src/driver.rs", text).is_empty());
    }
    let text = "use crate::sys;";
    let floor = only_main_driver_and_sys_start_anything;
    assert!(!complaints(floor, "src/cli/files.rs", text).is_empty());
    assert_eq!(complaints(floor, "src/driver.rs", text), [""; 0]);
}

#[test]
fn the_floor_of_unsafe_code_complains() {
    let floor = unsafe_stands_in_sys_alone_and_says_why_it_is_sound;
    let explained = "// SAFETY: it is sound,\n// because.\nlet a = unsafe { b() };";
    assert_eq!(complaints(floor, "src/sys/a.rs", explained), [""; 0]);
    assert!(!complaints(floor, "src/driver.rs", explained).is_empty());
    for text in [
        "let a = unsafe { b() };",
        "// SAFETY: it is sound.\n\nlet a = unsafe { b() };",
        "// It is sound.\nlet a = unsafe { b() };",
    ] {
        assert!(
            !complaints(floor, "src/sys/a.rs", text).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn the_floors_of_threads_and_panics_complain() {
    for text in [
        "std::thread::spawn(a);",
        "use std::thread;",
        "thread::scope(a)",
    ] {
        assert!(!complaints(nothing_starts_a_thread, "src/sys/a.rs", text).is_empty());
    }
    let floor = nothing_gives_up_by_a_panic;
    for text in [
        "a.unwrap();",
        "a\n    .unwrap()\n    .b();",
        "a.expect(\"b\");",
        "panic!(\"a\")",
        "todo!()",
        "unimplemented!()",
        "assert!(a);",
        "assert_eq!(a, b);",
    ] {
        assert!(
            !complaints(floor, "src/driver.rs", text).is_empty(),
            "{text}"
        );
    }
    let fine = "const _: () = assert!(A < B);\ndebug_assert!(a);\na.unwrap_or(b);\n// .unwrap()\n";
    assert_eq!(complaints(floor, "src/driver.rs", fine), [""; 0]);
    let check = "pub fn check(&self) { assert!(a); }";
    assert_eq!(complaints(floor, "src/engine/check.rs", check), [""; 0]);
    assert!(!complaints(floor, "src/engine/node.rs", check).is_empty());
}

#[test]
fn the_floors_of_length_complain() {
    let lines = |count: usize| "a();\n".repeat(count);
    let floor = a_file_is_not_too_long;
    assert_eq!(complaints(floor, "a", &lines(FILE_LINES_MAX)), [""; 0]);
    assert!(!complaints(floor, "a", &lines(FILE_LINES_MAX + 1)).is_empty());
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(1000));
    assert_eq!(complaints(floor, "a", &tests), [""; 0]);
    let floor = a_function_fits_a_screen;
    let function =
        |count: usize| format!("impl A {{ fn b<T>(c: [u8; 2]) {{\n{}}} }}", lines(count));
    assert_eq!(
        complaints(floor, "a", &function(FUNCTION_LINES_MAX - 2)),
        [""; 0]
    );
    assert!(!complaints(floor, "a", &function(FUNCTION_LINES_MAX - 1)).is_empty());
}

#[test]
fn the_floors_of_heads_names_and_numbers_complain() {
    let floor = a_file_begins_by_saying_what_it_is_for;
    assert!(!complaints(floor, "a", "use std::io;\n//! Late.").is_empty());
    assert_eq!(complaints(floor, "a", "//! What it is for."), [""; 0]);
    let floor = names_of_the_field_only;
    assert!(!complaints(floor, "src/utils.rs", "").is_empty());
    assert!(!complaints(floor, "src/a.rs", "mod helpers;").is_empty());
    let floor = exit_numbers_stand_in_outcome_alone;
    for text in ["exit(255)", "Status(124)", "const A: u8 = 255;"] {
        assert!(
            !complaints(floor, "src/driver.rs", text).is_empty(),
            "{text}"
        );
        assert_eq!(complaints(floor, "src/outcome.rs", text), [""; 0]);
    }
    assert_eq!(
        complaints(floor, "src/driver.rs", "// 255\nlet a = 1255;"),
        [""; 0]
    );
}

#[test]
fn the_rule_of_the_top_level_complains() {
    let fine = ["Cargo.toml", "src/main.rs", "tests/a/b.rs", ".ci/x"];
    assert_eq!(strangers_at_the_top(&fine), [""; 0]);
    assert_eq!(
        strangers_at_the_top(&["src/a.rs", "notes.md", "scripts/b"]),
        ["notes.md", "scripts"]
    );
}

#[test]
fn the_rule_of_the_readme_complains() {
    let whole: String = table::spellings()
        .iter()
        .map(|spelling| format!("`{spelling} X` "))
        .collect();
    assert_eq!(readme_and_table_differ(&whole), [""; 0]);
    let short = whole.replace("`--fanout X` ", "");
    assert_eq!(readme_and_table_differ(&short), ["--fanout is left out"]);
    let long = format!("{whole}\n`--no-such-flag`");
    assert_eq!(
        readme_and_table_differ(&long),
        ["--no-such-flag is no flag"]
    );
    let call = format!("{whole}\n\n    $ clsh --no-such-flag n1\n    n1: clsh");
    assert_eq!(readme_and_table_differ(&call).len(), 1);
    let span = format!("{whole}\n`clsh -h n1 ls -l --no-flag-of-clsh`, a leading `-`, `--`");
    assert_eq!(readme_and_table_differ(&span), [""; 0]);
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn programs_are_found_where_something_is_started() {
    let test = r##"
        Command::new("a"); must(&["b", "no"]); let c = "/usr/sbin/c"; for shell in ["bash", "d"] {}
        // Command::new("no")
        let text = "if e -x; then exec f; fi | X=1 g\nh"; let plain = "no", word = "no no";
        let made = format!("{no}; i {no}; kill {{}}", no = r#"j && k"#);
    "##;
    let named = ["/usr/sbin/c", "a", "b", "bash", "d"];
    let typed = [
        "e", "exec", "f", "g", "h", "i", "if", "j", "k", "then", "fi",
    ];
    assert_eq!(started_by_test(test), set(&[&named[..], &typed].concat()));
    let script =
        "# no\na | b 'no; no' \"no; no\" \"$(c)\"\n\tcat <<-EOF\n\tno\n\tEOF\n! quietly d -x no";
    let started = ["a", "b", "c", "cat", "d", "quietly"];
    assert_eq!(started_by_script(script), set(&started));
}

#[test]
fn the_rule_of_packages_complains() {
    let script = "# x:no\nlist=(\n\ta:b c:d\n)\nhave e || missing+=(e f)\nhave g || lacks g\nlacks \"${x#*:}\"";
    assert_eq!(asked_for(script), set(&["b", "d", "e", "f", "g"]));
    let program = |name: &str, packages: &[&str]| (name.to_owned(), set(packages));
    let beyond = BTreeMap::from([
        program("a", &["b", "other"]),
        program("git", &["git"]),
        program("x", &["y"]),
    ]);
    assert_eq!(missing_from(&asked_for(script), &beyond), [r#"x: {"y"}"#]);
}
