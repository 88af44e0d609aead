//! A terminal recording for the README: `cargo bench --bench recording -- record` writes `benches/results/recording.svg`.
//!
//! Responsible for the script of the recording. A shell on a pseudo terminal runs the commands against the real sshd nodes of
//! `docker/local-cluster`; what it shows is what was there.

mod film;
mod stage;
mod svg;

use stage::{Cluster, Stage};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const SHELL: &str = "$";
const SESSION: &str = "clsh>";

/// What is typed, the prompt that follows, and how long a reader takes for what came.
const SCRIPT: [(&str, &str, u64); 8] = [
    ("clsh -h 'node[1-4]' cat /proc/loadavg", SHELL, 1000),
    // One node's clock runs in another zone, and one node is down.
    ("clsh -h 'node[1-5]' date +%H:%M", SHELL, 1500),
    ("clsh -h 'node[1-4]' -b date +%Z", SHELL, 1400),
    (
        "clsh -h 'node[1-4]' 'echo $CLSH_RANK of $CLSH_COUNT' | sort",
        SHELL,
        1000,
    ),
    ("clsh -h 'node[1-4]' -i", SESSION, 700),
    ("cd /etc", SESSION, 400),
    ("pwd", SESSION, 900),
    ("quit", SHELL, 0),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // It takes half a minute and measures nothing, so all of the benches together leave it out.
    if !words.iter().any(|word| word == "record") {
        if words.iter().any(|word| word == "--bench") {
            eprintln!("recording: left out; cargo bench --bench recording -- record");
        }
        return ExitCode::SUCCESS;
    }
    match record() {
        Ok(said) => {
            eprintln!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("recording: {error}");
            ExitCode::FAILURE
        }
    }
}

fn record() -> Result<String, Box<dyn Error>> {
    let cluster = Cluster::start()?;
    let mut stage = Stage::open(&cluster)?;
    stage.wait_for(SHELL)?;
    stage.read(Duration::from_millis(700));
    for (line, prompt, millis) in SCRIPT {
        stage.enter(line)?;
        stage.wait_for(prompt)?;
        stage.read(Duration::from_millis(millis));
    }
    let film = film::Film::of(&stage.close());
    let text = svg::svg(&film);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results/recording.svg");
    fs::write(&path, &text)?;
    let seconds = film.millis / 1000;
    Ok(format!(
        "benches/results/recording.svg: {seconds} s, {} bytes",
        text.len()
    ))
}
