//! The algorithm: which pattern a sequence shows, what else would produce it, and what it rules out.
//!
//! What holds for every pick is looked for first (`exact`), then what holds but for the turns of others (`disturbed`); of
//! what has no name it is told whether it held for a while (`pieces`).
//! Independent draws are ruled out by bounds that hold for any weights: the probability of a sequence under the draws
//! that fit it best, times the number of sequences that would have been called the same. Looking after every request and
//! stopping when it is decided keeps them honest, because each further request makes the same statement about a longer
//! sequence.

use std::collections::BTreeMap;

use crate::model::trace::{InstanceId, Series};

use crate::analysis::{
    math::log_prob::{in_words, largest_share, ln_factorial, probability},
    pattern::failing_instances,
    pattern::finding::{Finding, undetermined},
    pattern::membership_change,
    pattern::strict_order,
    pattern::with_background,
    sampling::budget,
    series::connection_reuse,
    series::connection_reuse::Kept,
    series::picks::Picks,
    series::sequence::{Known, Sequence},
    verdict::{Algorithm, RuledOut, evidence::about},
};

/// The test that one instance passes in the first series.
pub const ONE_ALONE: &str = "one instance alone";
/// What kept connections leave to be counted.
const CONNECTIONS: &str = "connections";

/// What a series shows.
pub fn of(series: &Series, alpha: f64) -> Finding {
    find(series, &Sequence::of(series), alpha)
}

/// What a sequence shows.
pub fn find(series: &Series, sequence: &Sequence, alpha: f64) -> Finding {
    let kept = connection_reuse::kept(series);
    let mut finding = match sequence.counts().len() {
        0 => undetermined("no answer says which instance sent it".to_owned()),
        1 => one_instance(series, sequence, kept, alpha),
        _ if sequence.known == Known::CountsOnly => match kept {
            Kept::SomeMove => undetermined(
                "requests overlapped, so their order is not the balancer's; some connections led to several instances, \
                 others to one alone"
                    .to_owned(),
            ),
            kept => counts_only(sequence, kept, alpha),
        },
        _ => several_instances(series, sequence, kept, alpha),
    };
    if let (Kept::EachStays { connections }, 2..) = (kept, sequence.counts().len())
        && sequence.known != Known::EveryTurn
    {
        finding.evidence.push(format!(
            "each of {connections} kept connections led to one instance alone, so connections are counted, not requests"
        ));
    }
    let others = sequence.len().saturating_sub(series.requests.iter().filter(|r| r.instance.is_some()).count());
    if sequence.known == Known::EveryTurn && others > 0 {
        finding.evidence.push(format!(
            "other clients took {others} of the {} turns meanwhile; the lab's log says which, and they are counted in",
            sequence.len()
        ));
    }
    let failed = series.requests.iter().filter(|request| request.error.is_some()).count();
    if failed > 0 {
        finding.evidence.push(format!("{failed} of {} requests failed", series.requests.len()));
    }
    finding.evidence.extend(nameless(series));
    if finding.algorithm == Algorithm::Undetermined && finding.candidates.is_empty() && sequence.len() > 0 {
        finding.candidates = not_ruled_out(sequence, &finding.ruled_out);
    }
    finding
}

/// How many answers say nothing of who gave them, by their status.
fn nameless(series: &Series) -> Option<String> {
    let answers = series.requests.iter().filter(|request| request.error.is_none());
    let mut by_status: BTreeMap<u16, usize> = BTreeMap::new();
    let nameless = answers.clone().filter(|request| request.instance.is_none());
    nameless.filter_map(|request| request.status).for_each(|status| *by_status.entry(status.get()).or_default() += 1);
    let count: usize = by_status.values().sum();
    let each: Vec<String> = by_status.into_iter().map(|(status, count)| format!("{count} with {status}")).collect();
    (count > 0 && count < answers.clone().count()).then(|| {
        format!(
            "{count} of {} answers name no instance ({}), so who gave them is open",
            answers.count(),
            each.join(", ")
        )
    })
}

/// Whatever may pick like that as long as nothing speaks against it.
fn not_ruled_out(sequence: &Sequence, ruled_out: &[RuledOut]) -> Vec<Algorithm> {
    use Algorithm::{
        FirstAvailable, HeaderHash, LeastConnections, Random, RoundRobin, Single, SourceHash, UriHash,
        WeightedRoundRobin,
    };
    // what sends this client to one instance alone may have changed its mind, because instances came or left
    const SWITCHES: usize = 3;
    let changes = sequence.stretches.iter().flat_map(|stretch| stretch.windows(2)).filter(|pair| pair[0] != pair[1]);
    let constant = [FirstAvailable, SourceHash, UriHash, HeaderHash];
    let mut all = vec![RoundRobin, WeightedRoundRobin, Random, LeastConnections];
    let seldom = sequence.known == Known::CountsOnly || changes.count() <= SWITCHES;
    all.extend(constant.into_iter().take(if seldom { constant.len() } else { 1 }));
    if sequence.counts().len() == 1 {
        all.insert(0, Single);
    }
    all.retain(|one| ruled_out.iter().all(|out| out.algorithm != *one));
    all
}

/// Requests that one instance must all answer before two that are picked at random are ruled out.
pub fn alone_takes(alpha: f64) -> usize {
    (1..).find(|&picks| alone_by_chance(picks) < alpha * budget::INDEPENDENT).unwrap_or(0)
}

/// How likely one of two instances with the same chance, the likeliest way to see one alone, has all of the picks.
fn alone_by_chance(picks: usize) -> f64 {
    probability((1.0 - picks as f64) * 2f64.ln())
}

/// How likely the other of the two has so few picks as have no name, whenever one looks: the price of an even coin against
/// one of any other share, all shares being equally likely beforehand (Ville 1939).
fn nearly_alone_by_chance(picks: usize, nameless: usize) -> f64 {
    let n = picks + nameless;
    match nameless {
        0 => alone_by_chance(picks),
        _ if nameless >= picks => 1.0,
        _ => {
            let choose = ln_factorial(n) - ln_factorial(nameless) - ln_factorial(picks);
            probability(2f64.ln() + ((n + 1) as f64).ln() + choose - n as f64 * 2f64.ln())
        }
    }
}

fn one_instance(series: &Series, sequence: &Sequence, kept: Kept, alpha: f64) -> Finding {
    let alpha = alpha * budget::INDEPENDENT;
    let only = |text: String| about(sequence.picks().next().unwrap_or(InstanceId(0)), &text);
    let (picks, what) = (sequence.len(), noun(sequence, kept));
    let answered = series.requests.iter().filter(|request| request.instance.is_some()).count();
    let nameless = if what == CONNECTIONS { 0 } else { series.requests.len() - answered };
    let p = nearly_alone_by_chance(picks, nameless);
    if p >= alpha && what == CONNECTIONS {
        return undetermined(only(format!(
            "answered all {answered} requests, but they went over {picks} connections only, for each of which a \
             balancer may have picked once; --connection fresh shows every pick"
        )));
    }
    if failing_instances::regularly(series, sequence, alpha) {
        return undetermined(only(format!(
            "answered, and the other requests failed as regularly as if an instance that fails had its turns, or \
             as if there were a limit to the rate"
        )));
    }
    if p >= alpha && nameless > 0 {
        return undetermined(only(format!(
            "answered {picks} requests, and {nameless} have no answer that says who gave it: another instance may \
             have had these"
        )));
    }
    if p >= alpha {
        return undetermined(only(format!(
            "answered all {picks} requests, too few: with two instances picked at random the chance of that is {}",
            in_words(p)
        )));
    }
    // an instance with a smaller share than this has a fair chance to stay unseen
    let unseen = largest_share(nameless, picks + nameless, alpha);
    Finding {
        algorithm: Algorithm::Single,
        candidates: vec![
            Algorithm::Single,
            Algorithm::FirstAvailable,
            Algorithm::SourceHash,
            Algorithm::UriHash,
            Algorithm::HeaderHash,
            // one that begins with the first of equals
            Algorithm::LeastConnections,
            // with other shares than even ones
            Algorithm::WeightedRoundRobin,
            Algorithm::Random,
        ],
        // even draws as well, and they are the likeliest to look so
        ruled_out: vec![RuledOut { algorithm: Algorithm::RoundRobin, test: ONE_ALONE, p }],
        evidence: vec![
            only(format!(
                "answered {}; with two instances picked at random the chance of that would be {}",
                match nameless {
                    0 => format!("all {picks} {what}"),
                    _ => format!("{picks} {what}, and {nameless} have no answer that says who gave it"),
                },
                in_words(p)
            )),
            format!(
                "this cannot tell a single instance from one that is picked for this client, for this path, as the first \
                 that is free, or as the least busy, nor from a cache; and one that gets less than {:.0} % of the {what} \
                 may not have shown itself",
                (unseen * 100.0).ceil()
            ),
        ],
        ..undetermined(String::new())
    }
}

/// What a sequence is made of.
fn noun(sequence: &Sequence, kept: Kept) -> &'static str {
    match (kept, sequence.known) {
        (Kept::EachStays { .. }, Known::Ours | Known::CountsOnly) => CONNECTIONS,
        _ => "requests",
    }
}

fn several_instances(series: &Series, sequence: &Sequence, kept: Kept, alpha: f64) -> Finding {
    let picks = Picks::of(sequence);
    strict_order::find(sequence, &picks, alpha)
        .or_else(|| failing_instances::find(series, sequence, alpha).filter(|_| kept == Kept::EachPicks))
        .unwrap_or_else(|| match with_background::find(sequence, &picks, alpha) {
            open if open.algorithm == Algorithm::Undetermined => membership_change::find(&picks, alpha).unwrap_or(open),
            found => found,
        })
}

/// Only how often each answered is known: a round robin is as even as can be, independent draws are not.
fn counts_only(sequence: &Sequence, kept: Kept, alpha: f64) -> Finding {
    let alpha = alpha * budget::INDEPENDENT;
    let counts: Vec<usize> = sequence.counts().into_iter().map(|(_, count)| count).collect();
    let (k, picks, what) = (counts.len(), sequence.len(), noun(sequence, kept));
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    if least < 2 {
        return undetermined(format!(
            "{picks} overlapping {what} over {k} instances: not every one has come again yet"
        ));
    }
    if most - least > 1 {
        return undetermined(format!(
            "{what} overlapped, so their order is not the balancer's; {k} instances answered {least} to {most} of them each"
        ));
    }
    // all the ways to be as even: which instances are one ahead, times the multinomial coefficient
    let ahead = counts.iter().filter(|&&count| count > least).count();
    let choose = ln_factorial(k) - ln_factorial(ahead) - ln_factorial(k - ahead);
    let arrangements = ln_factorial(picks) - counts.iter().map(|&count| ln_factorial(count)).sum::<f64>();
    let p = probability(choose + arrangements - picks as f64 * (k as f64).ln());
    if p >= alpha {
        return undetermined(format!(
            "{what} overlapped, so only counts are known; they are as even as can be, but too few: the chance of that is {}",
            in_words(p)
        ));
    }
    Finding {
        algorithm: Algorithm::RoundRobin,
        candidates: vec![Algorithm::RoundRobin, Algorithm::LeastConnections],
        ruled_out: vec![
            RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 },
            RuledOut { algorithm: Algorithm::Random, test: "even counts", p },
        ],
        evidence: vec![
            format!(
                "{picks} overlapping {what} were spread over {k} instances as evenly as can be: {least} to {most} each"
            ),
            format!("with instances picked at random, the chance of counts as even as that would be {}", in_words(p)),
        ],
        ..undetermined(String::new())
    }
}
