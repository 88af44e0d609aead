//! Connections that failed are tried again, after a pause that doubles each time and differs from node to node.

use super::Engine;
use super::teardown::Teardown;
use crate::limits::RETRY_DELAY_MAX;
use crate::report;
use std::time::Duration;

impl Engine {
    /// How often a node was tried again.
    pub(super) fn tried(&self, node: u32) -> u32 {
        self.tries.get(node as usize).copied().unwrap_or(0)
    }

    /// Lets a node that was not reached wait for another try, if it has one left. Its process is reaped and its streams are closed.
    pub(super) fn try_again(&mut self, node: u32) -> bool {
        let most = self.plan.retries.most;
        let tried = self.tried(node) + 1;
        if tried > most || self.teardown != Teardown::Running || self.is_denied(node) {
            return false;
        }
        let at = node as usize;
        self.tries.resize(self.tries.len().max(at + 1), 0);
        self.tries[at] = tried;
        let pause = pause(self.plan.retries.delay, tried, self.seed_of(node));
        if self.plan.warn {
            let text = report::trying_again(self.label(node), pause, tried, most);
            self.output.say(&text);
        }
        self.wait_again(node, self.now + pause);
        true
    }
}

/// The pause before this try, counted from 1: between half and one and a half times what doubling gives, so that nodes that failed
/// together, as at a gate that lets in only so many at once, do not come back together.
pub fn pause(first: Duration, number: u32, seed: u64) -> Duration {
    let doubled = first.saturating_mul(1 << (number - 1).min(20));
    let capped = doubled.min(RETRY_DELAY_MAX);
    capped / 2 + capped * share(seed.wrapping_add(u64::from(number) << 32)) / SHARES
}

/// What a time is divided into to take a random share of it.
const SHARES: u32 = 1 << 16;

/// From 0 to below [`SHARES`] (Steele, Lea and Flood's SplitMix64).
fn share(seed: u64) -> u32 {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    (state >> 11) as u32 % SHARES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_differ() {
        let first = Duration::from_secs(1);
        for number in 1..=5 {
            let pauses: Vec<f64> = (0..1000)
                .map(|seed| pause(first, number, seed).as_secs_f64())
                .collect();
            let doubled = f64::from(1 << (number - 1));
            assert!(
                pauses
                    .iter()
                    .all(|&pause| pause >= 0.5 * doubled && pause < 1.5 * doubled)
            );
            let mean = pauses.iter().sum::<f64>() / 1000.0;
            assert!((0.9..1.1).contains(&(mean / doubled)), "{mean}");
            assert!(pauses.iter().any(|&pause| pause < 0.6 * doubled));
            assert!(pauses.iter().any(|&pause| pause > 1.4 * doubled));
        }
        assert!(pause(first, u32::MAX, 1) < 2 * RETRY_DELAY_MAX);
        assert_eq!(pause(Duration::ZERO, 3, 1), Duration::ZERO);
    }
}
