//! Which name was meant: the nearest to one that does not exist, or none when nothing is close.

/// No name of ours is near this length, so a longer one is not measured.
const TYPED_CHARS_MAX: usize = 64;

/// How near a name is, nearest first. A name that was cut short beats one that was mistyped, which beats one that was
/// remembered in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The start of the name; so many letters are missing.
    Abbreviated(usize),
    /// So many edits away.
    Mistyped(usize),
    /// A piece of the name; so many letters are missing.
    Piece(usize),
}

/// The name of `names` that `typed` most likely stands for; of equally near ones the first. Both are without dashes in front.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_ascii_lowercase().chars().collect();
    if typed.is_empty() || typed.len() > TYPED_CHARS_MAX {
        return None;
    }
    names
        .into_iter()
        .filter_map(|name| Some((rank(&typed, name)?, name)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, name)| name)
}

/// `None` when `name` is too far away to be worth a question.
fn rank(typed: &[char], name: &str) -> Option<Rank> {
    /// Fewer letters stand in too many names.
    const PIECE_CHARS_MIN: usize = 4;
    const NO: [char; 3] = ['n', 'o', '-'];
    let name: Vec<char> = name.chars().collect();
    let missing = name.len().saturating_sub(typed.len());
    if name.starts_with(typed) {
        return Some(Rank::Abbreviated(missing));
    }
    // Nobody mistypes the opposite.
    let opposite = name.starts_with(&NO) && !typed.starts_with(&NO);
    let edits = distance(typed, &name);
    if !opposite && edits <= (typed.len().max(name.len()) / 3).max(1) {
        return Some(Rank::Mistyped(edits));
    }
    let is_piece =
        typed.len() >= PIECE_CHARS_MIN && name.windows(typed.len()).any(|piece| piece == typed);
    is_piece.then_some(Rank::Piece(missing + if opposite { NO.len() } else { 0 }))
}

/// The number of edits that turn `a` into `b`: put in, leave out, replace, or swap two neighbours, none touched twice.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(from != to);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::FLAGS;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn edits(a: &str, b: &str) -> usize {
        distance(&chars(a), &chars(b))
    }

    fn flag(typed: &str) -> Option<&'static str> {
        nearest(typed, FLAGS.iter().flat_map(|flag| flag.longs).copied())
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(edits("", ""), 0);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("fanuot", "fanout"), 1, "a swap is one edit");
        assert_eq!(edits("colour", "color"), 1);
        assert_eq!(edits("abcd", "badc"), 2);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn distance_is_a_distance_on_all_small_words() {
        let mut words = vec![String::new()];
        for length in 0..3 {
            let longer: Vec<String> = words
                .iter()
                .filter(|word| word.len() == length)
                .flat_map(|word| ['a', 'b', 'c'].map(|c| format!("{word}{c}")))
                .collect();
            words.extend(longer);
        }
        for a in &words {
            for b in &words {
                assert_eq!(edits(a, b), edits(b, a), "{a} {b}");
                assert_eq!(edits(a, b) == 0, a == b, "{a} {b}");
                assert!(edits(a, b) >= a.len().abs_diff(b.len()));
                assert!(edits(a, b) <= a.len().max(b.len()));
            }
        }
    }

    #[test]
    fn typing_errors_find_their_flag() {
        for (typed, meant) in [
            ("fanuot", "fanout"),
            ("colour", "color"),
            ("hots", "hosts"),
            ("hostsfile", "hostfile"),
            ("keep_going", "keep-going"),
            ("HOSTS", "hosts"),
            ("conect-timeout", "connect-timeout"),
            ("quite", "quiet"),
        ] {
            assert_eq!(flag(typed), Some(meant), "{typed}");
        }
    }

    #[test]
    fn abbreviations_and_pieces_find_their_flag() {
        for (typed, meant) in [
            ("host", "hosts"),
            ("hostf", "hostfile"),
            ("fan", "fanout"),
            ("time", "timeout"),
            ("verb", "verbose"),
            ("label", "no-label"),
            ("config", "ssh-config"),
            ("going", "keep-going"),
        ] {
            assert_eq!(flag(typed), Some(meant), "{typed}");
        }
    }

    #[test]
    fn far_names_find_nothing() {
        for typed in ["", "xyzzy", "parallelism", "zz", &"fanout".repeat(20)] {
            assert_eq!(flag(typed), None, "{typed}");
        }
    }
}
