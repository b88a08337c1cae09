//! `lbctl probe --experiments list`.

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    cli::Experiment,
    commands::console,
    error::{Error, Exit},
    model::Format,
    report::{Paint, Report},
};

/// Prints the experiments that can be picked.
pub fn print(format: Format) -> Result<Exit, Error> {
    let values = Experiment::value_variants().iter().filter(|experiment| **experiment != Experiment::List);
    let rows = values.filter_map(Experiment::to_possible_value).map(|value| Row {
        name: value.get_name().to_owned(),
        about: value.get_help().map(ToString::to_string).unwrap_or_default(),
    });
    console::print(&ExperimentList(rows.collect()), format)?;
    Ok(Exit::Done)
}

struct ExperimentList(Vec<Row>);

#[derive(Serialize)]
struct Row {
    about: String,
    name: String,
}

impl Report for ExperimentList {
    fn table(&self, _: Paint) -> String {
        let lines: Vec<String> = self.0.iter().map(|Row { name, about }| format!("{name:<11} {about}")).collect();
        lines.join("\n")
    }

    fn json(&self) -> impl Serialize {
        &self.0
    }
}
