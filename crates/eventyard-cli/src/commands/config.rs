//! `eventyard config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use miette::IntoDiagnostic;

use crate::{
    config::{Config, ConfigError, Environment, Layers},
    output,
};

/// Check the configuration, or describe what can be configured
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print what is in force and where each value comes from, secrets masked; or tell what is wrong
    Check {
        /// The configuration file; without it, eventyard.toml in the working folder if there is one
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The same, when FILE is not given
        #[arg(long = "config", value_name = "FILE", env = "EVENTYARD_CONFIG")]
        config: Option<PathBuf>,
        /// With the defaults of `eventyard dev`
        #[arg(long)]
        dev: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file, for editors
    Schema {
        /// Print it on one line when it goes to a program
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &ConfigArgs) -> miette::Result<()> {
    match &args.command {
        ConfigCommand::Check { file, config, dev, json } => {
            let file = file.as_ref().or(config.as_ref()).cloned();
            let environment = Environment::of_process();
            let layers = Layers { file, environment, dev: *dev, ..Layers::default() };
            let loaded = layers.load().map_err(ConfigError::report)?;
            let shown = loaded.show().into_diagnostic()?;
            if *json {
                return output::json(&shown.to_json());
            }
            for note in &loaded.notes {
                output::tell(format_args!("note: {note}"));
            }
            output::line(shown)
        }
        ConfigCommand::Schema { json: true } => output::json(&Config::schema()),
        ConfigCommand::Schema { json: false } => {
            output::line(serde_json::to_string_pretty(&Config::schema()).into_diagnostic()?)
        }
    }
}
