//! The algorithm: which pattern a sequence shows, what else would produce it, and what it rules out.
//!
//! What holds for every pick is looked for first (`exact`), then what holds but for the turns of others (`disturbed`).
//! Independent draws are ruled out by bounds that hold for any weights: the probability of a sequence under the draws
//! that fit it best, times the number of sequences that would have been called the same. Looking after every request and
//! stopping when it is decided keeps them honest, because each further request makes the same statement about a longer
//! sequence.

use std::collections::BTreeSet;

use crate::trace::{Connection, InstanceId, Series};

use super::{
    budget,
    chance::{in_words, ln_factorial, probability},
    disturbed, exact,
    finding::{Finding, undetermined},
    picks::Picks,
    sequence::{Known, Sequence},
    verdict::{Algorithm, RuledOut},
};

/// What a sequence shows.
pub fn find(
    series: Option<&Series>,
    sequence: Option<&Sequence>,
    alpha: f64,
    name: &dyn Fn(InstanceId) -> String,
) -> Finding {
    let (Some(series), Some(sequence)) = (series, sequence) else {
        return undetermined("no request was sent".to_owned());
    };
    let mut finding = match sequence.counts().len() {
        0 => undetermined("no answer says which instance sent it".to_owned()),
        1 => one_instance(series, sequence, alpha, name),
        _ if sequence.known == Known::CountsOnly => counts_only(sequence, alpha),
        _ => several_instances(sequence, alpha),
    };
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
    finding
}

fn one_instance(series: &Series, sequence: &Sequence, alpha: f64, name: &dyn Fn(InstanceId) -> String) -> Finding {
    let alpha = alpha * budget::INDEPENDENT;
    let only = sequence.picks().next().map(name).unwrap_or_default();
    let picks = match series.conditions.connection {
        Connection::Fresh => sequence.len(),
        // who picks once a connection has picked as often as there were connections
        Connection::Reused => series.requests.iter().filter_map(|request| request.port).collect::<BTreeSet<_>>().len(),
    };
    if picks < sequence.len() && probability((1.0 - picks as f64) * 2f64.ln()) >= alpha {
        return undetermined(format!(
            "{only} answered all {} requests, but they went over {picks} connections only; --connection fresh shows every pick",
            sequence.len()
        ));
    }
    // two instances with the same chance, the likeliest way to see one alone by chance
    let p = probability((1.0 - picks as f64) * 2f64.ln());
    if p >= alpha {
        return undetermined(format!(
            "{only} answered all {picks} requests; with two instances picked at random that happens {}",
            in_words(p)
        ));
    }
    // an instance with a smaller share than this has a fair chance to stay unseen
    let unseen = 1.0 - alpha.powf(1.0 / picks as f64);
    Finding {
        algorithm: Algorithm::Single,
        candidates: vec![
            Algorithm::Single,
            Algorithm::FirstAvailable,
            Algorithm::SourceHash,
            Algorithm::UriHash,
            Algorithm::HeaderHash,
        ],
        ruled_out: vec![
            RuledOut { algorithm: Algorithm::Random, test: "one instance alone", p },
            RuledOut { algorithm: Algorithm::RoundRobin, test: "one instance alone", p: 0.0 },
        ],
        evidence: vec![
            format!(
                "{only} answered all {picks} requests; with two instances picked at random that happens {}",
                in_words(p)
            ),
            format!(
                "this cannot tell a single instance from a choice by client, path or availability, nor see an instance \
                 that gets less than {:.0} % of the requests",
                (unseen * 100.0).ceil()
            ),
        ],
        ..undetermined(String::new())
    }
}

fn several_instances(sequence: &Sequence, alpha: f64) -> Finding {
    let picks = Picks::of(sequence);
    exact::find(sequence, &picks, alpha).unwrap_or_else(|| disturbed::find(sequence, &picks, alpha))
}

/// Only how often each answered is known: a round robin is as even as can be, independent draws are not.
fn counts_only(sequence: &Sequence, alpha: f64) -> Finding {
    let alpha = alpha * budget::INDEPENDENT;
    let counts: Vec<usize> = sequence.counts().into_iter().map(|(_, count)| count).collect();
    let (k, picks) = (counts.len(), sequence.len());
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    if least < 2 {
        return undetermined(format!(
            "{picks} overlapping requests over {k} instances: not every one has come again yet"
        ));
    }
    if most - least > 1 {
        return undetermined(format!(
            "requests overlapped, so their order is not the balancer's; {k} instances answered between {least} and {most} times each"
        ));
    }
    // all the ways to be as even: which instances are one ahead, times the multinomial coefficient
    let ahead = counts.iter().filter(|&&count| count > least).count();
    let choose = ln_factorial(k) - ln_factorial(ahead) - ln_factorial(k - ahead);
    let arrangements = ln_factorial(picks) - counts.iter().map(|&count| ln_factorial(count)).sum::<f64>();
    let p = probability(choose + arrangements - picks as f64 * (k as f64).ln());
    if p >= alpha {
        return undetermined(format!(
            "requests overlapped, so only counts are known; they are as even as can be, which chance does {}",
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
                "{picks} overlapping requests were spread over {k} instances as evenly as can be: {least} to {most} each"
            ),
            format!("instances picked at random would be that even {}", in_words(p)),
        ],
        ..undetermined(String::new())
    }
}
