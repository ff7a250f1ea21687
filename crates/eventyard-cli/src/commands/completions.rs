//! `eventyard completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{cli::Cli, output};

/// Print the completions for a shell
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
    /// Print them as JSON: {"shell", "script"}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CompletionsArgs) -> miette::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "eventyard", &mut script);
    let script = String::from_utf8_lossy(&script);
    if args.json {
        output::json(&serde_json::json!({"shell": args.shell.to_string(), "script": script}))
    } else {
        output::line(script)
    }
}
