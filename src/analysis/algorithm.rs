//! The algorithm: which pattern a sequence shows, what else would produce it, and what it rules out.
//!
//! What holds for every pick is looked for first (`exact`), then what holds but for the turns of others (`disturbed`).
//! Independent draws are ruled out by bounds that hold for any weights: the probability of a sequence under the draws
//! that fit it best, times the number of sequences that would have been called the same. Looking after every request and
//! stopping when it is decided keeps them honest, because each further request makes the same statement about a longer
//! sequence.

use crate::trace::{InstanceId, Series};

use super::{
    budget,
    chance::{in_words, ln_factorial, probability},
    disturbed, exact,
    finding::{Finding, undetermined},
    kept::{self, Kept},
    picks::Picks,
    sequence::{Known, Sequence},
    silent,
    verdict::{Algorithm, RuledOut},
};

/// The test that one instance passes in the first series.
pub const ONE_ALONE: &str = "one instance alone";
/// What kept connections leave to be counted.
const CONNECTIONS: &str = "connections";

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
    let kept = kept::kept(series);
    let mut finding = match sequence.counts().len() {
        0 => undetermined("no answer says which instance sent it".to_owned()),
        1 => one_instance(series, sequence, kept, alpha, name),
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
    finding
}

/// Requests that one instance must all answer before two that are picked at random are ruled out.
pub fn alone_takes(alpha: f64) -> usize {
    (1..).find(|&picks| alone_by_chance(picks) < alpha * budget::INDEPENDENT).unwrap_or(0)
}

/// How likely one of two instances with the same chance, the likeliest way to see one alone, has all of the picks.
fn alone_by_chance(picks: usize) -> f64 {
    probability((1.0 - picks as f64) * 2f64.ln())
}

fn one_instance(
    series: &Series,
    sequence: &Sequence,
    kept: Kept,
    alpha: f64,
    name: &dyn Fn(InstanceId) -> String,
) -> Finding {
    let alpha = alpha * budget::INDEPENDENT;
    let only = sequence.picks().next().map(name).unwrap_or_default();
    let (picks, what) = (sequence.len(), noun(sequence, kept));
    let p = alone_by_chance(picks);
    if p >= alpha && what == CONNECTIONS {
        let answered = series.requests.iter().filter(|request| request.instance.is_some()).count();
        return undetermined(format!(
            "{only} answered all {answered} requests, but they went over {picks} connections only, for each of which a \
             balancer may have picked once; --connection fresh shows every pick"
        ));
    }
    if silent::regularly(series, sequence, alpha) {
        return undetermined(format!(
            "{only} answered, and the other requests failed as regularly as if an instance that fails had its turns, or \
             as if there were a limit to the rate"
        ));
    }
    if p >= alpha {
        return undetermined(format!(
            "{only} answered all {picks} requests, too few: with two instances picked at random the chance of that is {}",
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
            // one that begins with the first of equals
            Algorithm::LeastConnections,
        ],
        ruled_out: vec![
            RuledOut { algorithm: Algorithm::Random, test: ONE_ALONE, p },
            RuledOut { algorithm: Algorithm::RoundRobin, test: ONE_ALONE, p: 0.0 },
        ],
        evidence: vec![
            format!(
                "{only} answered all {picks} {what}; with two instances picked at random the chance of that would be {}",
                in_words(p)
            ),
            format!(
                "this cannot tell a single instance from one that is picked for this client, for this path, as the first \
                 that is free, or as the least busy; and one that gets less than {:.0} % of the {what} may not have shown itself",
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
    exact::find(sequence, &picks, alpha)
        .or_else(|| silent::find(series, sequence, alpha).filter(|_| kept == Kept::EachPicks))
        .unwrap_or_else(|| disturbed::find(sequence, &picks, alpha))
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
