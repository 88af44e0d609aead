//! Unified diffs: how what one node said differs from what another said.

use gix_imara_diff::{Algorithm, Diff, Hunk, InternedInput, Token};
use std::ops::Range;

/// Lines shown around a change, as diff(1) has it.
const CONTEXT: u32 = 3;

/// The two texts, line by line, every line with its newline if it has one.
type Lines<'a> = InternedInput<&'a [u8]>;

/// What leads from `old` to `new`, as `diff -u` prints it; empty when both are equal.
pub fn unified(old_name: &str, old: &[u8], new_name: &str, new: &[u8]) -> Vec<u8> {
    if old == new {
        return Vec::new();
    }
    let lines = Lines::new(old, new);
    // Not the library's default, the histogram: it is quadratic where every second line differs, as with a number in each
    // (two texts of 200,000 lines: 55 s against 0.03 s), and diff(1) looks for changes in this way too.
    let mut diff = Diff::compute(Algorithm::Myers, &lines);
    diff.postprocess_no_heuristic(&lines);
    let changes: Vec<Hunk> = diff.hunks().collect();
    let mut out = format!("--- {old_name}\n+++ {new_name}\n").into_bytes();
    let are_close = |one: &Hunk, next: &Hunk| next.before.start - one.before.end <= 2 * CONTEXT;
    for group in changes.chunk_by(are_close) {
        hunk(&lines, group, &mut out);
    }
    out
}

/// Appends changes that share their context.
fn hunk(lines: &Lines, changes: &[Hunk], out: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
        return;
    };
    let lead = first.before.start.min(CONTEXT);
    let trail = (lines.before.len() as u32 - last.before.end).min(CONTEXT);
    let old = first.before.start - lead..last.before.end + trail;
    let new = first.after.start - lead..last.after.end + trail;
    let head = format!("@@ -{} +{} @@\n", range(&old), range(&new));
    out.extend_from_slice(head.as_bytes());
    let mut at = old.start;
    for change in changes {
        let side = |mark, tokens: &[Token], part: Range<u32>, out: &mut Vec<u8>| {
            for &token in &tokens[part.start as usize..part.end as usize] {
                line(mark, lines.interner[token], out);
            }
        };
        side(b' ', &lines.before, at..change.before.start, out);
        side(b'-', &lines.before, change.before.clone(), out);
        side(b'+', &lines.after, change.after.clone(), out);
        at = change.before.end;
    }
    for &token in &lines.before[at as usize..old.end as usize] {
        line(b' ', lines.interner[token], out);
    }
}

/// Lines counted from one; their number is left out when it is one, and no lines stand behind the one before them.
fn range(lines: &Range<u32>) -> String {
    match lines.end - lines.start {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn line(mark: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(mark);
    out.extend_from_slice(text);
    if !text.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::time::ClockId;
    use proptest::prelude::*;
    use std::fs;
    use std::process::Command;
    use std::time::Duration;

    fn shown(old: &str, new: &str) -> String {
        let diff = unified("n1", old.as_bytes(), "n2", new.as_bytes());
        String::from_utf8(diff).expect("UTF-8")
    }

    /// `old` changed as `diff` says, which has to be right in every number and every line.
    fn apply(old: &[u8], diff: &[u8]) -> Vec<u8> {
        let mut rest: Vec<&[u8]> = diff.split_inclusive(|&byte| byte == b'\n').collect();
        if rest.is_empty() {
            return old.to_vec();
        }
        let body = rest.split_off(2);
        assert_eq!(rest, [&b"--- n1\n"[..], b"+++ n2\n"]);
        let old: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
        let mut new: Vec<&[u8]> = Vec::new();
        let (mut at, mut wanted) = (0, (0, 0));
        for (place, text) in body.iter().enumerate() {
            if text.starts_with(b"\\") {
                assert_eq!(*text, b"\\ No newline at end of file\n");
                continue;
            }
            if text.starts_with(b"@@") {
                assert_eq!((at, new.len()), wanted);
                let [from, to] = ranges(text);
                assert!(from.start >= at);
                new.extend_from_slice(&old[at..from.start]);
                assert_eq!(new.len(), to.start);
                at = from.start;
                wanted = (from.end, to.end);
                continue;
            }
            let (mark, mut line) = (text[0], &text[1..]);
            let next = body.get(place + 1);
            if next.is_some_and(|next| next.starts_with(b"\\")) {
                line = &line[..line.len() - 1];
            }
            if mark != b'+' {
                assert_eq!(old[at], line);
                at += 1;
            }
            if mark != b'-' {
                new.push(line);
            }
        }
        assert_eq!((at, new.len()), wanted);
        new.extend_from_slice(&old[at..]);
        new.concat()
    }

    /// The lines that `@@ -a,b +c,d @@` names, counted from zero.
    fn ranges(head: &[u8]) -> [Range<usize>; 2] {
        let words: Vec<&str> = str::from_utf8(head).expect("UTF-8").split(' ').collect();
        assert!(matches!(words[..], ["@@", _, _, "@@\n"]), "{words:?}");
        [(words[1], '-'), (words[2], '+')].map(|(word, sign)| {
            let numbers = word.strip_prefix(sign).expect("a sign");
            let (start, count) = numbers.split_once(',').unwrap_or((numbers, "1"));
            let start: usize = start.parse().expect("a number");
            let count: usize = count.parse().expect("a number");
            let start = start - usize::from(count > 0);
            start..start + count
        })
    }

    fn numbered(range: Range<u32>) -> String {
        range.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn equal_texts_do_not_differ() {
        for text in ["", "a", "a\n", "a\nb\n"] {
            assert_eq!(shown(text, text), "");
        }
    }

    #[test]
    fn a_change_stands_in_three_lines_of_context() {
        let old = numbered(1..20);
        let new = old.replace("10\n", "ten\nand\n");
        assert_eq!(
            shown(&old, &new),
            "--- n1\n+++ n2\n@@ -7,7 +7,8 @@\n 7\n 8\n 9\n-10\n+ten\n+and\n 11\n 12\n 13\n"
        );
    }

    #[test]
    fn changes_share_a_hunk_when_their_contexts_touch() {
        let old = numbered(1..30);
        let change = |second: &str| old.replace("\n5\n", "\nx\n").replace(second, "\ny\n");
        let hunks = |new: &str| shown(&old, new).matches("@@ -").count();
        assert_eq!(hunks(&change("\n12\n")), 1);
        assert_eq!(hunks(&change("\n13\n")), 2);
    }

    #[test]
    fn one_line_has_no_count_and_no_line_is_behind_the_one_before() {
        assert_eq!(shown("a\n", "b\n"), "--- n1\n+++ n2\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(
            shown("", "b\nc\n"),
            "--- n1\n+++ n2\n@@ -0,0 +1,2 @@\n+b\n+c\n"
        );
        assert_eq!(shown("a\n", ""), "--- n1\n+++ n2\n@@ -1 +0,0 @@\n-a\n");
    }

    #[test]
    fn a_missing_last_newline_is_told() {
        let told = "\\ No newline at end of file\n";
        assert_eq!(
            shown("a\nb", "a\nb\n"),
            format!("--- n1\n+++ n2\n@@ -1,2 +1,2 @@\n a\n-b\n{told}+b\n")
        );
        assert_eq!(
            shown("a\nb\n", "a\nb"),
            format!("--- n1\n+++ n2\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n{told}")
        );
        assert_eq!(
            shown("a\nb", "c\nb"),
            format!("--- n1\n+++ n2\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n{told}")
        );
        assert_eq!(
            shown("a", "b"),
            format!("--- n1\n+++ n2\n@@ -1 +1 @@\n-a\n{told}+b\n{told}")
        );
    }

    #[test]
    fn bytes_are_as_they_were() {
        let diff = unified("n1", b"\xff\0\r\n", "größe", b"\xfe\n");
        let expected = "--- n1\n+++ größe\n@@ -1 +1 @@\n-".as_bytes();
        assert_eq!(diff, [expected, b"\xff\0\r\n+\xfe\n"].concat());
    }

    /// Old and new texts for each way in which some searches are quadratic, long enough to tell.
    fn hard() -> Vec<(&'static str, String, String)> {
        const LINES: u32 = 20_000;
        const MANY: u32 = 3 * LINES;
        let text = |count, line: &dyn Fn(u32) -> String| (0..count).map(line).collect::<String>();
        // The middle of a square looks random.
        let few = |seed: u64| {
            text(LINES, &|line| {
                let value = (u64::from(line) + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let middle = ((u128::from(value) * u128::from(value)) >> 32) as u64;
                format!("{}\n", middle % 10)
            })
        };
        let same = |line| format!("{line}\n");
        let other = |line| format!("other {line}\n");
        let half = |line| match line % 2 {
            0 => same(line),
            _ => other(line),
        };
        let backwards = |line| same(LINES - line);
        vec![
            ("nothing", text(MANY, &same), text(MANY, &other)),
            ("every second", text(MANY, &same), text(MANY, &half)),
            ("backwards", text(LINES, &same), text(LINES, &backwards)),
            ("few", few(1), few(1 << 40)),
        ]
    }

    #[test]
    fn long_texts_take_their_time_and_not_its_square() {
        for (kind, old, new) in hard() {
            // What this thread takes of the processor, whatever else the machine does.
            let now = || Duration::from(ClockId::CLOCK_THREAD_CPUTIME_ID.now().expect("a clock"));
            let start = now();
            let diff = unified("n1", old.as_bytes(), "n2", new.as_bytes());
            let took = now() - start;
            assert!(apply(old.as_bytes(), &diff) == new.as_bytes(), "{kind}");
            // Two seconds without optimization; the square takes a minute and more.
            assert!(took < Duration::from_secs(30), "{kind}: {took:?}");
        }
    }

    /// Texts of few and short lines, so that much is alike, perhaps without the last newline.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            4 => "[a-d]{0,1}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..3),
        ];
        let lines = prop::collection::vec(line, 0..40);
        (lines, any::<bool>()).prop_map(|(lines, cut)| {
            let mut text = lines.join(&b'\n');
            if !cut && !text.is_empty() {
                text.push(b'\n');
            }
            text
        })
    }

    /// What becomes of a line.
    #[derive(Debug, Clone)]
    enum Edit {
        Keep,
        Remove,
        Replace,
        Insert(usize),
    }

    fn edits() -> impl Strategy<Value = Vec<Edit>> {
        let edit = prop_oneof![
            12 => Just(Edit::Keep),
            1 => Just(Edit::Remove),
            1 => Just(Edit::Replace),
            1 => (1..4_usize).prop_map(Edit::Insert),
        ];
        prop::collection::vec(edit, 0..60)
    }

    /// Texts whose lines are all different: there is one shortest way from one to the other.
    fn edited(edits: &[Edit], cut: [bool; 2]) -> [String; 2] {
        let (mut old, mut new) = (String::new(), String::new());
        for (place, edit) in edits.iter().enumerate() {
            let line = format!("line {place}\n");
            old += &line;
            new += &match edit {
                Edit::Keep => line,
                Edit::Remove => String::new(),
                Edit::Replace => format!("other {place}\n"),
                Edit::Insert(count) => {
                    (0..*count)
                        .map(|extra| format!("{place}+{extra}\n"))
                        .collect::<String>()
                        + &line
                }
            };
        }
        for (text, cut) in [&mut old, &mut new].into_iter().zip(cut) {
            if cut {
                text.pop();
            }
        }
        [old, new]
    }

    proptest! {
        #[test]
        fn it_leads_from_the_old_text_to_the_new(old in text(), new in text()) {
            let diff = unified("n1", &old, "n2", &new);
            prop_assert_eq!(apply(&old, &diff), new);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn it_is_what_diff_prints(edits in edits(), cut in any::<[bool; 2]>()) {
            let texts = edited(&edits, cut);
            let directory = tempfile::tempdir()?;
            let files = ["old", "new"].map(|name| directory.path().join(name));
            for (file, text) in files.iter().zip(&texts) {
                fs::write(file, text)?;
            }
            let output = Command::new("diff")
                .args(["-u", "--label", "n1", "--label", "n2"])
                .args(&files)
                .output()?;
            prop_assert_eq!(shown(&texts[0], &texts[1]), String::from_utf8_lossy(&output.stdout));
        }
    }
}
