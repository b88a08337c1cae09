//! Verdicts whose names are a guess, and verdicts on several addresses, judged from traces.

use lbctl::{
    analysis::{
        ALPHA, Agreement, Algorithm, Case, Expectation, Outcome, Strictness, Verdict, VerdictPart, compare_addresses,
        judge,
    },
    model::trace::{NameCertainty, NameFeature, SeriesName, Trace},
};

use crate::support::traces::{request, series, trace};

/// A trace of a free series of these instances.
fn free(picks: impl Iterator<Item = u16>) -> Trace {
    let requests = (1..).zip(picks).map(|(n, pick)| request(n, Some(pick))).collect();
    trace(vec![series(SeriesName::WithoutJar, requests)])
}

fn ring(instances: u16) -> Trace {
    free((0..90).map(move |n| n % instances))
}

fn guessed(trace: Trace) -> Trace {
    let feature = NameFeature { words: "the header x-flavour".to_owned(), certainty: NameCertainty::Guessed };
    Trace { identified_by: Some(feature), ..trace }
}

fn verdict(trace: &Trace) -> Verdict {
    judge(&Case::new(trace, ALPHA))
}

#[test]
fn a_guess_about_the_names_leaves_every_expectation_open() {
    let known = verdict(&ring(3));
    let open = verdict(&guessed(ring(3)));
    assert_eq!((open.algorithm, known.algorithm), (Algorithm::RoundRobin, Algorithm::RoundRobin));
    assert!(known.condition().is_none() && open.condition().is_some());
    let check =
        |text: &str, verdict: &Verdict| Expectation::parse(text).unwrap().check(verdict, Strictness::Pattern, ALPHA);
    for (text, outcome) in
        [("round-robin", Outcome::Met), ("single", Outcome::Contradicted), ("instances=3", Outcome::Met)]
    {
        assert_eq!(check(text, &known).outcome, outcome, "{text}");
    }
    for text in [
        "round-robin",
        "random",
        "single",
        "order=fixed",
        "repeats-after=7",
        "instances=3",
        "instances>=2",
        "instances=4",
        "weights=1:1:1",
        "spread<=10%",
        "sticky=cookie",
        "sticky-cookie=a",
        "sticky-by=hash",
        "per=request",
    ] {
        let left_open = check(text, &open);
        assert_eq!(left_open.outcome, Outcome::Undetermined, "{text}");
        assert!(matches!(left_open.found, VerdictPart::OnCondition(_)), "{text}");
    }
    // a verdict that names no algorithm rests on the guess as well
    let few = verdict(&guessed(free([0, 1, 0].into_iter())));
    assert_eq!(few.algorithm, Algorithm::Undetermined);
    assert!(few.condition().is_some());
}

#[test]
fn verdicts_on_several_addresses_differ_only_where_they_exclude_each_other() {
    use Agreement::{Different, Same, Undetermined};
    let other_feature = Trace { identified_by: Some(NameFeature::known("the header x-server")), ..ring(2) };
    let undecided = free([0, 1, 0].into_iter());
    for (one, other, algorithm, instances) in [
        (ring(3), ring(3), Same, Same),
        (ring(3), ring(2), Same, Different),
        // one address may know only a part of the instances that the other has
        (ring(3), ring(1), Undetermined, Undetermined),
        (ring(3), undecided, Undetermined, Undetermined),
        (ring(3), guessed(ring(3)), Undetermined, Undetermined),
        // other names of the same servers, perhaps
        (ring(3), other_feature, Same, Undetermined),
    ] {
        let (first, second) = (verdict(&one), verdict(&other));
        let compared = compare_addresses(&[(&one, &first), (&other, &second)]);
        let names = (first.algorithm, second.algorithm);
        assert_eq!((compared.algorithm, compared.instances), (algorithm, instances), "{names:?}");
    }
    let (one, only) = (ring(3), verdict(&ring(3)));
    assert_eq!(compare_addresses(&[(&one, &only)]).algorithm, Undetermined);
}
