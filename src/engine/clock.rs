//! The time of a run. Time in which clsh itself did not run is nobody's: no deadline passes in it.
//!
//! clsh does not run while somebody holds it with SIGSTOP, while the machine sleeps, or while it gets no processor. The nodes may have
//! ended meanwhile, and what they said waits to be read, so a deadline that seems to have passed says nothing about them.

use super::Time;
use crate::limits::{STOP_GRACE, TURN_LATE_MAX};
use std::time::Duration;

/// Makes the time of a run from the time of the system.
#[derive(Debug, Default)]
pub struct Clock {
    now: Time,
    /// The time of the system when the last turn began.
    real: Duration,
    /// Up to here it is the grace after a stop, and there is no further one.
    grace_until: Time,
}

impl Clock {
    /// A turn begins, after a wait that was to end after `timeout` at the latest, counted from the beginning of the turn before. `real` is
    /// the time of the system since the run began. Gives the time of this turn.
    pub fn wake(&mut self, real: Duration, timeout: Option<Duration>) -> Time {
        let passed = real.saturating_sub(self.real);
        self.real = real;
        match timeout.filter(|&timeout| passed > timeout + TURN_LATE_MAX) {
            None => self.now += passed,
            // It is always late on this machine: that must not hold up deadlines for ever.
            Some(timeout) if self.now < self.grace_until => self.now += timeout,
            Some(timeout) => {
                self.now += timeout.saturating_sub(STOP_GRACE);
                self.grace_until = self.now + STOP_GRACE;
            }
        }
        self.now
    }

    /// clsh had stopped itself, and goes on at `real`.
    pub fn resume(&mut self, real: Duration) {
        self.real = real;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_that_was_waited_for_counts_and_a_little_more() {
        let mut clock = Clock::default();
        assert_eq!(clock.wake(SECOND * 5, Some(SECOND * 5)), SECOND * 5);
        let late = SECOND * 10 + TURN_LATE_MAX;
        assert_eq!(clock.wake(late, Some(SECOND * 5)), late);
        assert_eq!(clock.wake(SECOND * 1000, None), SECOND * 1000);
        assert_eq!(
            clock.wake(SECOND * 1001, Some(SECOND * 9)),
            SECOND * 1001,
            "woken early"
        );
    }

    #[test]
    fn no_deadline_passes_in_a_stop_nor_in_the_grace_after_it() {
        for (stop, timeout) in [(100, 5), (100, 0), (6, 5), (2, 1)] {
            let (timeout, mut clock) = (SECOND * timeout, Clock::default());
            let after = clock.wake(SECOND * stop, Some(timeout));
            assert!(after + STOP_GRACE <= timeout.max(STOP_GRACE), "{after:?}");
            let left = timeout - after;
            assert_eq!(clock.wake(SECOND * stop + left, Some(left)), timeout);
        }
    }

    #[test]
    fn a_machine_on_which_every_turn_is_late_does_not_hold_up_deadlines() {
        let (mut clock, mut real, mut turns) = (Clock::default(), Duration::ZERO, 0);
        let mut now = Duration::ZERO;
        while now < SECOND * 60 {
            let timeout = (SECOND * 60 - now).min(SECOND / 4);
            real += timeout + TURN_LATE_MAX * 2;
            now = clock.wake(real, Some(timeout));
            turns += 1;
        }
        assert!(turns < 600, "{turns}");
    }

    #[test]
    fn a_stop_of_its_own_is_left_out_to_the_moment() {
        let mut clock = Clock::default();
        clock.wake(SECOND, None);
        clock.resume(SECOND * 50);
        assert_eq!(clock.wake(SECOND * 51, Some(SECOND)), SECOND * 2);
    }
}
