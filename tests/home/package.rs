//! The Debian package: `docker/debian-package` makes what Cargo.toml packs. Method: the script runs with a cargo that builds nothing.

use crate::support::{Finished, clsh, run, run_clsh, scratch, script};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const MADE: &str = "target/release/debian/";

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `package.metadata.deb`, as cargo reads it.
fn metadata() -> Value {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(house());
    let done = run(command.stdin(Stdio::null()));
    assert_eq!(done.code(), 0, "{}", done.err());
    let read: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    read["packages"][0]["metadata"]["deb"].clone()
}

/// Source, place and mode of each file in the package.
fn assets(metadata: &Value) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let assets = metadata["assets"].as_array().expect("assets");
    assets
        .iter()
        .map(|asset| [0, 1, 2].map(|part| text(&asset[part])))
        .collect()
}

/// The script with these words, the binary under test in place of a build, and what it made.
fn packaged(words: &[&str]) -> (TempDir, Finished) {
    let place = scratch();
    let source = fs::read_to_string(house().join("docker/debian-package")).expect("the script");
    let version = source
        .lines()
        .find_map(|line| line.strip_prefix("cargo_deb_version="))
        .expect("a version");
    let cargo = r#"#!/bin/sh
        case $1 in
            build) mkdir -p "$CARGO_TARGET_DIR/release" && cp "$BUILT" "$CARGO_TARGET_DIR/release/clsh" ;;
            deb) echo "$CARGO_TARGET_DIR/debian/clsh.deb" ;;
            *) exit 9 ;;
        esac"#;
    script(place.path(), "cargo", cargo);
    script(
        place.path(),
        "cargo-deb",
        &format!("#!/bin/sh\necho {version}\n"),
    );
    script(place.path(), "dpkg-shlibdeps", "#!/bin/sh\n");
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new(house().join("docker/debian-package"));
    command
        .args(words)
        .env("PATH", format!("{}:{path}", place.path().display()))
        .env("BUILT", clsh().get_program())
        .env("CARGO_TARGET_DIR", place.path().join("target"))
        .env("SOURCE_DATE_EPOCH", "86400");
    let done = run(command.stdin(Stdio::null()));
    (place, done)
}

/// A file that the script made, unpacked.
fn made(place: &TempDir, name: &str) -> String {
    let path = place.path().join(MADE).join(name);
    if !name.ends_with(".gz") {
        return fs::read_to_string(path).expect(name);
    }
    let mut command = Command::new("gzip");
    let done = run(command.arg("-dc").arg(path).stdin(Stdio::null()));
    assert_eq!(done.code(), 0, "{}", done.err());
    done.out()
}

#[test]
fn the_script_makes_what_cargo_toml_packs_and_nothing_else() {
    let (place, done) = packaged(&[]);
    assert_eq!((done.code(), done.err()), (0, String::new()));
    assert!(done.out().ends_with("/clsh.deb\n"), "{}", done.out());

    let mut packed = BTreeSet::new();
    for [source, ..] in assets(&metadata()) {
        if let Some(name) = source.strip_prefix(MADE) {
            packed.insert(name.to_owned());
        } else if source != "target/release/clsh" {
            assert!(house().join(&source).is_file(), "there is no {source}");
        }
    }
    let files = fs::read_dir(place.path().join(MADE)).expect("a directory");
    let made: BTreeSet<String> = files
        .map(|file| {
            let name = file.expect("an entry").file_name();
            name.into_string().expect("text")
        })
        .collect();
    assert_eq!(packed, made);
}

#[test]
fn what_the_script_makes_is_what_it_should_be() {
    let (place, _) = packaged(&[]);
    for (page, name) in [
        ("man", "clsh.1.gz"),
        ("complete-bash", "clsh.bash"),
        ("complete-zsh", "clsh.zsh"),
        ("complete-fish", "clsh.fish"),
    ] {
        let printed = run_clsh(["--generate", page]).out();
        assert_eq!(made(&place, name), printed, "{name}");
    }
    let metadata = metadata();
    let maintainer = metadata["maintainer"].as_str().expect("a maintainer");
    let version = env!("CARGO_PKG_VERSION");
    let changelog = made(&place, "changelog.gz");
    assert!(
        changelog.starts_with(&format!("clsh ({version}) ")),
        "{changelog}"
    );
    let signed = format!("\n -- {maintainer}  Fri, 02 Jan 1970 00:00:00 +0000\n");
    assert!(changelog.ends_with(&signed), "{changelog}");
    let licence = fs::read_to_string(house().join("LICENSE")).expect("a licence");
    let copyright = made(&place, "copyright");
    for line in licence.lines().skip(1).filter(|line| !line.is_empty()) {
        let line = line.trim_start_matches("Copyright (c) ");
        assert!(copyright.contains(&format!(" {line}\n")), "{line}");
    }
}

/// The names are those under which man and the shells look.
#[test]
fn every_file_goes_to_its_place() {
    let metadata = metadata();
    let places: Vec<String> = assets(&metadata)
        .into_iter()
        .map(|[source, place, mode]| {
            let name = match place.ends_with('/') {
                true => source.rsplit('/').next().unwrap_or_default(),
                false => "",
            };
            format!("{mode} {place}{name}")
        })
        .collect();
    for place in [
        "755 usr/bin/clsh",
        "644 usr/share/man/man1/clsh.1.gz",
        "644 usr/share/bash-completion/completions/clsh",
        "644 usr/share/zsh/vendor-completions/_clsh",
        "644 usr/share/fish/vendor_completions.d/clsh.fish",
        "644 usr/share/doc/clsh/copyright",
    ] {
        assert!(
            places.iter().any(|there| there == place),
            "{place}: {places:?}"
        );
    }
    let depends = metadata["depends"].as_str().expect("depends");
    let depends: Vec<&str> = depends.split(", ").collect();
    assert_eq!(depends, ["$auto", "openssh-client"]);
}

#[test]
fn the_script_is_sound_and_takes_no_other_word() {
    let mut command = Command::new("shellcheck");
    let done = run(command
        .arg(house().join("docker/debian-package"))
        .stdin(Stdio::null()));
    assert_eq!((done.code(), done.out()), (0, String::new()));
    let (_, done) = packaged(&["--fast"]);
    assert_eq!((done.code(), done.out()), (2, String::new()));
    assert!(done.err().contains("--fast"), "{}", done.err());
}
