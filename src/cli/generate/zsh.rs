//! Completion for zsh, in the words of its `_arguments`.

use super::{Value, fill, node_flags, single_quoted, spellings, value};
use crate::cli::table::{FLAGS, Flag, FlagId};

const TEMPLATE: &str = include_str!("zsh.sh");

pub fn script() -> String {
    let specs: String = FLAGS.iter().flat_map(specs).collect();
    fill(
        TEMPLATE,
        &[("SPECS", specs), ("NODE_FLAGS", node_flags().join(" | "))],
    )
}

/// A line for each spelling: each excludes the others, but for flags that add up.
fn specs(flag: &Flag) -> Vec<String> {
    let adds_up = matches!(
        flag.id,
        FlagId::Hosts | FlagId::Hostfile | FlagId::Exclude | FlagId::Option
    );
    let names = spellings(flag);
    let before = match adds_up {
        true => "*".to_owned(),
        false => format!("({})", names.join(" ")),
    };
    let help = flag
        .help
        .replace('[', "\\[")
        .replace(']', "\\]")
        .replace(':', "\\:");
    let value = value(flag).map(|value| {
        let name = flag.value.unwrap_or_default().to_ascii_lowercase();
        format!(":{name}:{}", action(&value))
    });
    let line = |name: &String| {
        let mark = match (&value, name.starts_with("--")) {
            (None, _) => "",
            (Some(_), true) => "=",
            (Some(_), false) => "+",
        };
        let after = value.as_deref().unwrap_or_default();
        let spec = format!("{before}{name}{mark}[{help}]{after}");
        format!("\t{} \\\n", single_quoted(&spec))
    };
    names.iter().map(line).collect()
}

fn action(value: &Value) -> String {
    match value {
        Value::Nodes => "_clsh_nodes".to_owned(),
        Value::File => "_files".to_owned(),
        Value::Directory => "_files -/".to_owned(),
        Value::User => "_users".to_owned(),
        Value::Host => "_hosts".to_owned(),
        Value::Program => "_command_names -e".to_owned(),
        Value::Words(words) => format!("({})", words.join(" ")),
        Value::Free => " ".to_owned(),
    }
}
