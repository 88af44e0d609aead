//! What holds after every turn: memory is bounded, and nothing rests that could go on.

use super::*;

impl World<'_> {
    /// Bytes of the input that the engine holds.
    pub(super) fn held(&self) -> usize {
        let (base, _) = self.engine.unspooled(Spool::Input);
        match self.case.scenario.plan.input {
            Stdin::Stream => self.kernel.supplier.read - base as usize,
            Stdin::Nothing | Stdin::File(_) => 0,
        }
    }

    pub(super) fn check_bounds(&mut self, timeout: Option<Duration>) {
        self.held_max = self.held_max.max(self.held());
        assert!(
            self.held_max <= HELD_MAX,
            "{} bytes are held",
            self.held_max
        );
        assert!(self.engine.unstored().is_empty(), "files wait");
        let pending: usize = Stream::BOTH
            .map(|sink| self.engine.pending(sink).len())
            .iter()
            .sum();
        assert!(pending <= PENDING_MAX, "{pending} bytes wait for the sinks");
        self.progress_is_timely();
        let slept = timeout.is_none_or(|timeout| !timeout.is_zero());
        // A deadline may pass without a trace, but not at once again.
        self.idle_turns = match self.happened || slept {
            true => 0,
            false => self.idle_turns + 1,
        };
        // Each comparison of two groups has a turn of its own.
        let comparisons = match self.case.scenario.plan.shape {
            Shape::Gathered { diff: true } => self.lives.len() as u32,
            _ => 0,
        };
        let idle_max = IDLE_TURNS_MAX + comparisons;
        assert!(self.idle_turns <= idle_max, "wakes for nothing");
        assert!(self.turns < TURNS_MAX, "spins");
    }

    /// clsh goes to sleep: all that could be done is done.
    pub(super) fn rests(&mut self, timeout: Option<Duration>) {
        self.progress_is_drawn(timeout);
        if self.r.percent(2) {
            self.shows_what_it_can();
        }
        self.gives_what_it_can();
    }

    /// Every node that could be given something waits for the input itself, or for a slower one.
    pub(super) fn gives_what_it_can(&self) {
        let all = self.input_bytes();
        for (node, lives) in self.lives.iter().enumerate() {
            let Some(life) = lives.last() else { continue };
            // One whose command is done needs nothing any more.
            let done = life.reaped.is_some() || life.status.is_some();
            if done || life.ordered.is_some() || life.refused || life.hung_up {
                continue;
            }
            if self.case.scenario.plan.input == Stdin::Nothing {
                continue;
            }
            let intake = self.kernel.intake(node).expect("started");
            let framed = matches!(self.case.scenario.plan.protocol, Protocol::Framed(_));
            if framed && !life.hello && life.script.is_none() {
                // It may not be what reads there that the input is for.
                continue;
            }
            let up_to_date = life.fed == all && !self.stdin_ended;
            assert!(
                up_to_date || intake.is_full() || intake.readers == 0 || intake.is_ready(),
                "n{node} has {} of {all} bytes and room for more",
                life.fed
            );
        }
    }

    /// Nothing will ever happen. That is right where all nodes wait for an input that never ends, or for a node that never reads it.
    pub(super) fn waits_for_good(&self) {
        assert!(self.engine.reason().is_none(), "hangs while ending");
        let plan = &self.case.scenario.plan;
        assert!(plan.input == Stdin::Stream, "hangs");
        let running: Vec<usize> = (0..self.lives.len())
            .filter(|&node| self.lives[node].last().is_some_and(|life| !life.is_over()))
            .collect();
        let done = self.engine.is_done();
        assert!(!running.is_empty(), "hangs, and no node runs; done: {done}");
        let fed = |&node: &usize| self.lives[node].last().map_or(0, |life| life.fed);
        let supplier = &self.kernel.supplier;
        let slowest = running.iter().map(fed).min().unwrap_or(0);
        let ahead = supplier.read - slowest >= INPUT_HELD_MAX as usize;
        let dry = supplier.read == supplier.came && !self.kernel.supplier.is_at_end();
        assert!(dry || ahead, "hangs with input to read");
        for &node in &running {
            let intake = self.kernel.intake(node).expect("started");
            let waits = self.kernel.is_reading(node) && fed(&node) == supplier.read;
            let full = intake.is_full();
            assert!(
                waits || full || self.is_held_by_a_reader(&running),
                "n{node} hangs"
            );
        }
    }

    /// Somebody waits for input: the others may wait for whatever they wait for.
    pub(super) fn is_held_by_a_reader(&self, running: &[usize]) -> bool {
        running.iter().any(|&node| self.kernel.is_reading(node))
    }
}
