//! Goal: the floors of the house stand as DESIGN.md draws them, so that nobody has to remember them. Method: the source text is read
//! with comments and literals blanked out and tests cut off, and each floor is a function from text to complaints; every one of them is
//! shown to complain.

mod complaints;
mod floors;
mod programs;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod text;

use floors::*;
use programs::{asked_for, started_by_script, started_by_test, unasked};
use rules::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn sources(directory: &str) -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(&house().join(directory), &mut files);
    assert!(!files.is_empty(), "no sources in {directory}");
    let relative = |path: &Path| {
        let path = path.strip_prefix(house()).expect("inside");
        path.to_str().expect("UTF-8").to_owned()
    };
    files
        .iter()
        .map(|path| Source::new(&relative(path), &fs::read_to_string(path).expect("text")))
        .collect()
}

/// The sources, but for files that are tests as a whole.
fn rooms() -> Vec<Source> {
    let mut sources = sources("src");
    sources
        .retain(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/"));
    sources
}

#[track_caller]
fn holds(sources: &[Source], floor: fn(&Source) -> Vec<String>) {
    let complaints: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let complaints = floor(source);
            complaints
                .into_iter()
                .map(move |complaint| format!("{}: {complaint}", source.path))
        })
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn every_room_has_its_floor() {
    let sources = rooms();
    let known: Vec<&str> = [&PURE[..], &["sys", "driver", "cli", "main", "lib"]].concat();
    for room in &known {
        assert!(
            sources.iter().any(|source| source.room() == *room),
            "{room}"
        );
    }
    // A new room has to be put on its floor here first.
    for source in &sources {
        assert!(known.contains(&source.room()), "{}", source.path);
    }
}

#[test]
fn floors_hold() {
    let sources = rooms();
    holds(&sources, pure_rooms_know_no_kernel_and_no_clock);
    holds(&sources, sys_knows_only_limits);
    holds(&sources, the_driver_knows_no_flag);
    holds(&sources, only_main_driver_and_sys_start_anything);
}

#[test]
fn unsafe_code_is_in_its_room_and_explained() {
    holds(
        &rooms(),
        unsafe_stands_in_sys_alone_and_says_why_it_is_sound,
    );
}

#[test]
fn one_thread_and_no_panics() {
    holds(&rooms(), nothing_starts_a_thread);
    holds(&rooms(), nothing_gives_up_by_a_panic);
}

#[test]
fn files_and_functions_are_short() {
    holds(&rooms(), a_file_is_not_too_long);
    holds(&rooms(), a_function_fits_a_screen);
    holds(&sources("benches"), a_file_is_not_too_long);
    holds(&sources("benches"), a_function_fits_a_screen);
}

#[test]
fn every_file_has_a_head() {
    holds(&rooms(), a_file_begins_by_saying_what_it_is_for);
    holds(&sources("tests"), a_file_begins_by_saying_what_it_is_for);
    holds(&sources("benches"), a_file_begins_by_saying_what_it_is_for);
}

#[test]
fn exit_numbers_have_one_owner() {
    holds(&rooms(), exit_numbers_stand_in_outcome_alone);
}

#[test]
fn nothing_is_called_a_helper() {
    holds(&rooms(), names_of_the_field_only);
}

#[test]
fn nothing_else_stands_at_the_top() {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(house())
        .output()
        .expect("git must be there");
    assert!(listed.status.success(), "not a git repository");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let files: Vec<&str> = listed.lines().collect();
    assert!(files.contains(&"Cargo.toml"), "{files:?}");
    assert_eq!(strangers_at_the_top(&files), [""; 0]);
}

/// The scripts ask for what a minimal Debian has not, before they or the tests start it.
#[test]
fn what_scripts_and_tests_start_is_installed_first() {
    let script = |name: &str| fs::read_to_string(house().join(name)).expect("a script");
    let (run, cluster) = (script("tests/run"), script("docker/local-cluster"));
    let nothing: [String; 0] = [];
    assert_eq!(
        unasked(&asked_for(&cluster), &started_by_script(&cluster)),
        nothing,
        "docker/local-cluster installs too little"
    );
    let mut programs = started_by_script(&run);
    for name in ["docker/base-image", "docker/debian-package"] {
        programs.append(&mut started_by_script(&script(name)));
    }
    let mut files = Vec::new();
    rust_files(&house().join("tests"), &mut files);
    for file in files {
        let text = fs::read_to_string(file).expect("text");
        programs.append(&mut started_by_test(&text));
    }
    assert_eq!(
        unasked(&asked_for(&run), &programs),
        nothing,
        "tests/run installs too little"
    );
}

#[test]
fn the_readme_knows_every_flag_and_no_other() {
    let path = house().join("README.md");
    let readme = fs::read_to_string(&path);
    let readme = readme.unwrap_or_else(|error| panic!("README.md must be there: {error}"));
    let differ = readme_and_table_differ(&readme);
    assert!(differ.is_empty(), "{differ:#?}");
}
