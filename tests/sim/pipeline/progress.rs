//! The progress line: it stands below all lines, says how it stands, and is gone where something else comes.

use super::World;
use crate::script::SinkStep;
use clsh::limits::PROGRESS_PAUSE;
use clsh::output::Stream;
use std::time::Duration;

/// What takes it away.
const ERASE: &[u8] = b"\r\x1b[K";

impl World<'_> {
    fn footer_sink(&self) -> Stream {
        match self.case.scenario.plan.sinks.merged {
            true => Stream::Out,
            false => Stream::Err,
        }
    }

    /// What stands in the last row.
    fn last_row(&self) -> &[u8] {
        let shown = self.shown(self.footer_sink());
        let row = shown
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let row = &shown[row..];
        let erased = row.windows(ERASE.len()).rposition(|window| window == ERASE);
        &row[erased.map_or(0, |at| at + ERASE.len())..]
    }

    fn is_drawable(&self) -> bool {
        let sink = self.footer_sink();
        self.is_well(sink)
            && self.is_well(Stream::Out)
            && self.engine.pending(sink).is_empty()
            && matches!(
                self.case.scenario.sinks[sink as usize][..],
                [SinkStep::Free, ..]
            )
    }

    /// Not before its time.
    pub fn progress_is_timely(&self) {
        let Some(progress) = self.case.scenario.plan.progress else {
            return;
        };
        if self.now < progress.after && self.is_drawable() {
            assert_eq!(self.last_row().escape_ascii().to_string(), "", "too early");
        }
    }

    /// clsh stops: whoever comes next finds an empty row.
    pub fn screen_is_clean(&self) {
        if self.is_drawable() && self.case.scenario.plan.progress.is_some() {
            assert_eq!(
                self.last_row().escape_ascii().to_string(),
                "",
                "stops on a line"
            );
        }
    }

    /// clsh goes to sleep: what it shows is true.
    pub fn progress_is_drawn(&self, timeout: Option<Duration>) {
        let Some(progress) = self.case.scenario.plan.progress else {
            return;
        };
        let due = timeout.is_some_and(|timeout| timeout <= PROGRESS_PAUSE);
        if due || self.ended_at.is_some() || self.now < progress.after || !self.is_drawable() {
            return;
        }
        let row = String::from_utf8_lossy(self.last_row()).into_owned();
        let (done, total) = (self.engine.outcomes().count(), self.lives.len());
        let expected = match done == total {
            true => String::new(),
            false => format!("{done}/{total}"),
        };
        let whole = row.is_empty() && self.columns_max < 10 || row.starts_with(&expected);
        // The width changes as the run goes.
        assert!(whole || row.is_empty(), "{row:?} instead of {expected:?}");
        assert!(done < total || row.is_empty(), "{row:?} at the end");
    }

    /// The lines alone, all that was drawn below them and taken away again left out.
    pub fn without_progress(&self, sink: Stream, cut: bool) -> Vec<u8> {
        let shown = self.shown(sink);
        if self.case.scenario.plan.progress.is_none() || sink != self.footer_sink() {
            return shown.to_vec();
        }
        let mut lines = Vec::new();
        let mut rest = shown;
        let mut before = 0;
        while let Some(at) = rest.windows(ERASE.len()).position(|window| window == ERASE) {
            let (drawn, behind) = (&rest[..at], &rest[at + ERASE.len()..]);
            let row = drawn
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(0, |at| at + 1);
            lines.extend_from_slice(&drawn[..row]);
            let done = self.footer_is_true(&drawn[row..]);
            assert!(done.is_none_or(|done| done >= before), "counts backwards");
            before = done.unwrap_or(before);
            rest = behind;
        }
        let row = rest
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        assert!(cut || row == rest.len(), "a progress line is left");
        lines.extend_from_slice(&rest[..row]);
        lines
    }

    /// One progress line; gives how many nodes it says are done.
    fn footer_is_true(&self, row: &[u8]) -> Option<usize> {
        let row = std::str::from_utf8(row).expect("text");
        assert!(row.len() <= self.columns_max, "{row:?} is too long");
        if row.is_empty() {
            return None;
        }
        let total = self.lives.len();
        let (done, rest) = row.split_once('/').expect("done/total");
        let rest = rest.strip_prefix(&total.to_string());
        let rest = rest.unwrap_or_else(|| panic!("{row:?} of {total}"));
        let known = ["", " done", " done, ", " done; slowest: n"];
        let fits = known.contains(&rest)
            || rest.starts_with(" done, ")
            || rest.starts_with(" done; slowest: n");
        assert!(fits, "{row:?}");
        Some(done.parse().expect("a number"))
    }
}
