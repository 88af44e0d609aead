//! Goal: a second prompt stands exactly where a shell would wait for more. Method: by example; and by scripts made at random, of which every
//! beginning is given to dash and bash too, which say by `-n` whether something is missing.

use super::*;
use std::io::Write;
use std::process::{Command, Stdio};

fn is_whole(text: &str) -> bool {
    let mut scanner = Scanner::new();
    scanner.feed(text.as_bytes());
    scanner.is_whole()
}

#[test]
fn what_is_open_waits_for_its_end() {
    for text in [
        "for x in 1 2; do",
        "for x in 1 2",
        "for x",
        "for ((i = 0; i < 3; i++))",
        "select x in a b; do",
        "while true; do echo",
        "until true",
        "if true; then",
        "if true",
        "if true; then a; elif b; then c; else",
        "case $x in",
        "case $x",
        "case $x in a) echo",
        "case $x in (a|b) echo ;;",
        "f() {",
        "f()",
        "f() (",
        "function f",
        "function f {",
        "{ echo",
        "( echo",
        "(",
        "echo 'a",
        "echo \"a",
        "echo \"$(echo",
        "echo $(",
        "echo `echo",
        "echo ${x:-",
        "echo $((1 +",
        "echo $'it\\'s",
        "a=(1 2",
        "((1 +",
        "[[ a = b &&",
        "[[ a ]] &&",
        "echo a &&",
        "echo a ||",
        "echo a |",
        "echo a |&",
        "echo a && # why",
        "echo \\",
        "echo a \\\n b \\",
        "cat <<EOT",
        "cat <<EOT\na",
        "cat <<'E O T'\nE",
        "cat <<\\EOT\na",
        "cat <<-EOT\n\ta",
        "cat <<A <<B\nA",
        "cat <<A &&\nA",
        "cat <<A\nx\\\nA",
        "cat <<A \\\nA",
        "x=$(cat <<A\n)",
        "diff <(echo a",
        "if true; then (a); { b; }",
    ] {
        assert!(!is_whole(text), "{text:?}");
    }
}

#[test]
fn what_is_whole_is_not_held_back() {
    for text in [
        "",
        "  ",
        "# if",
        "echo if for while { (",
        "echo \"if\" 'for' # do (",
        "for x in 1 2; do echo $x; done",
        "for x do echo; done",
        "for x\nin a b\ndo echo\ndone",
        "for ((i = 0; i < 3; i++)); do echo; done",
        "for ((;;)) do break; done",
        "while read x; do echo; done < f > g 2>&1",
        "if true; then a; elif b; then c; else d; fi",
        "if true; then (a) fi",
        "if true; then { a; } fi | cat",
        "case $x in a) b ;; (c|d) ;; *) e; esac",
        "case $x in esac",
        "case a in a) esac",
        "f() { echo; }",
        "f() ( echo )",
        "f()\n{ echo\n}",
        "f() if a; then b; fi",
        "function f { echo; }",
        "function f() { echo; }",
        "{ echo; }",
        "( echo; (a); ) && b",
        "((1 + (2 * 3)))",
        "((a); b)",
        "! ( a )",
        "! grep -q x f",
        "time ls",
        "a=(1 'b c' $(d) # e\n)",
        "a+=( x )",
        "[[ $x =~ ^(a|b)$ && ( c < d ) ]]",
        "[[ a ]] && b || c",
        "[ a = b ] && (c)",
        "if [[ $x =~ ^(a|b)$ ]]; then echo; fi",
        "ls @(a|b) !(c)",
        "echo ${x:-'}'} ${#x} $# $$ $((2 * (3 + 4))) \"${x:-it's}\" ${x#\\}}",
        "echo \"$(echo \"$(echo ')')\")\" `echo '('`",
        "echo $'it\\'s'",
        "echo a > f 2>&1 >&- <>g >|h; b &",
        "echo a & b",
        "echo \\\n a",
        "echo 'a\nb'",
        "echo a\\",
        "cat <<EOT\n$(a\n'\nEOT",
        "cat <<'E O T'\nE O T",
        "cat <<E\"O\"T\nEOT",
        "cat <<\\EOT\na\\\nEOT",
        "cat <<-EOT\n\ta\n\tEOT",
        "cat <<A; cat <<B\nA\nB",
        "cat <<A &&\nA\nb",
        "cat <<A \\\nx\nA",
        "cat <<< 'a b'",
        "x=$(cat <<A\n)\nA\n)",
        "diff <(echo a) >(cat)",
        "{a,b} }x {",
        "echo }",
        ": > f",
        "echo {\n",
    ] {
        let waits = ["echo a\\"].contains(&text);
        assert_eq!(is_whole(text), !waits, "{text:?}");
    }
}

#[test]
fn what_no_shell_would_take_is_sent_to_have_it_said() {
    for text in [
        "fi",
        "done",
        "if then",
        "while do",
        "if true; then fi",
        "if true; then\nelse",
        "for x in a; do done",
        "{ }",
        "for",
        "echo (",
        "for x in a; fi",
        "if true; done",
        "( ; )",
        "a && && b",
        "&& a",
        "; a",
        ")",
        "(a))",
        "}",
        "echo >",
        "echo <<",
        "case a b",
        "f() )",
        "case x in a",
        ";;",
    ] {
        assert!(is_whole(text), "{text:?}");
    }
    let deep = "{ ".repeat(DEPTH_MAX + 1);
    assert!(is_whole(&deep) && !is_whole(&deep[4..]));
}

/// Numbers that look random, and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// A blank, or the end of a line where one may be.
fn gap(r: &mut Random) -> &'static str {
    r.pick(&[" ", " ", "\n", "\n\n", " # it's \"(\n"])
}

/// What ends a command before another.
fn end(r: &mut Random) -> &'static str {
    r.pick(&["\n", "\n", "; ", " & ", ";\n", " # fi `\n"])
}

fn word(r: &mut Random, depth: usize) -> String {
    if depth > 0 && r.below(6) == 0 {
        let inner = commands(r, depth - 1);
        return match r.below(3) {
            0 => format!("$({inner})"),
            1 => format!("\"a $({inner}) '\""),
            _ => format!("a$({inner})'b'"),
        };
    }
    r.pick(&[
        "a",
        "if",
        "done",
        "'q r'",
        "'two\nlines'",
        "\"d $x\n'\"",
        "\\(",
        "\\\n",
        "b\\\nc",
        "$x",
        "${y:-z}",
        "\"${y:-its}\"",
        "$((1 + (2)))",
        "`echo s`",
        "}",
        "in",
        "a#b",
        "--x=y",
        "''",
        "$#",
        "$$",
        "\\\\",
        "\"\\\"\"",
    ])
    .to_owned()
}

/// Commands, each with an end but the last.
fn commands(r: &mut Random, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..r.below(3) {
        text.push_str(&pipeline(r, depth));
        text.push_str(end(r));
    }
    // A file that ends within a here-document would go on behind what is closed.
    text + &pipeline(r, depth) + "\n"
}

fn pipeline(r: &mut Random, depth: usize) -> String {
    let not = r.pick(&["", "", "", "! "]);
    let first = format!("{not}{}", command(r, depth));
    match r.below(5) {
        0 => {
            let (operator, gap) = (r.pick(&["&&", "||", "|"]), gap(r));
            format!("{first} {operator}{gap}{}", command(r, depth))
        }
        _ => first,
    }
}

fn simple(r: &mut Random, depth: usize) -> String {
    let name = r.pick(&["echo", "x=1 true", "cat", ":", "\\if", "'for'", "e\\\ncho"]);
    let mut text = name.to_owned();
    for _ in 0..r.below(3) {
        text.push(' ');
        text.push_str(&word(r, depth));
    }
    text.push_str(r.pick(&["", "", " >f", " 2>&1", " <f >>g"]));
    text
}

fn command(r: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return simple(r, 0);
    }
    let depth = depth - 1;
    let redirected = r.pick(&["", "", " >f 2>&1"]);
    let compound = match r.below(10) {
        0 => {
            let (a, b) = (commands(r, depth), commands(r, depth));
            let rest = match r.below(3) {
                0 => format!("else{}{}", gap(r), commands(r, depth)),
                1 => format!("elif {} then {}", commands(r, depth), commands(r, depth)),
                _ => String::new(),
            };
            format!("if{}{a}then {b}{rest}fi", gap(r))
        }
        1 => {
            let head = r.pick(&["while", "until"]);
            format!(
                "{head} {}do{}{}done",
                commands(r, depth),
                gap(r),
                commands(r, depth)
            )
        }
        2 => {
            let words = format!("{} {}", word(r, 0), word(r, 0));
            let head = r.pick(&["x in @; do", "x in @\ndo", "x\nin @\n do", "x; do", "x do"]);
            format!(
                "for {}{}{}done",
                head.replace('@', &words),
                gap(r),
                commands(r, depth)
            )
        }
        3 => {
            let mut items = String::new();
            for _ in 0..r.below(3) {
                let pattern = r.pick(&["a", "(b", "'c d' | *", "(e|f", "if"]);
                let separator = r.pick(&[";;", "\n;;", ";;\n"]);
                items.push_str(&format!(
                    "{pattern}){}{}{separator}{}",
                    gap(r),
                    commands(r, depth),
                    gap(r)
                ));
            }
            format!(
                "case {} in{}{items}esac",
                r.pick(&["a", "$x", "'esac'"]),
                gap(r)
            )
        }
        4 => format!("{{{}{}}}", gap(r), commands(r, depth)),
        5 => format!("({}{})", gap(r), commands(r, depth)),
        6 => format!("f(){}{{\n{}}}", r.pick(&[" ", "\n"]), commands(r, depth)),
        _ => return simple(r, depth),
    };
    compound + redirected
}

/// A script, perhaps with here-documents, which stand at the ends of its lines: between commands that were made without any.
fn script(r: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..1 + r.below(3) {
        text.push_str(&match r.below(5) {
            0 => "cat <<E && echo a\n'\n\"if $x\nE x\nE\n".to_owned(),
            1 => "cat <<'A B' | cat <<-\\C\n\\\n$(x `\nA B\n\t\"\n\tC\n".to_owned(),
            2 => "if cat <<E; then\nthen\nE\necho $(cat <<\"F\"\n)\nF\n); fi\n".to_owned(),
            _ => commands(r, 2),
        });
    }
    text + ":\n"
}

/// Whether a shell would wait for more behind this beginning of a script that is right.
fn waits(shell: &str, text: &str) -> bool {
    let backslashes = text.bytes().rev().take_while(|&byte| byte == b'\\').count();
    let mut child = Command::new(shell)
        .args(["-n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("write");
    stdin.write_all(b"\n").expect("write");
    drop(stdin);
    let done = child.wait_with_output().expect("a shell");
    let said = String::from_utf8_lossy(&done.stderr);
    !done.status.success() || said.contains("here-document") || backslashes % 2 == 1
}

#[test]
fn every_beginning_of_a_script_is_judged_as_by_dash_and_bash() {
    let mut judged = 0;
    for seed in 1..=90_u64 {
        let script = script(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        // bash has its own ideas of quotes in comments within parentheses.
        if waits("bash", &script) {
            continue;
        }
        judged += 1;
        let mut scanner = Scanner::new();
        let lines: Vec<&str> = script.trim_end_matches('\n').split('\n').collect();
        for (at, line) in lines.iter().enumerate() {
            scanner.feed(line.as_bytes());
            let text = lines[..=at].join("\n");
            assert_eq!(is_whole(&text), scanner.is_whole(), "however it is fed");
            let held = !scanner.is_whole();
            assert_eq!(held, waits("bash", &text), "seed {seed}: bash: {text}");
            // dash takes the end of the file for that of a here-document.
            if !text.contains("<<") {
                assert_eq!(held, waits("dash", &text), "seed {seed}: dash: {text}");
            }
            if held {
                continue;
            }
            scanner = Scanner::new();
            scanner.feed(text.as_bytes());
        }
        assert!(scanner.is_whole(), "seed {seed}: {script}");
    }
    assert!(judged >= 60, "{judged}");
}

#[test]
fn whatever_is_held_back_is_nothing_that_bash_would_run() {
    const PIECES: [&str; 40] = [
        "if", "then", "fi", "for", "x", "in", "do", "done", "case", "esac", "a)", ";;", ";", "&",
        "&&", "|", "(", ")", "{", "}", "'", "\"", "$(", "`", "${x}", "$((", "))", "<<E", "E", "\n",
        "\n", " ", " ", " ", "#", "\\", ">", "f()", "while", "!",
    ];
    let mut r = Random(0x0123_4567_89ab_cdef);
    for _ in 0..400 {
        let text: String = (0..2 + r.below(14))
            .map(|_| [r.pick(&PIECES), r.pick(&["", " "])].concat())
            .collect();
        if !is_whole(&text) {
            assert!(waits("bash", &text), "{text:?}");
        }
    }
}

#[test]
fn any_bytes_are_taken() {
    let mut r = Random(0xfeed_beef);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..r.below(60))
            .map(|_| b"'\"`$(){}[]<>;&|\\\n #=!ax\0\xff"[r.below(25)])
            .collect();
        let (mut whole, mut lines) = (Scanner::new(), Scanner::new());
        whole.feed(&bytes);
        bytes
            .split(|&byte| byte == b'\n')
            .for_each(|line| lines.feed(line));
        assert_eq!(whole.is_whole(), lines.is_whole(), "{bytes:?}");
    }
}
