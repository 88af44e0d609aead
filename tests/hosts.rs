//! Goal: node lists mean what they say, whatever is typed. Method: random lists against a naive expander, random
//! names through fold and back, arbitrary text against the promise that nothing panics and nothing dangerous gets
//! through, and a million names against ten times fewer for the growth of time.

use clsh::hosts::{Node, NodeSet, add_hostfile, fold, labels};
use nix::time::ClockId;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// A debug build does a tenth of the work, to stay within seconds.
const CASES: u32 = if cfg!(debug_assertions) { 250 } else { 2500 };
const NAMES: u64 = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

/// What this thread has taken of the processor since, whatever else the machine does.
struct Work(Duration);

impl Work {
    fn begun() -> Self {
        Self(Self::in_all())
    }

    fn elapsed(&self) -> Duration {
        Self::in_all() - self.0
    }

    fn in_all() -> Duration {
        let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
        clock.now().expect("a clock").into()
    }
}

fn names(set: &NodeSet) -> Vec<String> {
    set.iter().map(|node| node.name().to_owned()).collect()
}

fn expand(list: &str) -> Vec<String> {
    let mut set = NodeSet::new();
    set.add(list)
        .unwrap_or_else(|error| panic!("{list}: {error}"));
    names(&set)
}

/// One item of a group as a person would think of it: its text and the numbers it means.
fn item() -> impl Strategy<Value = (String, Vec<String>)> {
    (0u64..130, 0u64..30, 1u64..7, 0usize..5, 0..3).prop_map(|(low, more, step, width, kind)| {
        let pad = |number: u64| format!("{number:0width$}");
        let high = low + more;
        match kind {
            0 => (pad(low), vec![pad(low)]),
            1 => (
                format!("{}-{}", pad(low), pad(high)),
                (low..=high).map(pad_as(&pad(low))).collect(),
            ),
            _ => {
                let numbers = (low..=high).filter(|n| (n - low) % step == 0);
                (
                    format!("{}-{}/{step}", pad(low), pad(high)),
                    numbers.map(pad_as(&pad(low))).collect(),
                )
            }
        }
    })
}

/// The width of a range is that of its first number if that starts with a zero, else none.
fn pad_as(first: &str) -> impl Fn(u64) -> String + use<> {
    let width = if first.starts_with('0') {
        first.len()
    } else {
        1
    };
    move |number| format!("{number:0width$}")
}

fn group() -> impl Strategy<Value = (String, Vec<String>)> {
    vec(item(), 1..4).prop_map(|items| {
        let texts: Vec<&str> = items.iter().map(|item| item.0.as_str()).collect();
        let numbers = items.iter().flat_map(|item| item.1.clone()).collect();
        (format!("[{}]", texts.join(",")), numbers)
    })
}

/// A word and the names it means, the leftmost group varying slowest, each once.
fn word() -> impl Strategy<Value = (String, Vec<String>)> {
    (
        vec(("[a-z.@]?[a-z][a-z-]{0,2}", group()), 0..3),
        "[a-z][a-z-]{0,3}",
    )
        .prop_map(|(parts, tail)| {
            let mut word = "x".to_owned();
            let mut meant = vec![word.clone()];
            for (text, (group, numbers)) in parts {
                word += &format!("{text}{group}");
                let each = |name: &String| {
                    let name = format!("{name}{text}");
                    numbers
                        .iter()
                        .map(move |number| format!("{name}{number}"))
                        .collect::<Vec<_>>()
                };
                meant = meant.iter().flat_map(each).collect();
            }
            (
                word + &tail,
                meant.iter().map(|name| format!("{name}{tail}")).collect(),
            )
        })
}

fn unique(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect()
}

/// A name as it may come out of a node list, from a small world, so that many fall together.
fn name() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        6 => (0u32..13, 0usize..4).prop_map(|(n, width)| format!("{n:0width$}")),
        1 => prop_oneof![Just("99"), Just("100"), Just("099"), Just("999"), Just("1000")].prop_map(str::to_owned),
        1 => prop_oneof![
            Just("18446744073709551614"), Just("18446744073709551615"), Just("18446744073709551616"),
            Just("018446744073709551615"), Just("99999999999999999999999999"),
        ].prop_map(str::to_owned),
    ];
    prop_oneof![
        8 => (vec(("[nr.]", number.clone()), 1..4), "(-ib)?(:22|:2201)?")
            .prop_map(|(parts, tail)| {
                parts.into_iter().map(|(text, number)| text + &number).collect::<String>() + &tail
            }),
        1 => number,
        1 => "(u[12]@)?(login|n1|::[1-3]|\\[::[12]\\]|\\[fe80::1%eth[01]\\]:2[23])",
    ]
}

/// Text made of the characters that mean something here.
fn nearly_a_list() -> impl Strategy<Value = String> {
    vec(
        prop::sample::select(
            "nnn119900[[]],,--//::@@% \t\n\r#~$;.\0\u{1b}\u{a0}\u{feff}ä{}\\'18446744073709551615"
                .chars()
                .collect::<Vec<_>>(),
        ),
        0..40,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn assert_fit(node: &Node) {
    for part in [Some(node.host()), node.user()].into_iter().flatten() {
        assert!(
            !part.is_empty() && !part.starts_with(['-', '~']),
            "{node:?}"
        );
        let special = "/`$;&|<>(){}'\"\\*?!#[]";
        assert!(
            !part
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || special.contains(c)),
            "{node:?}"
        );
    }
    assert!(node.name().len() <= 255 && node.port() != Some(0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_list_means_what_a_naive_reader_takes_it_for(words in vec(word(), 1..4), comma in any::<bool>()) {
        let texts: Vec<&str> = words.iter().map(|word| word.0.as_str()).collect();
        let list = texts.join(if comma { "," } else { " \n" });
        let meant = unique(words.iter().flat_map(|word| word.1.clone()));
        prop_assert_eq!(expand(&list), meant.clone());
        let mut set = NodeSet::new();
        add_hostfile(&mut set, list.as_bytes()).unwrap();
        prop_assert_eq!(names(&set), meant.clone());
        let mut set = NodeSet::new();
        set.add_variable(&texts.join(":")).unwrap();
        prop_assert_eq!(names(&set), meant);
    }

    #[test]
    fn folding_and_reading_gives_the_same_names(given in vec(name(), 0..60)) {
        // Not every name made up is a node (an u64 in a port, say); those that are must come back.
        let given: Vec<String> = given.into_iter().filter(|name| NodeSet::new().add(name).is_ok()).collect();
        let text = fold(given.iter().map(String::as_str));
        let back = expand(&text);
        prop_assert_eq!(back.len(), unique(back.clone()).len());
        prop_assert_eq!(back.into_iter().collect::<BTreeSet<_>>(), given.into_iter().collect::<BTreeSet<_>>(), "{}", text);
    }

    #[test]
    fn folding_names_no_node_twice(given in vec(name(), 0..40)) {
        let text = fold(given.iter().map(String::as_str));
        let given: BTreeSet<String> = given.into_iter().filter(|name| NodeSet::new().add(name).is_ok()).collect();
        let mut set = NodeSet::new();
        if set.add(&text).is_ok() {
            prop_assert_eq!(names(&set).into_iter().collect::<BTreeSet<_>>(), given);
        }
    }

    #[test]
    fn a_whole_grid_folds_to_one_word(low in vec(0u32..200, 1..4), more in vec(0u32..5, 3), width in 1usize..4) {
        let word: String = low.iter().zip(&more).map(|(low, more)| {
            format!("n[{low:0width$}-{:0width$}]", low + more)
        }).collect();
        let mut given = expand(&word);
        given.reverse();
        let text = fold(given.iter().map(String::as_str));
        prop_assert!(!text.contains(','), "{} {}", word, text);
        given.reverse();
        prop_assert_eq!(expand(&text), given);
    }

    #[test]
    fn labels_differ(given in vec(name(), 0..30)) {
        let mut set = NodeSet::new();
        given.iter().for_each(|name| set.add(name).unwrap_or(()));
        let nodes = set.into_nodes();
        let labels = labels(&nodes);
        prop_assert_eq!(labels.len(), nodes.len());
        prop_assert_eq!(labels.iter().collect::<HashSet<_>>().len(), nodes.len());
        for (node, label) in nodes.iter().zip(&labels) {
            prop_assert!(**label == *node.host() || **label == *node.name());
        }
    }

    #[test]
    fn exclusion_agrees_with_a_naive_one(given in vec(name(), 0..20), out in vec(name(), 0..6)) {
        let (mut set, mut unwanted) = (NodeSet::new(), NodeSet::new());
        given.iter().for_each(|name| set.add(name).unwrap_or(()));
        out.iter().for_each(|name| unwanted.add(name).unwrap_or(()));
        let drops = |node: &Node| unwanted.iter().any(|u| {
            u.name() == node.name() || (u.user().is_none() && u.port().is_none() && u.host() == node.host())
        });
        let left: Vec<String> = set.iter().filter(|n| !drops(n)).map(|n| n.name().to_owned()).collect();
        set.exclude(&names(&unwanted).join(",")).unwrap();
        prop_assert_eq!(names(&set), left);
    }

    #[test]
    fn no_text_panics_or_gets_a_dangerous_name_through(
        text in prop_oneof![3 => nearly_a_list(), 1 => any::<String>()],
        bytes in vec(any::<u8>(), 0..40),
    ) {
        let mut set = NodeSet::new();
        let results = [
            set.add(&text), set.add_word(&text), set.add_variable(&text),
            add_hostfile(&mut set, text.as_bytes()).map(drop), add_hostfile(&mut set, &bytes).map(drop),
            set.clone().exclude(&text),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            let text = error.to_string();
            prop_assert!(!text.chars().any(char::is_control) && text.len() < 2000, "{}", text);
            prop_assert!(text.starts_with(['\'', 'l']), "{}", text);
        }
        set.iter().for_each(assert_fit);
        fold([text.as_str()]);
        fold(text.split(' '));
        prop_assert_eq!(labels(&set.clone().into_nodes()).len(), set.len());
        for node in &set {
            prop_assert!(set.contains(node.name()));
        }
    }
}

#[test]
fn every_refusal_quotes_the_word_and_names_cause_and_way_out() {
    for (word, cause) in [
        ("n[1-", "bracket is never closed; "),
        ("n1]", "bracket is never opened; "),
        ("n[1[2]]", "bracket inside a bracket; "),
        ("n[]", "nothing inside the brackets; "),
        (
            "n[1,,2]",
            "nothing between two commas inside the brackets; ",
        ),
        ("n[-3]", "range '-3' lacks one end; "),
        ("n[a,b]", "'a' is no number and no range; "),
        (
            "n[18446744073709551616]",
            "number '18446744073709551616' is too large; ",
        ),
        ("n[5-1]", "range '5-1' runs backwards; "),
        ("n[1-3/0]", "step 0 in '1-3/0' leads nowhere; "),
        ("n[5/2]", "'5/2' has a step but no range; "),
        (
            "n[1-010]",
            "ends of range '1-010' are zero-padded to different widths; ",
        ),
        ("n[0-99999999999]", "more than 1000000 nodes; "),
        ("-oProxyCommand=x", "a name cannot start with '-', "),
        ("root@-n1", "a name cannot start with '-', "),
        ("~root", "a name cannot start with '~', "),
        ("./hostfile", "a name cannot hold '/'; "),
        ("n\u{a0}1", "a name cannot hold white space; "),
        ("n\u{1b}[1m", ""),
        (
            "n\u{7}",
            "a name cannot hold control or invisible characters, or piles of marks; ",
        ),
        ("n`id`", "a name cannot hold `, "),
        ("user@", "no host; "),
        (":22", "no host; "),
        ("@h", "no user before '@'; "),
        ("h:0", "port '0' is not a number from 1 to 65535; "),
        ("h:65536", "port '65536' is not a number from 1 to 65535; "),
        ("h:ssh", "port 'ssh' is not a number from 1 to 65535; "),
        ("n::m", "neither host:port nor an IPv6 address; "),
        (
            "[n:1]",
            "brackets around a ':' are for an IPv6 address alone; ",
        ),
    ] {
        let error = NodeSet::new()
            .add(&format!("ok1 {word} ok2"))
            .unwrap_err()
            .to_string();
        let quoted = word
            .replace('\u{a0}', r"\u{a0}")
            .replace('\u{1b}', r"\u{1b}")
            .replace('\u{7}', r"\u{7}");
        assert!(
            error.starts_with(&format!("'{quoted}': {cause}")),
            "{error}"
        );
    }
    let long = format!("n{}", "x".repeat(255));
    let error = NodeSet::new().add(&long).unwrap_err().to_string();
    assert!(
        error.contains("...': name is longer than 255 bytes; "),
        "{error}"
    );
    let error = NodeSet::new()
        .add("h:[65534-65536]")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("'h:[65534-65536]' gives 'h:65536': port "),
        "{error}"
    );
}

#[test]
fn too_many_nodes_are_refused_at_once() {
    let start = Work::begun();
    for word in [
        "n[0-99999999999]",
        "n[0-18446744073709551615]",
        "r[1-100000]n[1-100000]",
        "a[1-9]:[0-18446744073709551615]",
    ] {
        assert!(NodeSet::new().add(word).is_err());
        assert!(NodeSet::new().exclude(word).is_err());
    }
    assert!(start.elapsed() < Duration::from_millis(100));
}

/// Expands, merges with itself, and folds; the times of the three.
fn timed(list: &str, folded: &str) -> [Duration; 3] {
    let mut set = NodeSet::new();
    let start = Work::begun();
    set.add(list).unwrap();
    let expanded = start.elapsed();
    let len = set.len();
    let start = Work::begun();
    set.add(list).unwrap();
    let merged = start.elapsed();
    assert_eq!(set.len(), len);
    let start = Work::begun();
    let text = fold(set.iter().map(Node::name));
    let time = [expanded, merged, start.elapsed()];
    assert_eq!(text, folded);
    time
}

/// Run with `--release --nocapture` for times that mean something.
#[test]
fn time_grows_with_the_number_of_names_and_no_faster() {
    let (all, tenth, rows) = (NAMES, NAMES / 10, NAMES / 1000);
    for (small, large) in [
        (format!("n[1-{tenth}]"), format!("n[1-{all}]")),
        (
            format!("n[0000001-{tenth:07}]"),
            format!("n[0000001-{all:07}]"),
        ),
        (
            format!("r[1-{rows}]n[1-100]-ib"),
            format!("r[1-{rows}]n[1-1000]-ib"),
        ),
        (
            format!("a[1-10]b[1-10]c[1-10]d[1-{}]", rows / 10),
            format!("a[1-10]b[1-10]c[1-10]d[1-{rows}]"),
        ),
    ] {
        let best = |list: &str| {
            (0..3)
                .map(|_| timed(list, list))
                .reduce(|a, b| std::array::from_fn(|i| a[i].min(b[i])))
        };
        let (of_small, of_large) = (best(&small).unwrap(), best(&large).unwrap());
        println!("{small}: expand, merge, fold {of_small:?}\n{large}: {of_large:?}");
        for (small_time, large_time) in of_small.iter().zip(of_large) {
            // Ten times the names; caches that no longer hold them may cost as much again, a square would be 100.
            assert!(
                large_time < *small_time * 40,
                "{large}: {large_time:?} after {small_time:?}"
            );
        }
    }
}

#[test]
fn shuffled_and_sparse_names_fold_in_good_time() {
    let shuffled: Vec<String> = (0..NAMES)
        .map(|n| format!("n{}", n * 7919 % 1_000_003))
        .collect();
    let start = Work::begun();
    let text = fold(shuffled.iter().map(String::as_str));
    println!(
        "{NAMES} shuffled: fold {:?}, {} bytes",
        start.elapsed(),
        text.len()
    );
    assert_eq!(expand(&text).len(), shuffled.len());
    let even: Vec<String> = (0..NAMES / 2).map(|n| format!("n{}", n * 2)).collect();
    assert_eq!(expand(&fold(even.iter().map(String::as_str))), even);
    let plain: Vec<String> = (0..NAMES / 5)
        .map(|n| format!("{n:b}").replace('0', "a").replace('1', "b"))
        .collect();
    let start = Work::begun();
    let text = fold(plain.iter().map(String::as_str));
    println!(
        "{} without a digit: fold {:?}",
        plain.len(),
        start.elapsed()
    );
    assert_eq!(text, plain.join(","));
}
