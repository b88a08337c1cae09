//! `lbctl completions`: completions for a shell.

use clap::CommandFactory;

use crate::{
    cli::{Cli, Completions},
    error::Exit,
};

use super::console;

/// Prints the completions.
pub fn run(args: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lbctl", &mut script);
    console::data(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}
