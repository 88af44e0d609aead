//! How a run ends before its nodes are done.

use crate::outcome::Reason;

/// Where the end stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teardown {
    /// Not ending.
    Running,
    /// Every child got SIGTERM; SIGKILL follows when its time is up.
    Terminating(Reason),
    /// Every child got SIGKILL.
    Killing(Reason),
    /// Nothing is waited for any more, not even a reader of the output.
    Gone(Reason),
}

/// What can happen to the run as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// It must end.
    End(Reason),
    /// It must end without waiting for anybody.
    Kill(Reason),
    /// The output did not move within its grace after all children were gone.
    GiveUp,
}

impl Teardown {
    /// The next state. What a person asked for first stays the reason; a second demand of a person's for the end makes it a hard one. A
    /// signal that comes while the run ends for another reason is the first, and the reason from then on: what ended before it in the same
    /// moment, as the reader of the output does at Ctrl-C, may be a consequence of it.
    pub fn on(self, demand: Demand) -> Self {
        match (self, demand) {
            (Self::Terminating(other), Demand::End(signal @ Reason::Signal(_)))
                if !other.is_asked() =>
            {
                Self::Terminating(signal)
            }
            (
                Self::Terminating(other) | Self::Killing(other),
                Demand::Kill(signal @ Reason::Signal(_)),
            ) if !other.is_asked() => Self::Killing(signal),
            (
                Self::Gone(other),
                Demand::End(signal @ Reason::Signal(_)) | Demand::Kill(signal @ Reason::Signal(_)),
            ) if !other.is_asked() => Self::Gone(signal),
            (Self::Running, Demand::End(reason)) => Self::Terminating(reason),
            (Self::Running, Demand::Kill(reason)) => Self::Killing(reason),
            (Self::Running, Demand::GiveUp) => Self::Running,
            // A lost node or a closed output while ending is a consequence of the end.
            (Self::Terminating(first), Demand::End(Reason::Signal(_)) | Demand::Kill(_)) => {
                Self::Killing(first)
            }
            (Self::Terminating(first), Demand::End(_)) => Self::Terminating(first),
            (Self::Killing(first), Demand::End(Reason::Signal(_)) | Demand::Kill(_)) => {
                Self::Gone(first)
            }
            (Self::Killing(first), Demand::End(_)) => Self::Killing(first),
            (Self::Terminating(first) | Self::Killing(first), Demand::GiveUp) => Self::Gone(first),
            (Self::Gone(first), _) => Self::Gone(first),
        }
    }

    /// Why the run ends, once it does.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Running => None,
            Self::Terminating(reason) | Self::Killing(reason) | Self::Gone(reason) => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_asked_for_first_stays_the_reason_and_nothing_leads_back() {
        let rank = |state: Teardown| match state {
            Teardown::Running => 0,
            Teardown::Terminating(_) => 1,
            Teardown::Killing(_) => 2,
            Teardown::Gone(_) => 3,
        };
        let reasons = [
            Reason::Signal(15),
            Reason::OutputClosed,
            Reason::OutputFailed,
            Reason::NodeLost,
        ];
        let demands: Vec<Demand> = reasons
            .into_iter()
            .flat_map(|reason| [Demand::End(reason), Demand::Kill(reason)])
            .chain([Demand::GiveUp])
            .collect();
        for first in [Reason::Signal(2), Reason::Left(0), Reason::OutputClosed] {
            for state in [
                Teardown::Running,
                Teardown::Terminating(first),
                Teardown::Killing(first),
                Teardown::Gone(first),
            ] {
                for &demand in &demands {
                    let next = state.on(demand);
                    assert!(rank(next) >= rank(state));
                    let stays = state.reason().is_none() || next.reason() == Some(first);
                    let asked = matches!(next.reason(), Some(Reason::Signal(_)));
                    assert!(stays || asked && !first.is_asked());
                }
            }
        }
    }

    #[test]
    fn a_signal_while_the_run_ends_for_another_reason_is_the_first() {
        for other in [
            Reason::OutputClosed,
            Reason::OutputFailed,
            Reason::NodeLost,
            Reason::FailFast,
        ] {
            let ending = Teardown::Running.on(Demand::End(other));
            let signal = Demand::End(Reason::Signal(2));
            let asked = ending.on(signal);
            assert_eq!(asked, Teardown::Terminating(Reason::Signal(2)));
            assert_eq!(asked.on(Demand::End(other)), asked);
            assert_eq!(asked.on(signal), Teardown::Killing(Reason::Signal(2)));
            let quit = Demand::Kill(Reason::QUIT);
            assert_eq!(ending.on(quit), Teardown::Killing(Reason::QUIT));
        }
        // A session that was left has been asked to end already.
        let left = Teardown::Running.on(Demand::End(Reason::Left(0)));
        let again = left.on(Demand::End(Reason::Signal(2)));
        assert_eq!(again, Teardown::Killing(Reason::Left(0)));
    }

    #[test]
    fn a_second_signal_kills_and_a_third_waits_for_nobody() {
        let end = Demand::End(Reason::Signal(2));
        let ending = Teardown::Running.on(end);
        assert_eq!(ending, Teardown::Terminating(Reason::Signal(2)));
        assert_eq!(ending.on(end), Teardown::Killing(Reason::Signal(2)));
        assert_eq!(ending.on(end).on(end), Teardown::Gone(Reason::Signal(2)));
        assert_eq!(ending.on(Demand::End(Reason::NodeLost)), ending);
    }
}
