//! Completion for fish: a line for each flag.

use super::{Value, all_spellings, fill, node_flags, value};
use crate::cli::table::{FLAGS, Flag};

const TEMPLATE: &str = include_str!("fish.fish");

pub fn script() -> String {
    let lines: String = FLAGS.iter().map(line).collect();
    let places = [
        ("LINES", lines.trim_end().to_owned()),
        (
            "WITH_VALUE",
            all_spellings(|flag| flag.value.is_some()).join(" "),
        ),
        ("NODE_FLAGS", node_flags().join(" ")),
    ];
    fill(TEMPLATE, &places)
}

fn line(flag: &Flag) -> String {
    let shorts = flag.shorts.iter().map(|letter| format!("-s {letter} "));
    let longs = flag.longs.iter().map(|name| format!("-l {name} "));
    let names: String = shorts.chain(longs).collect();
    let value = value(flag).map_or(String::new(), |value| match value {
        Value::Nodes => "-x -a '(__clsh_nodes)' ".to_owned(),
        Value::File => "-r -F ".to_owned(),
        Value::Directory => "-x -a '(__fish_complete_directories)' ".to_owned(),
        Value::User => "-x -a '(__fish_complete_users)' ".to_owned(),
        Value::Host => "-x -a '(__fish_print_hostnames)' ".to_owned(),
        Value::Program => "-x -a '(__fish_complete_command)' ".to_owned(),
        Value::Words(words) => format!("-x -a '{}' ", words.join(" ")),
        Value::Free => "-x ".to_owned(),
    });
    // fish knows a backslash between single quotes.
    let help = flag.help.replace('\\', "\\\\").replace('\'', "\\'");
    format!("complete -c clsh -n __clsh_options {names}{value}-d '{help}'\n")
}
