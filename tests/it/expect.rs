//! `lbctl probe --expect`: what a verdict is held against, and how the command ends.

use lbctl::{
    analysis::{
        ALPHA, Algorithm, BalancesPer, Case, Expectation, Order,
        Outcome::{self, Contradicted, Met, Undetermined},
        Stickiness, StickyBy, StickyCookie, Strictness, Verdict, combined_outcome, judge,
    },
    model::trace::Trace,
};
use serde_json::{Value, json};

use crate::support::{Lab, Place};

/// The verdict on requests without a jar that were answered by these instances.
fn verdict(letters: &str) -> Verdict {
    let requests = letters.bytes().enumerate().map(|(at, letter)| {
        json!({ "n": at + 1, "action": "get", "at_us": at, "us": 1, "cookies_sent": 0, "instance": letter - b'a', "status": 200 })
    });
    let most = letters.bytes().max().unwrap_or(b'a');
    let trace = json!({
        "schema": "lbctl.trace.v1",
        "target": { "url": "http://demo/", "via": "dns" },
        "instances": (b'a'..=most).map(|letter| json!({ "name": char::from(letter), "hostname": "" })).collect::<Vec<_>>(),
        "series": [{
            "name": "without-jar",
            "conditions": { "jar": "none", "connection": "fresh", "path": "/", "concurrency": 1 },
            "requests": requests.collect::<Vec<_>>(),
            "cookies": [],
        }],
    });
    judge(&Case::new(&Trace::from_json("test", trace.to_string().as_bytes()).unwrap(), ALPHA))
}

/// Independent draws with these weights.
fn drawn(count: usize, weights: &[u64]) -> Verdict {
    let mut state: u64 = 7;
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut place = ((mixed ^ (mixed >> 31)) >> 11) % weights.iter().sum::<u64>();
        let instance = weights.iter().position(|weight| {
            let here = place < *weight;
            place = place.saturating_sub(*weight);
            here
        });
        char::from(b'a' + instance.unwrap() as u8)
    };
    let drawn = verdict(&(0..count).map(|_| draw()).collect::<String>());
    // whatever the analysis makes of it elsewhere
    Verdict { algorithm: Algorithm::Random, candidates: vec![Algorithm::Random], ..drawn }
}

fn weighted(letters: &str, weights: &[u32]) -> Verdict {
    let mut verdict = verdict(letters);
    verdict.algorithm = Algorithm::WeightedRoundRobin;
    verdict.candidates = vec![Algorithm::WeightedRoundRobin];
    for (instance, weight) in verdict.instances.iter_mut().zip(weights) {
        instance.weight = Some(*weight);
    }
    verdict
}

#[track_caller]
fn check(verdict: &Verdict, expected: &[(&str, Outcome, &str)]) {
    check_as(Strictness::Pattern, verdict, expected);
}

#[track_caller]
fn check_as(strictness: Strictness, verdict: &Verdict, expected: &[(&str, Outcome, &str)]) {
    for (text, outcome, found) in expected {
        let checked = Expectation::parse(text).unwrap().check(verdict, strictness, ALPHA);
        assert_eq!((checked.expectation.as_str(), checked.outcome), (*text, *outcome), "{checked:?} of {verdict:?}");
        assert!(lbctl::report::verdict_part(&checked.found).starts_with(found), "`{found}` in {checked:?}");
    }
}

#[test]
fn a_round_robin_meets_what_it_is() {
    let ring = verdict(&"abcde".repeat(8));
    check(
        &ring,
        &[
            ("round-robin", Met, "round-robin"),
            ("random", Contradicted, "round-robin"),
            // weights that are nearly the same would look like this
            ("weighted-round-robin", Undetermined, "round-robin or least-connections or weighted-round-robin"),
            // it may be one, and the pattern is another's
            ("least-connections", Undetermined, "round-robin or least-connections"),
            ("order=fixed", Met, "fixed"),
            ("order=changing", Contradicted, "fixed"),
            ("order=interleaved", Contradicted, "fixed"),
            ("instances=5", Met, "5"),
            ("instances=4", Contradicted, "5"),
            ("instances=6", Contradicted, "5"),
            ("instances>=5", Met, "5"),
            ("instances>=6", Contradicted, "5"),
            ("repeats-after=5", Met, "5"),
            ("repeats-after=10", Contradicted, "5"),
            ("weights=2:2:2:2:2", Undetermined, "closer than 1 : 1.17"),
            ("weights=9:9:9:9:8", Undetermined, "closer than 1 : 1.17"),
            ("weights=2:1:1:1:1", Contradicted, "closer than 1 : 1.17"),
            ("weights=1:1", Contradicted, "5 instances"),
            ("spread<=15%", Met, "0%"),
            (
                "spread<=5%",
                Undetermined,
                "0% here, but weights that are nearly the same may make it 12.5% in the long run: 90 would (-n)",
            ),
            (
                "spread<=0%",
                Undetermined,
                "0% here, but weights that are nearly the same may make it 12.5% in the long run",
            ),
            ("sticky=none", Undetermined, "undetermined"),
            ("per=request", Undetermined, "undetermined"),
        ],
    );
    let unbounded = Verdict { near_weights: None, ..ring.clone() };
    check(
        &unbounded,
        &[
            ("weights=9:9:9:9:8", Undetermined, "1:1:1:1:1 so far"),
            ("weights=1:1:1:1:1", Undetermined, "1:1:1:1:1 so far"),
        ],
    );
    let unrepeated = Verdict { order: Some(Order::Changing), repeats_after: None, ..ring };
    check(&unrepeated, &[("repeats-after=30", Undetermined, "undetermined"), ("order=changing", Met, "changing")]);
}

#[test]
fn strictly_it_is_the_only_candidate() {
    let mut ring = verdict(&"abc".repeat(10));
    let strict = Strictness::OnlyCandidate;
    check_as(strict, &ring, &[("round-robin", Undetermined, "round-robin or least-connections")]);
    // weights that are nearly the same, as near as the verdict says, are no other mechanism
    ring.candidates.retain(|candidate| *candidate != Algorithm::LeastConnections);
    assert!(ring.candidates.contains(&Algorithm::WeightedRoundRobin) && ring.near_weights.is_some());
    check_as(strict, &ring, &[("round-robin", Met, "round-robin")]);
    let unbounded = Verdict { near_weights: None, ..ring.clone() };
    check_as(strict, &unbounded, &[("round-robin", Undetermined, "round-robin or weighted-round-robin")]);
    check_as(strict, &ring, &[("random", Contradicted, "round-robin"), ("instances=3", Met, "3")]);
    ring.candidates = vec![Algorithm::RoundRobin];
    check_as(strict, &ring, &[("round-robin", Met, "round-robin"), ("least-connections", Contradicted, "round-robin")]);
}

#[test]
fn one_instance_may_hide_others() {
    check(
        &verdict(&"a".repeat(30)),
        &[
            ("single", Met, "single"),
            ("source-hash", Undetermined, "single or first-available or source-hash"),
            // with a second request for each, a round robin of two looks so
            ("round-robin", Undetermined, "single or first-available or source-hash"),
            ("weighted-round-robin", Undetermined, "single or first-available or source-hash"),
            ("instances=1", Met, "1"),
            ("instances>=1", Met, "1"),
            ("instances=5", Undetermined, "1 as far as was seen"),
            ("instances>=2", Undetermined, "1 as far as was seen"),
            // of which the others have small shares
            ("random", Undetermined, "single or first-available"),
            ("order=fixed", Undetermined, "undetermined"),
            ("weights=3:1", Undetermined, "1 as far as was seen"),
            // a balancer that stopped balancing is not even
            ("spread<=10%", Undetermined, "one instance alone"),
        ],
    );
}

#[test]
fn too_few_requests_leave_everything_open_but_what_was_seen() {
    check(
        &verdict("abc"),
        &[
            ("round-robin", Undetermined, "undetermined"),
            ("order=fixed", Undetermined, "undetermined"),
            ("instances=3", Undetermined, "3 as far as was seen"),
            ("instances=2", Contradicted, "3"),
            ("instances>=3", Met, "3"),
            ("instances>=4", Undetermined, "3 as far as was seen"),
            ("repeats-after=3", Undetermined, "undetermined"),
            ("weights=1:1:1", Undetermined, "3 as far as was seen"),
            ("spread<=10%", Undetermined, "0% as far as was seen"),
        ],
    );
    check(&verdict(""), &[("instances=1", Undetermined, "0"), ("spread<=10%", Undetermined, "one instance alone")]);
}

#[test]
fn weights_are_compared_in_any_order_and_in_lowest_terms() {
    let weighted = weighted(&"abaca".repeat(8), &[6, 2, 2]);
    check(
        &weighted,
        &[
            ("weighted-round-robin", Met, ""),
            ("weights=3:1:1", Met, "3:1:1"),
            ("weights=10:30:10", Met, "3:1:1"),
            ("weights=1:1:1", Contradicted, "3:1:1"),
            ("weights=3:1", Contradicted, "3 instances"),
            ("weights=3:1:1:1", Contradicted, "3 instances"),
            // to each its weight
            ("spread<=0%", Met, "0%"),
        ],
    );
}

#[test]
fn a_spread_counts_whole_requests() {
    // 21 over 4: nobody can have 5.25
    check(
        &verdict(&("abcd".repeat(5) + "a")),
        &[("spread<=0%", Undetermined, "0% here, but"), ("spread<=30%", Met, "0%")],
    );
    // a round robin of which others took turns: that says nothing of its rounds
    let mut shared = verdict(&"abcd".repeat(5));
    shared.instances[0].hits = 8;
    shared.instances[1].hits = 2;
    check(
        &shared,
        &[("spread<=60%", Met, "60%"), ("spread<=50%", Undetermined, "60% here, though rounds are regular")],
    );
}

#[test]
fn the_counts_of_random_picks_are_a_sample() {
    let few = drawn(200, &[1, 1, 1, 1]);
    check(
        &few,
        &[
            ("random", Met, "random"),
            ("instances=4", Met, "4"),
            ("instances=5", Contradicted, "4"),
            ("order=fixed", Contradicted, "random"),
            ("repeats-after=4", Contradicted, "random"),
            ("spread<=200%", Met, ""),
            ("spread<=10%", Undetermined, ""),
            ("weights=1:1:1:1", Undetermined, ""),
            ("weights=20:1:1:1", Contradicted, ""),
        ],
    );
    check(&drawn(40_000, &[1, 1, 1, 1]), &[("spread<=10%", Met, "")]);
    check(&drawn(2_000, &[5, 1, 1, 1]), &[("spread<=10%", Contradicted, ""), ("weights=5:1:1:1", Undetermined, "")]);
    // others may have taken turns of a round robin
    let disturbed = Verdict { candidates: vec![Algorithm::Random, Algorithm::RoundRobin], ..few };
    check(&disturbed, &[("order=fixed", Undetermined, ""), ("repeats-after=4", Undetermined, "")]);
}

#[test]
fn what_keeps_a_client_and_how_often_it_is_picked() {
    let ring = || verdict(&"abc".repeat(10));
    let by_cookie = Verdict {
        stickiness: Stickiness::Cookie,
        sticky_cookie: Some(StickyCookie {
            name: "SRV".into(),
            by: Some(StickyBy::Inserted),
            ..StickyCookie::default()
        }),
        balances_per: BalancesPer::Request,
        ..ring()
    };
    check(
        &by_cookie,
        &[
            ("sticky=cookie", Met, "cookie"),
            ("sticky=none", Contradicted, "cookie"),
            ("sticky=source", Contradicted, "cookie"),
            ("sticky-cookie=SRV", Met, "SRV"),
            ("sticky-cookie=srv", Contradicted, "SRV"),
            ("sticky-by=inserted", Met, "inserted"),
            ("sticky-by=hash", Contradicted, "inserted"),
            ("per=request", Met, "request"),
            ("per=connection", Contradicted, "request"),
        ],
    );
    let nameless = Verdict { sticky_cookie: None, ..by_cookie };
    check(&nameless, &[("sticky-cookie=SRV", Undetermined, "cookie, none by name"), ("sticky=cookie", Met, "cookie")]);
    check(&nameless, &[("sticky-by=hash", Undetermined, "cookie, how is not known")]);
    let free = Verdict { stickiness: Stickiness::None, ..nameless };
    check(&free, &[("sticky-cookie=SRV", Contradicted, "none"), ("sticky=none", Met, "none")]);
    check(&free, &[("sticky-by=learned", Contradicted, "none")]);
}

#[test]
fn together_they_pass_when_each_is_met() {
    let ring = verdict(&"abc".repeat(10));
    let all = |texts: &[&str]| {
        let check = |text: &&str| Expectation::parse(text).unwrap().check(&ring, Strictness::Pattern, ALPHA);
        combined_outcome(&texts.iter().map(check).collect::<Vec<_>>())
    };
    assert_eq!(all(&[]), Undetermined);
    assert_eq!(all(&["round-robin", "instances=3"]), Met);
    assert_eq!(all(&["round-robin", "sticky=none"]), Undetermined);
    assert_eq!(all(&["random", "sticky=none"]), Contradicted);
}

#[test]
fn what_cannot_be_expected_is_said() {
    for (text, words, hint) in [
        ("roundrobin", "`roundrobin`: there is no such expectation", "did you mean `round-robin`? there are single, "),
        ("instance=3", "there is no such expectation", "did you mean `instances`? "),
        ("Random", "there is no such expectation", "did you mean `random`? "),
        ("undetermined", "there is no such expectation", "there are single, round-robin, "),
        ("", "``: there is no such expectation", "weights=3:1:1, spread<=10%"),
        ("\u{1b}[2J", "`\\u{1b}[2J`: there is no such", "there are "),
        ("random=1", "there is no such expectation", "did you mean `random`? "),
        ("order", "`order` goes with =", "order=fixed|changing|interleaved"),
        ("order=fix", "`fix` is none of its values", "did you mean `order=fixed`? "),
        ("sticky=ip", "`ip` is none of its values", "sticky=cookie|none|source"),
        ("instances<=3", "`instances` goes with = or >=", "instances=N or instances>=N, in quotes for the shell"),
        ("instances==3", "`instances` goes with = or >=", "instances=N"),
        ("instances=0", "`0` is no number from 1 on", "instances=N"),
        ("instances=many", "`many` is no number from 1 on", "instances=N"),
        ("repeats-after=-1", "`-1` is no number from 1 on", "repeats-after=N"),
        ("weights=3", "weights are two numbers", "weights=3:1:1"),
        ("weights=3:0", "weights are two numbers", "weights=3:1:1"),
        ("weights=3:a", "weights are two numbers", "weights=3:1:1"),
        ("sticky-cookie=", "a name is missing", "sticky-cookie=NAME"),
        ("spread=10%", "`spread` goes with <=", "spread<=10%, in quotes for the shell"),
        ("spread<=10", "a spread is given in per cent", "spread<=10%"),
        ("spread<=-1%", "a spread is given in per cent", "spread<=10%"),
        ("spread<=inf%", "a spread is given in per cent", "spread<=10%"),
        ("spread<=NaN%", "a spread is given in per cent", "spread<=10%"),
    ] {
        // before anything is asked: nothing listens there
        let refused = Place::new().lbctl(["probe", "127.0.0.1:1", "--expect", "random", "--expect", text]);
        refused.fails(2, words);
        assert!(refused.stderr.contains("error: --expect `"), "{refused:?}");
        let hinted = refused.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default();
        assert!(hinted.contains(hint), "`{hint}` in {refused:?}");
        assert!(!refused.stderr.contains('\u{1b}'), "{refused:?}");
    }
    Place::new().lbctl(["probe", "--expect"]).fails(2, "a value is required for '--expect <X>'");
}

#[test]
fn the_help_names_every_algorithm() {
    let help = Place::new().lbctl(["probe", "--help"]);
    let missing: Vec<&str> =
        Algorithm::all().map(Algorithm::as_str).filter(|name| !help.stdout.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?} in {help:?}");
}

#[test]
fn the_command_ends_as_the_expectations_do() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "1", "--sticky", "web_static"]);
    let cookie = lab.view["services"]["web_static"]["sticky_cookie"].as_str().unwrap().to_owned();
    let probe = |expected: &[&str]| {
        let expected = expected.iter().flat_map(|one| ["--expect", one]);
        lab.lbctl(&["probe"].into_iter().chain(expected).collect::<Vec<_>>())
    };
    let cookie = format!("sticky-cookie={cookie}");
    let all = ["round-robin", "order=fixed", "instances=3", "sticky=cookie", &cookie, "per=request", "spread<=10%"];
    let met = probe(&all);
    let lines: Vec<&str> = met.ok().stdout.lines().rev().take(all.len()).collect();
    let as_expected = all.iter().rev().map(|one| format!("as expected: {one}"));
    assert_eq!(lines, as_expected.collect::<Vec<_>>());

    // without load, least-connections looks like a round robin
    let without_load = ["probe", "--experiments", "order,jar,connection"];
    let expected = ["--expect", "round-robin", "--expect", "instances=5", "--expect", "least-connections"];
    let not = lab.lbctl(&[&without_load[..], &expected].concat());
    assert_eq!(not.code, Some(1), "{not:?}");
    let lines = "as expected: round-robin\nnot as expected: instances=5, it is 3\n\
                 undecided: least-connections, it is round-robin or least-connections or\n  weighted-round-robin\n";
    assert!(not.stdout.ends_with(lines) && not.stderr.is_empty(), "{not:?}");

    let strictly = ["--expect", "round-robin", "--strict", "--format", "json"];
    let open = lab.lbctl(&[&without_load[..], &strictly].concat());
    assert_eq!(open.code, Some(4), "{open:?}");
    let open: Value = serde_json::from_str(&open.stdout).unwrap();
    let found = "round-robin or least-connections or weighted-round-robin";
    assert_eq!(open["expected"], json!([{ "expect": "round-robin", "outcome": "undetermined", "found": found }]));
    assert_eq!(open["passed"], Value::Null);

    let json = |expected| lab.lbctl(&["probe", "demo.api.ch/api/", "--format", "json", "--expect", expected]);
    let met = json("single").json();
    assert_eq!((&met["expected"][0]["outcome"], &met["passed"]), (&"met".into(), &true.into()));
    let not = json("round-robin");
    assert_eq!(not.code, Some(1), "{not:?}");
    let not: Value = serde_json::from_str(&not.stdout).unwrap();
    assert_eq!((&not["expected"][0]["found"], &not["passed"]), (&"single".into(), &false.into()));
    let nothing = lab.lbctl(&["probe", "--format", "json"]).json();
    assert_eq!((&nothing["expected"], &nothing["passed"]), (&json!([]), &Value::Null));
    assert!(!lab.lbctl(&["probe"]).ok().stdout.contains("expected"));
}
