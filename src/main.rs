//! Words -> job -> run -> exit status. A closed stdout is silent.

use clsh::cli::{self, Action, CliError, Environment, Invocation, Resolved};
use clsh::outcome::{STATUS_USAGE, Verdict};
use clsh::{driver, sys};
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(answered) = sys::asked_for_ssh() {
        return ExitCode::from(u8::from(!answered));
    }
    match run() {
        Ok(Verdict::Status(status)) => ExitCode::from(status),
        Ok(verdict @ Verdict::Signal(signal)) => {
            sys::die_by(signal);
            ExitCode::from(verdict.shell_status())
        }
        Err(text) => {
            say(&format!("clsh: {text}"));
            ExitCode::from(STATUS_USAGE)
        }
    }
}

fn run() -> Result<Verdict, String> {
    if sys::stdout_was_closed() {
        return Err(
            "standard output is closed, so all that is printed would be lost; give it a place (>/dev/null for none)"
                .to_owned(),
        );
    }
    sys::outlive_file_limits();
    let typed = match cli::parse(std::env::args_os().skip(1)).map_err(|error| refuse(&error))? {
        Invocation::Help => return print(cli::help()),
        Invocation::Version => return print(cli::version()),
        Invocation::Generate(page) => return print(page.text()),
        Invocation::Run(typed) => *typed,
    };
    let Resolved { notes, action } =
        cli::resolve(typed, &Environment::gather()).map_err(|error| refuse(&error))?;
    for note in notes {
        say(&note.to_string());
    }
    match action {
        Action::Query(nodes) => print(nodes.iter().flat_map(|node| [node.name(), "\n"]).collect()),
        Action::Run(job) => driver::run(&job).map_err(|refusal| refusal.to_string()),
    }
}

/// Says a line on stderr. Where nobody takes it, it has nowhere else to go.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says what stands before an error, and gives the error.
fn refuse(error: &CliError) -> String {
    for note in error.notes() {
        say(&note.to_string());
    }
    error.to_string()
}

fn print(text: String) -> Result<Verdict, String> {
    match sys::print(text.as_bytes()) {
        Ok(()) => Ok(Verdict::Status(0)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Verdict::CLOSED),
        Err(error) => {
            let why = sys::error_text(&error);
            say(&format!("clsh: cannot write to standard output: {why}"));
            Ok(Verdict::Status(0).or_worse(true))
        }
    }
}
