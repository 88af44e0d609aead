//! The progress line: how far a run is, in as many words as the terminal has columns for.

use unicode_width::UnicodeWidthStr;

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Nodes that have their outcome.
    pub done: usize,
    /// All nodes of the run.
    pub total: usize,
    /// Nodes whose outcome is a failure.
    pub failed: usize,
    /// Nodes that were started and have not said hello.
    pub connecting: usize,
    /// Nodes whose command runs.
    pub running: usize,
    /// Running nodes, those that run longest first.
    pub slowest: Vec<&'a str>,
}

impl Standing<'_> {
    /// So many are done, so many run, and no others are told of.
    pub fn of(done: usize, running: usize) -> Self {
        Self {
            done,
            running,
            ..Self::default()
        }
    }
}

/// The progress line, at most `columns` wide, without a newline. What does not fit is left out, and all behind it, so that the names
/// shown are always those of the very slowest.
pub fn progress(standing: &Standing, columns: usize) -> String {
    let Standing {
        done,
        total,
        failed,
        connecting,
        running,
        slowest,
    } = standing;
    let counts = [
        Some(format!("{done}/{total}")),
        Some(" done".to_owned()),
        (*failed > 0).then(|| format!(", {failed} failed")),
        (*connecting > 0).then(|| format!(", {connecting} connecting")),
        (*running > 0).then(|| format!(", {running} running")),
    ];
    let names = slowest.iter().enumerate().map(|(place, name)| match place {
        0 => format!("; slowest: {name}"),
        _ => format!(", {name}"),
    });
    let mut line = String::new();
    for part in counts.into_iter().flatten().chain(names) {
        let length = line.len();
        line.push_str(&part);
        // Measured as a whole: characters that join take less room together than alone.
        if line.width() > columns {
            line.truncate(length);
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn standing(failed: usize, running: usize, slowest: Vec<&str>) -> Standing<'_> {
        Standing {
            done: 12,
            total: 64,
            failed,
            connecting: 0,
            running,
            slowest,
        }
    }

    #[test]
    fn who_connects_is_told_from_who_runs() {
        let standing = Standing {
            connecting: 8,
            ..standing(3, 20, vec!["n3"])
        };
        assert_eq!(
            progress(&standing, 80),
            "12/64 done, 3 failed, 8 connecting, 20 running; slowest: n3"
        );
    }

    #[test]
    fn what_is_zero_is_left_out() {
        let line = |failed, running, slowest| progress(&standing(failed, running, slowest), 80);
        assert_eq!(
            line(1, 5, vec!["n3", "n7", "n9"]),
            "12/64 done, 1 failed, 5 running; slowest: n3, n7, n9"
        );
        assert_eq!(line(0, 1, vec!["n3"]), "12/64 done, 1 running; slowest: n3");
        assert_eq!(line(2, 0, vec![]), "12/64 done, 2 failed");
        assert_eq!(line(0, 0, vec![]), "12/64 done");
        assert_eq!(progress(&Standing::default(), 80), "0/0 done");
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let line = |columns| progress(&standing(1, 5, vec!["n3", "node70", "n9"]), columns);
        let whole = "12/64 done, 1 failed, 5 running; slowest: n3, node70, n9";
        assert_eq!(line(whole.len()), whole);
        for (columns, shown) in [
            (
                whole.len() - 1,
                "12/64 done, 1 failed, 5 running; slowest: n3, node70",
            ),
            (51, "12/64 done, 1 failed, 5 running; slowest: n3"),
            (43, "12/64 done, 1 failed, 5 running"),
            (30, "12/64 done, 1 failed"),
            (19, "12/64 done"),
            (9, "12/64"),
            (5, "12/64"),
            (4, ""),
            (0, ""),
        ] {
            assert_eq!(line(columns), shown, "{columns}");
        }
    }

    #[test]
    fn wide_names_take_two_columns_a_character() {
        let line = |columns| progress(&standing(0, 0, vec!["日本", "中"]), columns);
        assert_eq!(line(31), "12/64 done; slowest: 日本, 中");
        assert_eq!(line(29), "12/64 done; slowest: 日本, 中");
        assert_eq!(line(28), "12/64 done; slowest: 日本");
        assert_eq!(line(24), "12/64 done");
    }

    proptest! {
        #[test]
        fn it_is_never_wider_than_the_terminal_and_a_beginning_of_the_whole(
            done in any::<usize>(),
            failed in 0..3_usize,
            running in 0..3_usize,
            slowest in prop::collection::vec(any::<String>(), 0..6),
            columns in 0..100_usize,
        ) {
            let standing = Standing {
                done,
                total: done,
                failed,
                connecting: running / 2,
                running,
                slowest: slowest.iter().map(String::as_str).collect(),
            };
            let line = progress(&standing, columns);
            prop_assert!(line.width() <= columns, "{line:?}");
            prop_assert!(progress(&standing, usize::MAX).starts_with(&line));
        }
    }
}
