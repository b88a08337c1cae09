//! `lbctl probe --experiments list`.

use clap::ValueEnum;

use crate::{
    cli::{Experiment, Format},
    commands::console,
    error::{Error, Exit},
};

/// Prints the experiments that can be picked.
pub fn print(format: Format) -> Result<Exit, Error> {
    let all = Experiment::value_variants().iter().filter(|experiment| **experiment != Experiment::List);
    let all = all.filter_map(Experiment::to_possible_value).map(|value| {
        let about = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), about)
    });
    match format {
        Format::Json => {
            let all = all.map(|(name, about)| serde_json::json!({ "name": name, "about": about }));
            console::json(&all.collect::<Vec<_>>())?;
        }
        Format::Table => {
            let lines: Vec<String> = all.map(|(name, about)| format!("{name:<11} {about}")).collect();
            console::data(&lines.join("\n"))?;
        }
    }
    Ok(Exit::Done)
}
