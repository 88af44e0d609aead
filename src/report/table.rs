//! The closing table: one row for each node, those that need attention on top.

use crate::order::order;
use crate::outcome::Outcome;
use crate::seconds;
use std::fmt::Write;
use std::time::Duration;

/// One row of the closing table (`--summary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The node's name, as in front of its lines.
    pub label: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// From its start to its end; none when it was never started.
    pub took: Option<Duration>,
    /// From its start to its hello, where it said one.
    pub connected: Option<Duration>,
    /// How much it said, both streams together.
    pub bytes: u64,
}

/// What stands where there is nothing to measure.
const NOTHING: &str = "-";

/// What stands above the columns.
const HEADS: [&str; 5] = ["node", "status", "connect", "seconds", "bytes"];

/// The closing table of node, status, connect (seconds until the hello), seconds, bytes: failures first, the worst on top, else in the order given.
pub fn table(rows: Vec<Row>) -> String {
    let order = order(rows.iter().map(|row| place(row.outcome)));
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(order.iter().map(|&at| cells(&rows[at])));
    let [node, status, connect, seconds, bytes] = widths(&lines);
    let mut table = String::new();
    for [label, word, hello, took, said] in lines {
        // Writing to a string can't fail.
        let _ = writeln!(
            table,
            "{label:node$}  {word:status$}  {hello:>connect$}  {took:>seconds$}  {said:>bytes$}"
        );
    }
    table
}

/// How many characters the widest cell of each column has.
pub fn widths<const COLUMNS: usize>(lines: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = characters(cell).max(*width);
        }
    }
    widths
}

// Counting is made for long texts: 2.5 KB wherever it is inlined.
#[inline(never)]
fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Where an outcome belongs, the smallest on top.
fn place(outcome: Outcome) -> u128 {
    match outcome {
        Outcome::Failed | Outcome::Lost => 0,
        Outcome::TimedOut => 1,
        Outcome::Exited(0) => 1000,
        Outcome::Exited(status) => u128::from(u8::MAX - status) + 2,
        Outcome::Ended => 300,
        Outcome::NotStarted => 301,
    }
}

fn cells(row: &Row) -> [String; HEADS.len()] {
    let status = match row.outcome {
        Outcome::Exited(status) => status.to_string(),
        other => other.word().to_owned(),
    };
    let [seconds, bytes] = match row.took {
        Some(took) => [seconds::fixed(took, 2), row.bytes.to_string()],
        None => [NOTHING; 2].map(str::to_owned),
    };
    let connect = row
        .connected
        .map_or_else(|| NOTHING.to_owned(), |time| seconds::fixed(time, 2));
    [row.label.to_owned(), status, connect, seconds, bytes]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(label: &str, outcome: Outcome, millis: Option<u64>, bytes: u64) -> Row<'_> {
        Row {
            label,
            outcome,
            connected: None,
            took: millis.map(Duration::from_millis),
            bytes,
        }
    }

    #[test]
    fn how_long_it_took_to_connect_stands_before_how_long_all_took() {
        let mut connected = row("n1", Outcome::Exited(0), Some(1234), 5);
        connected.connected = Some(Duration::from_millis(432));
        let expected = "\
node  status  connect  seconds  bytes
n1    0          0.43     1.23      5
n2    0             -     0.01      0
";
        let rows = vec![connected, row("n2", Outcome::Exited(0), Some(10), 0)];
        assert_eq!(table(rows), expected);
    }

    #[test]
    fn failures_stand_on_top_the_worst_first() {
        let rows = vec![
            row("n1", Outcome::Exited(0), Some(1234), 123_456),
            row("n2", Outcome::Exited(7), Some(20), 5),
            row("n3", Outcome::NotStarted, None, 0),
            row("n4", Outcome::Exited(0), Some(0), 0),
            row("n5", Outcome::TimedOut, Some(60_004), 9),
            row("n6", Outcome::Exited(137), Some(10), 0),
            row("n7", Outcome::Ended, Some(10), 0),
            row("n8", Outcome::Lost, Some(10), 0),
            row("n9", Outcome::Failed, Some(3000), 0),
            row("n10", Outcome::Exited(7), Some(30), 0),
        ];
        let expected = "\
node  status             connect  seconds   bytes
n8    connection lost          -     0.01       0
n9    connection failed        -     3.00       0
n5    timed out                -    60.00       9
n6    137                      -     0.01       0
n2    7                        -     0.02       5
n10   7                        -     0.03       0
n7    terminated               -     0.01       0
n3    not started              -        -       -
n1    0                        -     1.23  123456
n4    0                        -     0.00       0
";
        assert_eq!(table(rows), expected);
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them_counted_in_characters() {
        let rows = vec![
            row("größe-ä", Outcome::Exited(0), Some(1), 1),
            row("n", Outcome::Exited(0), Some(1_000_000_000), 2),
        ];
        let expected = "\
node     status  connect     seconds  bytes
größe-ä  0             -        0.00      1
n        0             -  1000000.00      2
";
        assert_eq!(table(rows), expected);
        assert_eq!(table(Vec::new()), "node  status  connect  seconds  bytes\n");
    }

    #[test]
    fn a_node_without_a_process_has_a_status_and_no_time() {
        let table = table(vec![row("n1", Outcome::not_run(false), None, 0)]);
        assert_eq!(
            table.lines().last(),
            Some("n1    127           -        -      -"),
            "{table}"
        );
    }

    proptest! {
        #[test]
        fn good_nodes_keep_their_order_and_every_line_is_as_long(
            nodes in prop::collection::vec(("[a-zä-ü0-9]{1,9}", 0..3_u8, any::<u32>()), 0..20)
        ) {
            let rows = nodes
                .iter()
                .map(|(label, status, bytes)| {
                    row(label, Outcome::Exited(*status), Some(u64::from(*bytes)), u64::from(*bytes))
                })
                .collect();
            let table = table(rows);
            let mut lines = table.lines();
            let length = lines.next().map(|head| head.chars().count());
            let mut expected: Vec<_> = nodes.iter().collect();
            expected.sort_by_key(|node| match node.1 { 2 => 0, 1 => 1, _ => 2 });
            for (label, status, bytes) in expected {
                let line = lines.next().unwrap_or_default();
                prop_assert_eq!(Some(line.chars().count()), length);
                let words: Vec<&str> = line.split_whitespace().collect();
                let hundredths = (u64::from(*bytes) + 5) / 10;
                let seconds = format!("{}.{:02}", hundredths / 100, hundredths % 100);
                prop_assert_eq!(
                    words,
                    [label.clone(), status.to_string(), NOTHING.to_owned(), seconds, bytes.to_string()]
                );
            }
            prop_assert_eq!(lines.next(), None);
        }
    }
}
