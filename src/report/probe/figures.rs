//! The figures behind a verdict, for readers that check it.

use std::collections::BTreeSet;

use comfy_table::CellAlignment;

use strum::VariantArray as _;

use crate::{
    analysis::{BudgetPart, Key, OUTLIER_CHANCE, Sample, SamplePurpose, Verdict},
    model::trace::{Request, Trace},
    report::{
        odds::odds_in_words,
        style::{self, Paint},
        text::{columns, millis, shorten, width, wrapped},
    },
};

use super::names::in_width;

const INDENT: &str = "    ";
/// The widest name of an experiment.
const NAME_WIDTH: usize = 18;

const TAKES: &str = "takes: with so many it can be decided at the earliest; by lot, with cookies and over one connection, if \
                     all stay on one instance; s: seconds; median and p95: milliseconds; conns: connections";
pub fn render_figures(trace: &Trace, verdict: &Verdict, samples: &[Sample], paint: Paint) -> String {
    let mut lines = vec!["  figures:".to_owned()];
    let mut say = |sentence: String| lines.push(wrapped(&sentence, "    - ", "      "));
    let parts: Vec<String> = BudgetPart::VARIANTS.iter().map(|part| budget_part(*part)).collect();
    say(format!("alpha is {:e}, shared: {}", verdict.alpha, parts.join(", ")));
    say(format!("the sum of the p below is {}: {}", small(verdict.chance), odds_in_words(verdict.chance)));
    let candidates: Vec<&str> = verdict.candidates.iter().map(|one| one.as_str()).collect();
    if !candidates.is_empty() {
        say(format!("what would look like this: {}", candidates.join(", ")));
    }
    if let Some(share) = verdict.background_share {
        say(format!("turns that others took: about {:.0} %", share * 100.0));
    }
    if let Some(share) = verdict.regular_beyond {
        say(format!("turns that others would have to take from a round robin to hide it: {:.0} %", share * 100.0));
    }
    if verdict.even == Some(true) {
        say(format!(
            "counts of even picks lie within what chance gives in all but one of {:.0} series",
            1.0 / OUTLIER_CHANCE
        ));
    }
    lines.push(String::new());
    lines.push(ruled_out(verdict, paint));
    lines.push(String::new());
    lines.push(experiments(trace, samples, paint));
    lines.push(wrapped(TAKES, INDENT, INDENT));
    if verdict.instances.len() > 1 {
        lines.push(String::new());
        lines.push(format!("{INDENT}{}", shares(trace, verdict, paint)));
    }
    lines.join("\n") + "\n"
}

/// A part of alpha and its purpose.
fn budget_part(part: BudgetPart) -> String {
    let purpose = match part {
        BudgetPart::RandomPicks => "picks at random",
        BudgetPart::StrayAnswers => "stray answers",
        BudgetPart::RegularOrders => "other regular orders",
        BudgetPart::Cookies => "cookies",
        BudgetPart::Connections => "connections",
        BudgetPart::Experiments => "experiments",
    };
    format!("{:.0} % for {purpose}", part.limit() * 100.0)
}

/// The table of the algorithms that were ruled out, each with its test and p.
fn ruled_out(verdict: &Verdict, paint: Paint) -> String {
    let mut table = style::table(paint);
    table.set_header(["ruled out", "because", "p"]);
    for out in &verdict.ruled_out {
        table.add_row([out.algorithm.as_str().to_owned(), out.test.as_str().to_owned(), small(out.p)]);
    }
    table.trim_fmt()
}

/// The table of the experiments: their requests, failures and times.
fn experiments(trace: &Trace, samples: &[Sample], paint: Paint) -> String {
    let mut table = style::table(paint);
    table.set_header(["experiment", "sent", "takes", "failed", "s", "median", "p95", "conns"]);
    for sample in samples {
        let requests: Vec<&Request> = sample.series.iter().flat_map(|&index| &trace.series[index].requests).collect();
        let mut took: Vec<u64> = requests.iter().filter(|one| one.error.is_none()).map(|one| one.us).collect();
        took.sort_unstable();
        let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
        let ms = |percent| at(percent).map_or("-".to_owned(), |us| millis(*us));
        let began = requests.iter().map(|one| one.at_us).min().unwrap_or(0);
        let ended = requests.iter().map(|one| one.at_us.saturating_add(one.us)).max().unwrap_or(0);
        let ports: BTreeSet<_> = requests.iter().filter_map(|one| one.port).collect();
        table.add_row([
            shorten(&experiment_name(&sample.purpose), NAME_WIDTH),
            requests.len().to_string(),
            sample.needed.map_or("-".to_owned(), |needed| needed.to_string()),
            requests.iter().filter(|one| one.error.is_some()).count().to_string(),
            format!("{:.2}", ended.saturating_sub(began) as f64 / 1e6),
            ms(50),
            ms(95),
            if ports.is_empty() { "-".to_owned() } else { ports.len().to_string() },
        ]);
    }
    for column in 1..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn experiment_name(purpose: &SamplePurpose) -> String {
    match purpose {
        SamplePurpose::Order => "without jar".to_owned(),
        SamplePurpose::Jar => "with jar".to_owned(),
        SamplePurpose::AtOnce => "groups at once".to_owned(),
        SamplePurpose::Control => "control, by lot".to_owned(),
        SamplePurpose::JarByLot => "jar, by lot".to_owned(),
        SamplePurpose::ConnectionByLot => "connection, by lot".to_owned(),
        SamplePurpose::Cookie(name) => format!("only {name}"),
        SamplePurpose::CookieValues(values) => format!("{values} cookie values"),
        SamplePurpose::Connection => "one connection".to_owned(),
        SamplePurpose::Values(key, values) => {
            let what = match key {
                Key::Source => "addresses",
                Key::Query => "query strings",
                Key::Path => "paths",
                Key::Header => "header values",
                Key::Cookie => "cookie values",
            };
            format!("{values} {what}")
        }
        SamplePurpose::Load => "slow and meanwhile".to_owned(),
    }
}

/// Each instance's share of the answers.
fn shares(trace: &Trace, verdict: &Verdict, paint: Paint) -> String {
    let total: usize = verdict.instances.iter().map(|instance| instance.hits).sum();
    let cell = |instance: &crate::analysis::InstanceHits| {
        let name = in_width(trace, &instance.name, NAME_WIDTH);
        let figures = format!(" {} ({:.1} %)", instance.hits, 100.0 * instance.hits as f64 / total.max(1) as f64);
        (width(&name) + figures.len(), style::sign(&name, &instance.name, paint) + &figures)
    };
    columns(&verdict.instances.iter().map(cell).collect::<Vec<_>>(), INDENT)
}

/// A probability in few digits.
fn small(p: f64) -> String {
    match p {
        0.0 => "0".to_owned(),
        _ if p < 1e-300 => "< 1e-300".to_owned(),
        0.001.. => format!("{p:.3}"),
        _ => format!("{p:.1e}"),
    }
}
