//! The counts: the answers of each instance, and the number that was expected.

use crate::{
    analysis::{InstanceHits, RoundShares, Verdict},
    model::trace::Trace,
    report::{
        style::{self, Paint},
        text::{columns, width},
    },
};

use super::names::in_width;

/// The most instances that are listed; of more, only the least and the most answers are shown.
const LISTED: usize = 20;
const INDENT: &str = "             ";
const NAME_WIDTH: usize = 40;

/// The counts as lines for the place behind a label.
pub fn render_counts(trace: &Trace, verdict: &Verdict, paint: Paint) -> String {
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    let (Some(&least), Some(&most)) = (hits.iter().min(), hits.iter().max()) else {
        return "no instance was recognised".to_owned();
    };
    let kept = verdict.instances.iter().all(is_kept);
    let remarks: Vec<String> = verdict.instances.iter().map(|instance| remark(verdict, instance)).collect();
    // a remark that all share stands once
    let common = remarks.iter().all(|remark| *remark == remarks[0]).then(|| remarks[0].as_str());
    let regular = !verdict.algorithm.counts_are_a_sample() && kept;
    match (hits.len(), common) {
        (1, _) => rows(trace, verdict, &remarks, paint),
        (_, Some(_)) if regular && least == most => format!("{least} to each"),
        (_, Some(_)) if regular && most == least + 1 => format!("{least} or {most} to each"),
        (_, Some("")) if least == most => format!("{least} to each"),
        (..=LISTED, Some(common)) => lines(rows(trace, verdict, &[], paint), common),
        (..=LISTED, None) => rows(trace, verdict, &remarks, paint),
        (_, Some(common)) => lines(format!("{} to each", between(least, most)), common),
        (_, None) if regular => format!("{} to each, as their weights say", between(least, most)),
        (_, None) => format!("{} to each", between(least, most)),
    }
}

/// All counts, one on each line where there is a remark about each.
fn rows(trace: &Trace, verdict: &Verdict, remarks: &[String], paint: Paint) -> String {
    let names: Vec<String> = verdict.instances.iter().map(|one| in_width(trace, &one.name, NAME_WIDTH)).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let digits = verdict.instances.iter().map(|one| one.hits.to_string().len()).max().unwrap_or(1);
    let cell = |(index, instance): (usize, &InstanceHits)| {
        let padding = " ".repeat(widest - width(&names[index]));
        let name = style::sign(&names[index], &instance.name, paint) + &padding;
        let remark = remarks.get(index).filter(|remark| !remark.is_empty());
        let remark = remark.map_or(String::new(), |remark| format!("  ({remark})"));
        (widest + 1 + digits + width(&remark), format!("{name} {:>digits$}{remark}", instance.hits))
    };
    let cells: Vec<(usize, String)> = verdict.instances.iter().enumerate().map(cell).collect();
    if remarks.is_empty() {
        return columns(&cells, INDENT);
    }
    let rows: Vec<String> = cells.into_iter().map(|(_, text)| text).collect();
    rows.join(&format!("\n{INDENT}"))
}

fn lines(first: String, second: &str) -> String {
    if second.is_empty() { first } else { format!("{first}\n{INDENT}{second}") }
}

/// Returns true if the count of an instance lies within its bounds.
fn is_kept(instance: &InstanceHits) -> bool {
    instance.expected.is_some_and(|(least, most)| (least..=most).contains(&instance.hits))
}

/// The remark about an instance: its expected count.
fn remark(verdict: &Verdict, instance: &InstanceHits) -> String {
    let out = match instance.expected {
        Some((least, _)) if instance.hits < least => ": fewer",
        Some((_, most)) if instance.hits > most => ": more",
        _ => "",
    };
    let total: usize = verdict.instances.iter().map(|instance| instance.hits).sum();
    match (instance.expected, instance.weight, instance.share) {
        (Some((least, most)), _, _) if verdict.algorithm.counts_are_a_sample() => {
            let even = total as f64 / verdict.instances.iter().filter(|instance| instance.hits > 0).count() as f64;
            format!("about {even:.0} expected, {least} to {most} by chance{out}")
        }
        (Some((least, most)), Some(weight), _) if verdict.algorithm.round_shares() == Some(RoundShares::Weighted) => {
            format!("weight {weight}: {} expected{out}", between(least, most))
        }
        (Some((least, most)), _, _) => format!("{} expected{out}", between(least, most)),
        (None, _, Some((least, most))) => format!("{:.0} to {:.0} % of the picks", least * 100.0, most * 100.0),
        (None, ..) => String::new(),
    }
}

fn between(least: usize, most: usize) -> String {
    match most - least {
        0 => least.to_string(),
        1 => format!("{least} or {most}"),
        _ => format!("{least} to {most}"),
    }
}
