//! Contenders in turn, several rounds, and the row of the table that comes of it.

use super::contenders::{ALL, Who};
use super::numbers::{digits, median, ratio, spread};
use std::time::{Duration, Instant};

/// One contender of a race.
pub struct Lane<'a> {
    pub who: Who,
    /// At most so many runs.
    pub runs: usize,
    /// It gets one part in so many of the work.
    pub part: u32,
    pub run: Box<dyn FnMut() -> Result<f64, String> + 'a>,
}

pub struct Score {
    pub who: Who,
    pub part: u32,
    pub values: Vec<f64>,
    /// Why it has no values, or no more.
    pub failed: Option<String>,
}

/// Runs A B C A B C ..., at least one round. The neighbours, which are slow, rest once `budget` is spent, floor and clsh once they have
/// spent it alone.
pub fn race(mut lanes: Vec<Lane>, budget: Duration) -> Vec<Score> {
    let (mut all, mut own) = (Duration::ZERO, Duration::ZERO);
    let score = |lane: &Lane| Score {
        who: lane.who,
        part: lane.part,
        values: Vec::new(),
        failed: None,
    };
    let mut scores: Vec<Score> = lanes.iter().map(score).collect();
    let rounds = lanes.iter().map(|lane| lane.runs).max().unwrap_or(0);
    for round in 0..rounds {
        let (all_over, own_over) = (all >= budget, own >= budget);
        for (lane, score) in lanes.iter_mut().zip(&mut scores) {
            let ours = [Who::Base, Who::Clsh].contains(&lane.who);
            let over = round > 0 && if ours { own_over } else { all_over };
            if over || round >= lane.runs || score.failed.is_some() {
                continue;
            }
            let start = Instant::now();
            match (lane.run)() {
                Ok(value) => score.values.push(value),
                Err(error) => score.failed = Some(error),
            }
            all += start.elapsed();
            if ours {
                own += start.elapsed();
            }
        }
    }
    scores
}

/// How many times the whole work takes `score` what it takes `base`.
pub fn times(score: &Score, base: &Score) -> Option<f64> {
    let ratio = ratio(&score.values, &base.values)?;
    Some(ratio * f64::from(score.part) / f64::from(base.part))
}

pub enum Target {
    /// clsh takes at most so many times what the base takes.
    OfBase(f64),
    /// This one takes at least so many times what clsh takes.
    Over(Who, f64),
}

#[derive(Default)]
pub struct Row {
    pub work: String,
    /// In the order of [`ALL`].
    pub cells: [String; 7],
    /// What is asked, and whether it holds where that was measured.
    pub targets: Vec<(String, Option<bool>)>,
    /// What the floor or clsh did wrong: the run as a whole has failed.
    pub wrong: Vec<String>,
}

impl Row {
    pub fn new(work: impl Into<String>) -> Row {
        Row {
            work: work.into(),
            ..Row::default()
        }
    }

    pub fn cell(&mut self, who: Who, text: impl Into<String>) {
        let at = ALL.iter().position(|&one| one == who).unwrap_or(0);
        self.cells[at] = text.into();
    }

    /// A number that should not exceed another.
    pub fn at_most(&mut self, asked: impl Into<String>, measured: f64, most: f64) {
        self.targets.push((asked.into(), Some(measured <= most)));
    }

    /// A row of times: the base's and everybody else's ratio to it.
    pub fn of_scores(
        work: impl Into<String>,
        unit: &str,
        scores: &[Score],
        targets: &[Target],
    ) -> Row {
        let mut row = Row::new(work);
        let find = |who| scores.iter().find(|score| score.who == who);
        for score in scores {
            let mut text = spread(&score.values, unit);
            if score.part > 1 && !text.is_empty() {
                text = format!("{text} for 1/{}", score.part);
            }
            let base = find(Who::Base).filter(|_| score.who != Who::Base);
            if let Some(times) = base.and_then(|base| times(score, base)) {
                text = format!("**{}x** {text}", digits(times));
            }
            if let Some(error) = &score.failed {
                text = format!("{text} {error}").trim().to_owned();
                if [Who::Base, Who::Clsh].contains(&score.who) {
                    row.wrong.push(format!("{}: {error}", score.who.name()));
                }
            }
            row.cell(score.who, text);
        }
        for target in targets {
            let (asked, held) = match *target {
                Target::OfBase(most) => {
                    let times = pair(find(Who::Clsh), find(Who::Base));
                    (format!("<= {most}"), times.map(|times| times <= most))
                }
                Target::Over(who, least) => {
                    let times = pair(find(who), find(Who::Clsh));
                    let seen = times.map_or(String::new(), |times| format!(" ({})", digits(times)));
                    let asked = format!(">= {least} x {}{seen}", who.name());
                    (asked, times.map(|times| times >= least))
                }
            };
            row.targets.push((asked, held));
        }
        row
    }

    pub fn columns(&self) -> Vec<String> {
        let target = |(asked, held): &(String, Option<bool>)| match held {
            Some(true) => format!("{asked}: yes"),
            Some(false) => format!("{asked}: **no**"),
            None => format!("{asked}: not measured"),
        };
        let targets: Vec<String> = self.targets.iter().map(target).collect();
        let mut columns = vec![self.work.clone()];
        columns.extend(self.cells.iter().cloned());
        columns.push(targets.join("; "));
        columns
    }
}

fn pair(score: Option<&Score>, base: Option<&Score>) -> Option<f64> {
    times(score?, base?)
}

/// The middle value of whoever it is, 0 when there is none.
pub fn middle(scores: &[Score], who: Who) -> f64 {
    let score = scores.iter().find(|score| score.who == who);
    score.and_then(|score| median(&score.values)).unwrap_or(0.0)
}
