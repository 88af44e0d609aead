//! The floors: each gives its complaints about one file.

use crate::text::*;

/// Lines of a file, its tests left out.
pub const FILE_LINES_MAX: usize = 420;
/// Lines of a function.
pub const FUNCTION_LINES_MAX: usize = 60;

/// Rooms without kernel, clock or randomness.
pub const PURE: [&str; 12] = [
    "limits", "harmless", "order", "seconds", "outcome", "report", "hosts", "remote", "engine",
    "output", "job", "session",
];

/// A file under `src`, ready to be judged.
pub struct Source {
    /// From `src/` on.
    pub path: String,
    text: String,
    /// Without comments, literals and tests.
    code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: without_tests(&code(text)),
        }
    }

    pub fn room(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split(['/', '.']).next().unwrap_or_default()
    }
}

pub fn pure_rooms_know_no_kernel_and_no_clock(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.room()) {
        return Vec::new();
    }
    let crates = ["mio", "nix", "libc", "signal_hook", "signal_hook_mio"];
    let mut found: Vec<String> = crates
        .into_iter()
        .chain(["SystemTime"])
        .filter(|word| has_word(&source.code, word))
        .map(str::to_owned)
        .collect();
    let paths = paths(&source.code);
    let forbidden = [
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "std::os::fd",
        "Instant::now",
        "std::time::Instant",
        "crate::sys",
        "crate::driver",
        "crate::cli",
    ];
    found.extend(
        forbidden
            .into_iter()
            .filter(|path| names(&paths, path))
            .map(str::to_owned),
    );
    found
}

pub fn sys_knows_only_limits(source: &Source) -> Vec<String> {
    if source.room() != "sys" {
        return Vec::new();
    }
    let mut found: Vec<String> = paths(&source.code)
        .into_iter()
        .filter(|path| path.starts_with("crate::") && path.matches("::").count() == 1)
        .filter(|path| !["crate::limits", "crate::sys"].contains(&path.as_str()))
        .collect();
    if source.path == "src/sys/mod.rs" && has_word(&source.code, "super") {
        found.push("super".to_owned());
    }
    found
}

pub fn the_driver_knows_no_flag(source: &Source) -> Vec<String> {
    if source.room() != "driver" {
        return Vec::new();
    }
    let found = [
        names(&paths(&source.code), "crate::cli"),
        has_word(&source.code, "lexopt"),
    ];
    let named = ["crate::cli", "lexopt"].into_iter().zip(found);
    named
        .filter(|&(_, found)| found)
        .map(|(name, _)| name.to_owned())
        .collect()
}

pub fn only_main_driver_and_sys_start_anything(source: &Source) -> Vec<String> {
    let free = ["sys", "driver", "main"].contains(&source.room());
    let found = names(&paths(&source.code), "crate::sys") && !free;
    found.then(|| "crate::sys".to_owned()).into_iter().collect()
}

pub fn unsafe_stands_in_sys_alone_and_says_why_it_is_sound(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let code = code(&source.text);
    let says_why = |line: usize| {
        lines[..line - 1]
            .iter()
            .rev()
            .take_while(|line| line.trim_start().starts_with("//"))
            .any(|line| line.contains("SAFETY: "))
    };
    words(&code, "unsafe")
        .map(|at| line_of(&code, at))
        .filter(|&line| source.room() != "sys" || !says_why(line))
        .map(|line| format!("unsafe in line {line}"))
        .collect()
}

pub fn nothing_starts_a_thread(source: &Source) -> Vec<String> {
    let found = has_word(&source.code, "thread");
    found.then(|| "thread".to_owned()).into_iter().collect()
}

pub fn nothing_gives_up_by_a_panic(source: &Source) -> Vec<String> {
    let calls = [
        ".unwrap()",
        ".unwrap_err()",
        ".expect(",
        ".expect_err(",
        "todo!",
        "unimplemented!",
        "unreachable!",
        "panic!",
        "dbg!",
    ];
    let compact: String = source.code.split_whitespace().collect();
    let mut found: Vec<String> = calls
        .into_iter()
        .filter(|call| compact.contains(call))
        .map(str::to_owned)
        .collect();
    // What must hold is asserted at compile time, in debug builds, or where the engine checks itself.
    let mut code = source.code.clone();
    if source.path == "src/engine/check.rs"
        && let Some(at) = code.find("pub fn check(&self)")
    {
        code.replace_range(at..item_end(&code, at), "");
    }
    for line in code.lines().filter(|line| !line.contains("const _: ()")) {
        for call in ["assert", "assert_eq", "assert_ne"] {
            if words(line, call).any(|at| line[at + call.len()..].starts_with('!')) {
                found.push(format!("{call}!"));
            }
        }
    }
    found
}

pub fn lines_without_tests(source: &Source) -> usize {
    source.code.lines().count()
}

pub fn a_file_is_not_too_long(source: &Source) -> Vec<String> {
    let lines = lines_without_tests(source);
    let long = lines > FILE_LINES_MAX;
    long.then(|| format!("{lines} lines")).into_iter().collect()
}

/// Every function with its lines.
pub fn functions(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    words(code, "fn")
        .filter_map(|at| {
            let name = code[at + 3..].split(['(', '<']).next()?;
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            // A type such as `fn(u8)` has no name.
            (plain && !name.is_empty()).then(|| {
                let body = &code[at..item_end(code, at)];
                (name.to_owned(), body.matches('\n').count() + 1)
            })
        })
        .collect()
}

pub fn a_function_fits_a_screen(source: &Source) -> Vec<String> {
    functions(source)
        .into_iter()
        .filter(|&(_, lines)| lines > FUNCTION_LINES_MAX)
        .map(|(name, lines)| format!("fn {name} has {lines} lines"))
        .collect()
}

pub fn a_file_begins_by_saying_what_it_is_for(source: &Source) -> Vec<String> {
    let says = source.text.starts_with("//! ");
    (!says).then(|| "no head".to_owned()).into_iter().collect()
}

pub fn exit_numbers_stand_in_outcome_alone(source: &Source) -> Vec<String> {
    if source.room() == "outcome" {
        return Vec::new();
    }
    // 255 is also the longest name, and what a bare transport says of itself: those are no statuses of clsh.
    let code = source
        .code
        .replace("NAME_BYTES_MAX: usize = 255", "")
        .replace("Exit::Code(255)", "");
    ["124", "255"]
        .into_iter()
        .filter(|number| has_word(&code, number))
        .map(str::to_owned)
        .collect()
}

pub fn names_of_the_field_only(source: &Source) -> Vec<String> {
    ["utils", "util", "helpers", "helper", "manager"]
        .into_iter()
        .filter(|name| {
            let file = source.path.split(['/', '.']).any(|part| part == *name);
            file || has_word(&source.code, name)
        })
        .map(str::to_owned)
        .collect()
}
