//! The algorithm: which pattern a sequence shows, what else would produce it, and what it rules out.
//!
//! Independent draws are ruled out by bounds that hold for any weights: the probability of a sequence under the draws
//! that fit it best, times the number of sequences that would have been called the same. Looking after every request and
//! stopping when it is decided keeps them honest, because each further request makes the same statement about a longer
//! sequence.

use std::collections::BTreeSet;

use crate::trace::{Connection, InstanceId, Series};

use super::{
    chance::{in_words, ln_best_independent, ln_factorial, probability},
    order::{self, Rounds},
    regular::ln_regular,
    sequence::{Known, Sequence},
    verdict::{Algorithm, Order, RuledOut},
};

/// What a sequence shows of the algorithm.
#[derive(Debug, Clone)]
pub struct Finding {
    pub algorithm: Algorithm,
    pub candidates: Vec<Algorithm>,
    pub ruled_out: Vec<RuledOut>,
    pub order: Option<Order>,
    pub cycle: Vec<InstanceId>,
    pub repeats_after: Option<usize>,
    pub evidence: Vec<String>,
}

/// Whether a series needs more requests for a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// It is decided, or more would not decide it.
    Enough,
    /// Not decided yet.
    More,
}

/// Answers without a name after which nobody is expected to say one.
const NAMELESS: usize = 10;
/// Answers of which each names another instance, after which these are hardly instances.
const ALL_NEW: usize = 250;
/// Picks after which an order that changes from round to round is no longer watched for its repetition.
const LONGEST_PERIOD_WATCH: usize = 120;

/// Rounds that must be seen before there are rounds.
const FEWEST_ROUNDS: usize = 2;

/// After how many picks a changing order repeats, where rounds in an order of their own each would not have done so by
/// chance.
fn repetition(sequence: &Sequence, k: usize, alpha: f64) -> Option<usize> {
    let (period, repeated) = order::period(sequence)?;
    let ln_p = (period as f64).ln() - (repeated / k) as f64 * ln_factorial(k);
    (probability(ln_p) < alpha).then_some(period)
}

/// Whether a series without a cookie jar needs more requests. `known` is the number of instances that there are, as far
/// as somebody knows.
pub fn sampling(series: &Series, known: usize, alpha: f64) -> Sampling {
    let sequence = Sequence::of(series);
    let k = sequence.counts().len();
    let sent = series.requests.len();
    if k == 0 {
        return if sent >= NAMELESS { Sampling::Enough } else { Sampling::More };
    }
    // what has not shown itself by now will not; and what is new each time is hardly an instance's name
    let all_new = k == sequence.len() && sent >= ALL_NEW.max(known + 1);
    if sent >= most(k) || all_new {
        return Sampling::Enough;
    }
    let orderly = || order::fixed_cycle(&sequence).is_some() || order::rounds(&sequence).is_some();
    if k > 1 && sequence.known != Known::CountsOnly && sequence.len() < random_needs(k) && !orderly() {
        return Sampling::More;
    }
    let found = find(Some(series), Some(&sequence), alpha, &|_| String::new());
    let decided = match (found.algorithm, found.order) {
        (Algorithm::Undetermined, _) => false,
        // a reader wants to see the round come back twice
        (Algorithm::RoundRobin, Some(Order::Fixed)) => sequence.len() >= (3 * k).min(2 * k + 30),
        (Algorithm::RoundRobin, Some(Order::Changing)) => {
            found.repeats_after.is_some() || sequence.len() >= LONGEST_PERIOD_WATCH.max(4 * k)
        }
        _ => true,
    };
    if decided { Sampling::Enough } else { Sampling::More }
}

/// Requests after which an undecided series ends.
fn most(k: usize) -> usize {
    random_needs(k).max(LONGEST_PERIOD_WATCH) + 20
}

/// Picks before "nothing in the order beyond chance" means anything: enough for a regular order to have shown itself.
fn random_needs(k: usize) -> usize {
    (20 * k).max(100)
}

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

fn undetermined(why: String) -> Finding {
    Finding {
        algorithm: Algorithm::Undetermined,
        candidates: Vec::new(),
        ruled_out: Vec::new(),
        order: None,
        cycle: Vec::new(),
        repeats_after: None,
        evidence: vec![why],
    }
}

fn one_instance(series: &Series, sequence: &Sequence, alpha: f64, name: &dyn Fn(InstanceId) -> String) -> Finding {
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
    let counts: Vec<usize> = sequence.counts().into_iter().map(|(_, count)| count).collect();
    let (k, picks) = (counts.len(), sequence.len());
    let single = RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 };

    if let Some(cycle) = order::fixed_cycle(sequence) {
        // The first round says which instances there are and in which order; only what follows it is evidence.
        let foretold = sequence.foretold();
        let p = probability(ln_best_independent(&foretold));
        let followed: usize = foretold.iter().sum();
        if p >= alpha {
            return undetermined(format!(
                "{picks} requests over {k} instances follow a fixed order, but too few: at random that happens {}",
                in_words(p)
            ));
        }
        return Finding {
            algorithm: Algorithm::RoundRobin,
            candidates: vec![Algorithm::RoundRobin, Algorithm::LeastConnections],
            ruled_out: vec![single, RuledOut { algorithm: Algorithm::Random, test: "fixed cycle", p }],
            order: Some(Order::Fixed),
            repeats_after: Some(k),
            evidence: vec![
                format!(
                    "{k} instances answer in a ring, every round the same: after the first round, each of {followed} \
                     requests went where the ring says"
                ),
                format!("instances picked at random would do so {}", in_words(p)),
                "without load, least-connections looks the same".to_owned(),
            ],
            cycle,
        };
    }
    if let Some(Rounds { whole, offsets }) = order::rounds(sequence) {
        let ln_each = ln_factorial(k) - k as f64 * (k as f64).ln();
        // likewise: the first round is no evidence
        let p = probability((offsets as f64).ln() + whole.saturating_sub(1) as f64 * ln_each);
        if p >= alpha || whole < FEWEST_ROUNDS {
            return undetermined(match whole {
                0 | 1 => format!("{picks} requests over {k} instances: hardly one has come again yet"),
                _ => format!(
                    "{picks} requests over {k} instances fall into {whole} whole rounds, too few: at random that happens {}",
                    in_words(p)
                ),
            });
        }
        let repeats_after = repetition(sequence, k, alpha);
        let repeats = match repeats_after {
            Some(period) => format!("it repeats after {period} requests"),
            None => "it did not repeat within what was seen".to_owned(),
        };
        return Finding {
            algorithm: Algorithm::RoundRobin,
            candidates: vec![Algorithm::RoundRobin, Algorithm::LeastConnections],
            ruled_out: vec![single, RuledOut { algorithm: Algorithm::Random, test: "whole rounds", p }],
            order: Some(Order::Changing),
            repeats_after,
            evidence: vec![
                format!(
                    "{whole} rounds of {k} requests held each instance once, in an order that changes from round to \
                     round; {repeats}"
                ),
                format!("instances picked at random would do so {}", in_words(p)),
                "without load, least-connections looks the same".to_owned(),
            ],
            ..undetermined(String::new())
        };
    }
    perhaps_random(sequence, &counts, alpha, single)
}

fn perhaps_random(sequence: &Sequence, counts: &[usize], alpha: f64, single: RuledOut) -> Finding {
    let (k, picks) = (counts.len(), sequence.len());
    let independent = probability(ln_best_independent(counts) - ln_regular(sequence, k));
    if independent < alpha {
        return undetermined(format!(
            "the order of {picks} requests over {k} instances is too regular for independent draws ({}), but no plain \
             round robin",
            in_words(independent)
        ));
    }
    if picks < random_needs(k) {
        return undetermined(format!(
            "{picks} requests over {k} instances show no order yet; about {} would decide (-n)",
            random_needs(k)
        ));
    }
    let mut candidates = vec![Algorithm::Random, Algorithm::LeastConnections];
    let round_robin =
        RuledOut { algorithm: Algorithm::RoundRobin, test: "an instance came again before its round was over", p: 0.0 };
    let mut evidence = vec![format!(
        "{picks} requests over {k} instances show nothing beyond chance in their order; a regular order would have shown itself"
    )];
    let mut ruled_out = vec![single];
    match sequence.known {
        Known::EveryTurn => {
            ruled_out.push(round_robin);
            evidence.push(
                "no round robin: instances came again before their round was over, and every turn is known".to_owned(),
            );
        }
        Known::Ours | Known::CountsOnly => {
            candidates.push(Algorithm::RoundRobin);
            evidence.push(
                "a round robin shared with much other traffic, or kept by several counters, can look the same"
                    .to_owned(),
            );
        }
    }
    Finding { algorithm: Algorithm::Random, candidates, ruled_out, evidence, ..undetermined(String::new()) }
}

/// Only how often each answered is known: a round robin is as even as can be, independent draws are not.
fn counts_only(sequence: &Sequence, alpha: f64) -> Finding {
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
