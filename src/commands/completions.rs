//! `lbctl completions`: completions for a shell.

use clap::{Arg, Command, CommandFactory};

use crate::{
    cli::{Cli, Completions},
    error::{Error, Exit},
};

use super::console;

/// Prints the completions.
pub fn run(args: &Completions) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut visible(&Cli::command()), "lbctl", &mut script);
    console::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// The command with what its help shows and nothing else: completions would offer hidden commands and flags too.
fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let hidden: Vec<_> = command.get_arguments().filter(|argument| argument.is_hide_set()).map(Arg::get_id).collect();
    // a flag may say that it conflicts with a group
    let groups = command.get_groups().filter(|group| !group.get_args().any(|id| hidden.contains(&id)));
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut shown = Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .args(arguments.cloned())
        .groups(groups.cloned())
        .subcommands(commands.map(visible));
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    shown
}
