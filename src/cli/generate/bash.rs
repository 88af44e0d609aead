//! Completion for bash, which knows nothing of flags: the script walks through the words itself.

use super::{Value, all_spellings, fill, node_flags, spellings, value};
use crate::cli::table::{FLAGS, Flag};

const TEMPLATE: &str = include_str!("bash.sh");

pub fn script() -> String {
    let values: String = FLAGS.iter().filter_map(branch).collect();
    let places = [
        ("VALUES", values),
        (
            "WITH_VALUE",
            all_spellings(|flag| flag.value.is_some()).join(" "),
        ),
        ("NODE_FLAGS", node_flags().join(" | ")),
        ("FLAGS", all_spellings(|_| true).join(" ")),
    ];
    fill(TEMPLATE, &places)
}

/// What completes the value of one flag.
fn branch(flag: &Flag) -> Option<String> {
    let reply = |words: &str| format!("mapfile -t COMPREPLY < <(compgen {words} -- \"$2\")");
    let action = match value(flag)? {
        Value::Nodes => "_clsh_nodes \"$2\"".to_owned(),
        Value::File => reply("-f"),
        Value::Directory => reply("-d"),
        Value::User => reply("-u"),
        Value::Host => reply("-A hostname"),
        Value::Program => reply("-c"),
        Value::Words(words) => reply(&format!("-W '{}'", words.join(" "))),
        Value::Free => ":".to_owned(),
    };
    let names = spellings(flag).join(" | ");
    Some(format!("\t{names}) {action} ;;\n"))
}
