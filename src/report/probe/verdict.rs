//! The verdict in plain words.

use crate::{
    analysis::{
        Algorithm, BalancesPer, Order, Reach, RoundShares, Sample, SamplePurpose, Stickiness, StickyBy, Verdict,
    },
    model::trace::{NameCertainty, Trace},
    report::{
        cost::total_cost,
        odds::odds_in_words,
        style::{self, Paint},
        text::{self, LINE_WIDTH, count, printable, shorten, wrapped},
    },
};

use super::{
    super::sentence::{asked_address, assumption, condition, ratio_in_words, sentences, unmodelled},
    counts,
    names::in_width,
};

/// The most weights that are named in the headline.
const MOST_WEIGHTS: usize = 20;

pub fn render_verdict(trace: &Trace, verdict: &Verdict, samples: &[Sample], paint: Paint) -> String {
    let condition = verdict.condition().map_or(String::new(), |_| condition(trace) + ": ");
    let mut lines = vec![style::bold(&wrapped(&(condition + &headline(verdict)), "", "  "), paint)];
    if !verdict.cycle.is_empty() {
        let names = verdict.cycle.iter().chain(verdict.cycle.first());
        let plain: Vec<String> = names.map(|name| in_width(trace, name, 60)).collect();
        let name = |(name, plain): (&String, &String)| style::sign(plain, name, paint);
        let names: Vec<String> = verdict.cycle.iter().cycle().zip(&plain).map(name).collect();
        lines.push(wrap_cycle(&names, &plain));
    }
    lines.push(format!("  requests:  {}", counts::render_counts(trace, verdict, paint)));
    lines.extend(sampled(trace, verdict, samples));
    lines.extend(cost(trace));
    lines.push(wrapped(&sticky(verdict), "  sticky:    ", "             "));
    if verdict.balances_per != BalancesPer::Undetermined {
        lines.push(format!("  picks:     once a {}", verdict.balances_per.as_str()));
    }
    if let Some(feature) = &trace.identified_by {
        let values = count(trace.instances.len() as u64, "value");
        let guess = match feature.certainty {
            NameCertainty::Known => "",
            NameCertainty::Guessed => ", a guess",
        };
        let known = format!("{} ({values}{guess})", shorten(&feature.words, 200));
        lines.push(wrapped(&known, "  known by:  ", "             "));
    }
    let asked = asked_address(&trace.target.addresses, trace.target.connected_to.as_deref());
    lines.extend(asked.map(|asked| wrapped(&printable(&asked), "  dns:       ", "             ")));
    lines.extend(excluded(verdict));
    lines.extend(not_told_apart(verdict));
    lines.extend(assumed(trace, verdict));
    lines.push("  because:".to_owned());
    lines.extend(sentences(trace, &verdict.evidence).iter().map(|sentence| wrapped(sentence, "    - ", "      ")));
    lines.join("\n") + "\n"
}

/// The line with the number of all requests and the time that they took.
fn cost(trace: &Trace) -> Option<String> {
    let (requests, seconds) = total_cost(trace);
    let requests_of_all = format!("{} in {seconds:.1} s, all series together", count(requests, "request"));
    (requests > 0).then(|| wrapped(&requests_of_all, "  cost:      ", "             "))
}

/// The line with the algorithms that the requests exclude.
fn excluded(verdict: &Verdict) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in verdict.ruled_out.iter().map(|out| out.algorithm.as_str()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let weights = verdict
        .near_weights
        .map_or(String::new(), |ratio| format!(", weights further apart than {}", ratio_in_words(ratio)));
    let chance = if verdict.chance > 0.0 {
        format!("; with one of these, the chance of such requests is {}", odds_in_words(verdict.chance))
    } else {
        String::new()
    };
    Some(wrapped(&format!("{}{weights}{chance}", names.join(", ")), "  excluded:  ", "             "))
}

/// The line with the mechanisms that no model follows and that may have answered so as well.
fn not_told_apart(verdict: &Verdict) -> Option<String> {
    if verdict.not_modelled.is_empty() {
        return None;
    }
    let words: Vec<&str> = verdict.not_modelled.iter().map(|one| unmodelled(*one)).collect();
    Some(wrapped(&format!("not told apart: picks by {}", words.join(", ")), "  ", "    "))
}

/// The lines with what the verdict takes for granted, or with its certainty where all of that was tested.
fn assumed(trace: &Trace, verdict: &Verdict) -> Option<String> {
    if verdict.assumes.is_empty() {
        return None;
    }
    let clauses: Vec<String> = verdict.assumes.iter().map(|one| assumption(trace, one)).collect();
    let mut lines = wrapped(&clauses.join("; "), "  assumes:   ", "             ");
    if verdict.assumes.iter().all(|one| one.test.is_some()) {
        let certainty =
            format!("an error below {}, among the mechanisms that lbctl knows", odds_in_words(verdict.alpha));
        lines += &format!("\n{}", wrapped(&certainty, "  certainty: ", "             "));
    }
    Some(lines)
}

fn headline(verdict: &Verdict) -> String {
    let instances = count(verdict.instances.len() as u64, "instance");
    let near = |other: &Algorithm| *other == Algorithm::WeightedRoundRobin && verdict.near_weights.is_some();
    let others = verdict.candidates.iter().skip(1).filter(|other| !near(other));
    let mut others: Vec<String> = others.map(|other| other.as_str().to_owned()).collect();
    if let Some(ratio) = verdict.near_weights {
        others.push(format!("weights closer than {}", ratio_in_words(ratio)));
    }
    let or = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
    let over = format!("{} over {instances}", verdict.algorithm.as_str());
    match (verdict.algorithm.reach(), verdict.algorithm.round_shares(), verdict.order) {
        (Reach::Unknown, ..) => format!("undetermined: {instances} answered"),
        (Reach::One, ..) => format!("one instance answers{or}"),
        (_, Some(RoundShares::Equal), Some(Order::Fixed)) => format!("{over}, every round the same{or}"),
        (_, Some(RoundShares::Equal), Some(Order::Changing)) => {
            let after = verdict.repeats_after.map_or(String::new(), |n| format!(", repeating after {n}"));
            format!("{over}, in an order that changes each round{after}{or}")
        }
        (_, Some(RoundShares::Equal), Some(Order::Interleaved)) => {
            format!("{over}, by several counters that take turns{or}")
        }
        (_, Some(RoundShares::Weighted), _) => format!("{over}{}{or}", weights(verdict)),
        (Reach::Every | Reach::ByLoad | Reach::ByKey, Some(RoundShares::Equal) | None, _) => over + &or,
    }
}

/// The weights in the order of the names, where all of them are known.
fn weights(verdict: &Verdict) -> String {
    let weights: Option<Vec<String>> =
        verdict.instances.iter().map(|instance| Some(instance.weight?.to_string())).collect();
    match weights {
        Some(weights) if (1..=MOST_WEIGHTS).contains(&weights.len()) => format!(", {}", weights.join(":")),
        _ => String::new(),
    }
}

/// The ring on lines of at most 80 columns; `plain` gives the widths, `names` may be coloured.
fn wrap_cycle(names: &[String], plain: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = "  order:     ".to_owned();
    let mut width = text.len();
    for (index, name) in names.iter().enumerate().take(MOST) {
        let length = text::width(&plain[index % plain.len()]) + 3;
        if index > 0 && width + length > LINE_WIDTH {
            text += "\n             ";
            width = 13;
        } else if index > 0 {
            text.push(' ');
        }
        text += name;
        if index + 1 < names.len() {
            text += " →";
        }
        width += length;
    }
    if names.len() > MOST {
        text += "…";
    }
    text
}

/// The line with the number of requests that were sent and the number that were needed.
fn sampled(trace: &Trace, verdict: &Verdict, samples: &[Sample]) -> Option<String> {
    let sample = samples.iter().find(|sample| sample.purpose == SamplePurpose::Order)?;
    let took = sample.request_count(trace);
    let requests = count(took as u64, "request");
    let sure = format!("a chance of error below {}", odds_in_words(verdict.alpha));
    let series = trace.series.get(*sample.series.first()?)?;
    let seen = series.instances();
    let said = match (sample.needed, seen.len()) {
        (_, 0) => return None,
        (None, _) => requests,
        (Some(takes), 1) => format!("{requests}; one instance and {sure} take {takes} or more"),
        (Some(takes), instances) => format!("{requests}; {instances} instances and {sure} take {takes} or more"),
    };
    Some(wrapped(&said, "  sampled:   ", "             "))
}

fn sticky(verdict: &Verdict) -> String {
    match (verdict.stickiness, &verdict.sticky_cookie) {
        (Stickiness::None, _) => "no".to_owned(),
        (Stickiness::Cookie, Some(cookie)) => {
            let by = match cookie.by {
                Some(StickyBy::Inserted) => ", which the balancer inserts",
                Some(StickyBy::Hash) => ", by a hash of its value",
                Some(StickyBy::Learned) => ", whose values the balancer learns",
                None => "",
            };
            format!("by the cookie {}{by}", printable(&cookie.name))
        }
        (Stickiness::Cookie, None) => "by a cookie".to_owned(),
        (Stickiness::Source, _) => "by the client's address".to_owned(),
        (Stickiness::Undetermined, _) => "undetermined".to_owned(),
    }
}
