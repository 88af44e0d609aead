//! Machine, date, table: the text of a run, where it is kept, and the README's copy of it.

use super::contenders::{ALL, Contenders, Who};
use super::numbers::{between_marks, date, markdown};
use super::plot::{Line, svg};
use super::race::Row;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const MARKS: [&str; 2] = ["<!-- bench -->", "<!-- /bench -->"];

pub struct Report {
    today: String,
    machine: String,
    kernel: String,
    table: String,
    versions: Vec<String>,
    missing: Vec<&'static str>,
    load: String,
    seconds: u64,
}

fn in_house(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// The processor's name, how many of them, and the memory.
fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let name = name.map_or("unknown", |name| name.trim_start_matches(['\t', ' ', ':']));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{name}, {count} cores")
}

pub fn table(rows: &[Row]) -> String {
    let mut columns = vec!["work".to_owned()];
    columns.extend(ALL.map(|who| who.name().to_owned()));
    columns[1] = "floor, or what else is the measure".to_owned();
    columns.push("target".to_owned());
    let rows = rows.iter().map(Row::columns);
    let rows: Vec<_> = std::iter::once(columns).chain(rows).collect();
    // Without those who took no part at all.
    let present: Vec<usize> = (0..rows[0].len())
        .filter(|&at| rows[1..].iter().any(|row| !row[at].is_empty()))
        .collect();
    let pick = |row: &Vec<String>| present.iter().map(|&at| row[at].clone()).collect();
    markdown(&rows.iter().map(pick).collect::<Vec<_>>())
}

impl Report {
    pub fn new(with: &Contenders, rows: &[Row], load: String, seconds: u64) -> Report {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let days = since.map_or(0, |since| since.as_secs() / 86_400);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Report {
            today: date(days),
            machine: machine(),
            kernel: kernel.trim().split('-').next().unwrap_or_default().into(),
            table: table(rows),
            versions: with.versions(),
            missing: with.missing(),
            load,
            seconds,
        }
    }

    /// One sentence on where and when.
    fn circumstances(&self) -> String {
        let missing = match self.missing.len() {
            0 => String::new(),
            _ => format!(" Not installed: {}.", self.missing.join(", ")),
        };
        format!(
            "{}, on {}, shared with other work (load {} when it began), Linux {}; {}.{missing}",
            self.today,
            self.machine,
            self.load,
            self.kernel,
            self.versions.join(", ")
        )
    }

    pub fn text(&self) -> String {
        format!(
            "# clsh against its floor and its neighbours\n\n{}\n\nThe run took {} s. Wall times of whole programs: the median and, \
             in brackets, the fastest and the slowest run; **1.02x** is the median, over the rounds, of the time divided by that of the \
             second column in the same round.\n\n{}",
            self.circumstances(),
            self.seconds,
            self.table
        )
    }

    /// Keeps the run; the name of its file.
    pub fn keep(&self, lines: &[Line]) -> std::io::Result<String> {
        let mut slug = String::new();
        for letter in format!("{}-linux-{}", self.machine, self.kernel).chars() {
            match letter {
                'A'..='Z' | 'a'..='z' | '0'..='9' | '.' => slug.push(letter.to_ascii_lowercase()),
                _ if !slug.ends_with('-') => slug.push('-'),
                _ => {}
            }
        }
        let name = format!("benches/results/{}-{slug}.md", self.today);
        fs::create_dir_all(in_house("benches/results"))?;
        fs::write(in_house(&name), self.text())?;
        let title = "Time to run `true` on so many nodes, 64 at once, without a network";
        if lines.iter().any(|line| !line.points.is_empty()) {
            fs::write(in_house("benches/results/nodes.svg"), svg(title, lines))?;
        }
        Ok(name)
    }

    /// Puts the table into the README, between the marks.
    pub fn show(&self) -> Result<(), String> {
        let path = in_house("README.md");
        let readme = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let new = format!("\n{}\n\n{}\n", self.circumstances(), self.table);
        let text = between_marks(&readme, MARKS, &new)
            .ok_or(format!("README.md has no {} {}", MARKS[0], MARKS[1]))?;
        fs::write(&path, text).map_err(|error| error.to_string())
    }
}

/// Which contender a progress line is about.
pub fn short(row: &Row) -> String {
    let cells = ALL.iter().zip(&row.cells);
    let cells = cells.filter(|(_, cell)| !cell.is_empty());
    let cells: Vec<String> = cells
        .map(|(who, cell): (&Who, &String)| format!("    {}: {cell}", who.name()))
        .collect();
    format!(
        "{}\n{}\n    -> {}",
        row.work,
        cells.join("\n"),
        row.columns().pop().unwrap_or_default()
    )
}
