//! The analysis on traces as data.

use std::num::NonZeroU16;

use lbctl::{
    analysis::{self, ALPHA, Algorithm, BalancesPer, Case, Order, SampleState, Stickiness, Verdict, judge},
    model::trace::{BackgroundRequest, Connection, InstanceId, ObservedCookie, Request, Series, SeriesName, Trace},
};
use proptest::prelude::*;

use crate::support::traces::{self, request, trace};

fn series(name: SeriesName, picks: impl IntoIterator<Item = Option<u16>>) -> Series {
    traces::series(name, (1..).zip(picks).map(|(n, pick)| request(n, pick)).collect())
}

fn picks(picks: &[u16]) -> Trace {
    trace(vec![series(SeriesName::WithoutJar, picks.iter().copied().map(Some))])
}

fn letters(text: &str) -> Trace {
    picks(&text.bytes().map(|byte| u16::from(byte - b'a')).collect::<Vec<_>>())
}

fn verdict(trace: &Trace) -> Verdict {
    judge(&Case::new(trace, ALPHA))
}

#[test]
fn five_in_a_ring_are_a_round_robin() {
    let verdict = verdict(&letters(&"cdeab".repeat(3)));
    assert_eq!((verdict.algorithm, verdict.order), (Algorithm::RoundRobin, Some(Order::Fixed)));
    assert_eq!(verdict.cycle, ["web-1", "web-2", "web-3", "web-4", "web-5"]);
    assert_eq!(verdict.repeats_after, Some(5));
    assert_eq!(verdict.candidates[0], Algorithm::RoundRobin);
    assert!(verdict.chance < ALPHA);
    // nearly equal weights would look the same
    assert!(verdict.instances.iter().all(|instance| instance.hits == 3 && instance.weight.is_none()));
    assert!(verdict.candidates.contains(&Algorithm::WeightedRoundRobin) && verdict.near_weights.is_some());
}

#[test]
fn the_round_robin_of_traefik_changes_its_order() {
    for (order, period) in [("ababcbcac", 9), ("dbcbcada", 8), ("dcbebedacacebdbdcaeaedbcbceada", 30)] {
        let verdict = verdict(&letters(&order.repeat(10)));
        assert_eq!((verdict.algorithm, verdict.order), (Algorithm::RoundRobin, Some(Order::Changing)), "{order}");
        assert_eq!(verdict.repeats_after, Some(period));
        assert!(verdict.cycle.is_empty());
    }
}

#[test]
fn many_instances_are_not_a_round_before_one_comes_again() {
    let verdict = verdict(&picks(&(0..60).collect::<Vec<_>>()));
    assert_eq!(verdict.algorithm, Algorithm::Undetermined, "{:?}", verdict.evidence);
}

#[test]
fn few_requests_over_many_instances_prove_nothing_however_distinct() {
    let mut overlapping = series(SeriesName::WithoutJar, (0..60).map(Some));
    overlapping.conditions.concurrency = 8;
    assert_eq!(verdict(&trace(vec![overlapping])).algorithm, Algorithm::Undetermined);
    // twenty of a thousand, picked at random, are mostly distinct
    let mut state = 7;
    for _ in 0..200 {
        let draws: Vec<u16> = (0..20).map(|_| (splitmix(&mut state) % 250) as u16).collect();
        assert_ne!(verdict(&picks(&draws)).algorithm, Algorithm::RoundRobin, "{draws:?}");
    }
}

#[test]
fn requests_over_one_connection_are_one_pick() {
    let mut kept = series(SeriesName::WithoutJar, [Some(0); 40]);
    kept.conditions.connection = Connection::Reused;
    kept.requests.iter_mut().for_each(|request| request.port = NonZeroU16::new(7));
    assert_eq!(verdict(&trace(vec![kept])).algorithm, Algorithm::Undetermined);
}

#[test]
fn a_server_that_took_over_is_not_a_sticky_cookie() {
    let without = series(SeriesName::WithoutJar, (0..40).map(|n| Some(u16::from(n >= 10))));
    let with = with_cookie(series(SeriesName::WithJar, [Some(1); 100]), &["sid"]);
    assert_ne!(verdict(&trace(vec![without, with])).stickiness, Stickiness::Cookie);
}

#[test]
fn rounds_that_a_new_configuration_breaks_are_not_called_random() {
    // Traefik with five servers, shuffled anew every 17 requests, as while containers come up
    let order = "dcbebedacacebdbdcaeaedbcbceada";
    let broken: String = (0..7).map(|n| order.chars().cycle().skip(n * 11).take(17).collect::<String>()).collect();
    let verdict = verdict(&letters(&broken));
    assert!(
        matches!(verdict.algorithm, Algorithm::RoundRobin | Algorithm::Undetermined),
        "{:?}: {:?}",
        verdict.algorithm,
        verdict.evidence
    );
}

#[test]
fn near_weights_are_never_excluded() {
    // the smooth order of nginx alternates for long
    for (heavy, light) in [(50, 49), (100, 99)] {
        let mut current = [0_i32; 2];
        let smooth = |_| {
            (current[0], current[1]) = (current[0] + heavy, current[1] + light);
            let pick = usize::from(current[1] > current[0]);
            current[pick] -= heavy + light;
            pick as u16
        };
        let verdict = verdict(&picks(&(0..46).map(smooth).collect::<Vec<_>>()));
        assert_eq!(verdict.algorithm, Algorithm::RoundRobin, "{:?}", verdict.evidence);
        assert!(verdict.candidates.contains(&Algorithm::WeightedRoundRobin));
        // 2 more in 43
        assert!(verdict.near_weights.is_some_and(|bound| bound > 1.04 && bound < 1.05), "{:?}", verdict.near_weights);
        let share = verdict.instances[0].share.expect("an interval");
        assert!(share.0 < 49.0 / 99.0 && share.1 > 50.0 / 99.0 && verdict.instances[0].weight.is_none());
    }
}

#[test]
fn clumps_may_be_one_counter_or_several() {
    for clumps in ["aaaaabbbbb", "aabb", "aaaaabbbbbccccc"] {
        let verdict = verdict(&letters(&clumps.repeat(12)));
        assert_eq!(
            (verdict.algorithm, verdict.order),
            (Algorithm::RoundRobin, None),
            "{clumps} {:?}",
            verdict.evidence
        );
        assert!(verdict.cycle.is_empty() && verdict.candidates.contains(&Algorithm::WeightedRoundRobin));
        let both = |said: &String| said.contains("one counter") && said.contains("counters take turns");
        assert!(traces::evidence(&verdict).iter().any(both), "{:?}", verdict.evidence);
    }
}

#[test]
fn a_stray_name_is_no_instance_of_the_ring() {
    let strayed = |n: usize| if n == 31 || n == 77 { 3 } else { (n % 3) as u16 };
    let verdict = verdict(&picks(&(0..100).map(strayed).collect::<Vec<_>>()));
    assert_eq!((verdict.algorithm, verdict.cycle.len()), (Algorithm::RoundRobin, 3), "{:?}", verdict.evidence);
    let told = traces::evidence(&verdict);
    assert!(told.iter().any(|said| said.starts_with("web-4 answered 2 of 100 requests: stray answers")), "{told:?}");
    assert!(verdict.ruled_out.iter().any(|out| out.algorithm == Algorithm::Single && out.p > 0.0));
    // all but two from one: it may be alone
    let verdict = self::verdict(&picks(&(0..100).map(|n| u16::from(n == 31 || n == 77)).collect::<Vec<_>>()));
    assert!(verdict.candidates.contains(&Algorithm::Single), "{:?}", verdict.evidence);
    assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::Single));
}

#[test]
fn weights_that_others_may_have_made_in_step_rule_out_no_round_robin() {
    // a ring of two of which another takes each fourth turn
    let aba = verdict(&letters(&"aba".repeat(50)));
    assert!(aba.candidates.contains(&Algorithm::RoundRobin), "{:?}", aba.ruled_out);
    let out = |verdict: &Verdict| {
        verdict.ruled_out.iter().find(|out| out.algorithm == Algorithm::RoundRobin).map(|out| out.p)
    };
    assert_eq!(out(&aba), None);
    assert!(out(&verdict(&letters(&"aaab".repeat(50)))).is_some_and(|p| p > 0.0 && p < ALPHA));
}

#[test]
fn a_hint_at_more_requests_says_how_many() {
    let rare = verdict(&picks(&(0..250).map(|n| u16::from(n % 101 == 50)).collect::<Vec<_>>()));
    let told = traces::evidence(&rare);
    assert!(told.iter().any(|said| said.contains("about 710 can (-n)")), "{told:?}");
}

#[test]
fn weights_are_found() {
    for (order, weights) in
        [("aabaaaab", [3, 1].as_slice()), ("bacaa", &[3, 1, 1]), ("aaab", &[3, 1]), ("aaabbc", &[3, 2, 1])]
    {
        let verdict = verdict(&letters(&order.repeat(30)));
        assert_eq!(verdict.algorithm, Algorithm::WeightedRoundRobin, "{order}: {:?}", verdict.evidence);
        let found: Vec<u32> = verdict.instances.iter().filter_map(|instance| instance.weight).collect();
        assert_eq!(found, weights, "{order}: {:?}", verdict.evidence);
        assert_eq!(verdict.repeats_after, Some(order.len()));
    }
}

#[test]
fn one_instance_is_single_once_there_are_enough_requests() {
    assert_eq!(verdict(&picks(&[0; 22])).algorithm, Algorithm::Undetermined);
    let verdict = verdict(&picks(&[0; 23]));
    assert_eq!(verdict.algorithm, Algorithm::Single);
    assert!(verdict.candidates.contains(&Algorithm::SourceHash));
    // draws may have any shares, and another client may always take the other turns
    assert!(verdict.candidates.contains(&Algorithm::Random) && verdict.candidates.contains(&Algorithm::RoundRobin));
    assert!(verdict.ruled_out.is_empty() && verdict.chance == 0.0);
}

#[test]
fn one_that_others_answered_for_in_another_series_is_not_single() {
    let first = || series(SeriesName::WithoutJar, [Some(0); 23]);
    let twice = series(SeriesName::WithJar, (0..23).map(|n| Some(u16::from(n == 9))));
    let verdict = verdict(&trace(vec![first(), twice]));
    assert_eq!(verdict.algorithm, Algorithm::Undetermined, "{:?}", verdict.evidence);
    // one in 46 may be a stray answer
    assert!(verdict.candidates.contains(&Algorithm::Single) && verdict.candidates.contains(&Algorithm::Random));
    let often = series(SeriesName::WithJar, (0..23).map(|n| Some(u16::from(n > 9))));
    let shown = self::verdict(&trace(vec![first(), often]));
    assert!(!shown.candidates.contains(&Algorithm::Single) && shown.candidates.contains(&Algorithm::Random));
    assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::Random), "{:?}", verdict.ruled_out);
    let elsewhere = series(SeriesName::Path("/other".into()), [Some(1); 5]);
    assert_eq!(
        self::verdict(&trace(vec![first(), elsewhere])).algorithm,
        Algorithm::Single,
        "another path is another question"
    );
}

#[test]
fn turns_of_an_instance_that_fails_belong_to_the_ring() {
    let ring = |n: usize| [Some(0), Some(1), None, Some(2)][n % 4];
    let verdict = verdict(&trace(vec![series(SeriesName::WithoutJar, (0..60).map(ring))]));
    assert_eq!((verdict.algorithm, verdict.order), (Algorithm::RoundRobin, Some(Order::Fixed)));
    assert_eq!(verdict.cycle, ["web-1", "web-2", "web-3"]);
    assert!(traces::evidence(&verdict).iter().any(|said| said.contains("15 requests")), "{:?}", verdict.evidence);
    // every second one of a single instance may as well be over a limit
    let every_second = |n: usize| n.is_multiple_of(2).then_some(0);
    let verdict = self::verdict(&trace(vec![series(SeriesName::WithoutJar, (0..60).map(every_second))]));
    assert_eq!(verdict.algorithm, Algorithm::Undetermined, "{:?}", verdict.evidence);
}

#[test]
fn nothing_is_concluded_from_nothing() {
    let nobody = trace(vec![series(SeriesName::WithoutJar, [None; 30])]);
    for trace in [picks(&[]), trace(vec![]), nobody] {
        let verdict = verdict(&trace);
        assert_eq!((verdict.algorithm, verdict.stickiness), (Algorithm::Undetermined, Stickiness::Undetermined));
    }
}

#[test]
fn a_failed_request_is_a_gap_and_not_the_end() {
    let picks = (0..30).map(|n| (n % 7 != 3).then_some((n % 5) as u16));
    let verdict = verdict(&trace(vec![series(SeriesName::WithoutJar, picks)]));
    assert_eq!(verdict.algorithm, Algorithm::RoundRobin);
}

#[test]
fn turns_of_others_that_the_log_tells_are_counted_in() {
    // 1-2-3-4-5, of which another client took every third
    let mut mine = series(SeriesName::WithoutJar, []);
    for turn in 0..40_u64 {
        let instance = Some(InstanceId((turn % 5) as u16));
        match turn % 3 {
            0 => mine.others.push(BackgroundRequest { turn, instance }),
            _ => {
                let n = mine.requests.len() as u32 + 1;
                mine.requests.push(Request { turn: Some(turn), instance, ..request(n, None) });
            }
        }
    }
    let told = verdict(&trace(vec![mine.clone()]));
    assert_eq!((told.algorithm, told.order), (Algorithm::RoundRobin, Some(Order::Fixed)));

    mine.requests.iter_mut().for_each(|request| request.turn = None);
    let untold = verdict(&trace(vec![mine]));
    assert_eq!(untold.algorithm, Algorithm::RoundRobin, "{:?}", untold.evidence);
    assert!(untold.order.is_none() && untold.cycle.is_empty(), "{:?}", untold.evidence);
}

#[test]
fn overlapping_requests_are_judged_by_their_counts_alone() {
    let with_counts = |counts: &[usize]| {
        let picks = counts.iter().enumerate().flat_map(|(id, &count)| std::iter::repeat_n(Some(id as u16), count));
        let mut series = series(SeriesName::WithoutJar, picks);
        series.conditions.concurrency = 8;
        verdict(&trace(vec![series]))
    };
    let even = with_counts(&[600, 600, 600, 600, 600]);
    assert_eq!((even.algorithm, even.order), (Algorithm::RoundRobin, None));
    assert_eq!(with_counts(&[4, 4, 4, 4, 4]).algorithm, Algorithm::Undetermined);
    assert_eq!(with_counts(&[380, 410, 405, 395, 410]).algorithm, Algorithm::Undetermined);
}

fn with_cookie(mut series: Series, names: &[&str]) -> Series {
    let cookie = |name: &&str| ObservedCookie { name: (*name).into(), ..ObservedCookie::default() };
    series.cookies = names.iter().map(cookie).collect();
    series.requests.iter_mut().skip(1).for_each(|request| request.cookies_sent = names.len() as u16);
    series
}

/// A pass by lot: this series stays where `treated` says, and clients without cookies go round five.
fn by_lot(name: SeriesName, treated: impl Fn(u16) -> u16) -> Vec<Series> {
    vec![series(name, (0..60).map(|n| Some(treated(n)))), series(SeriesName::Control, (0..60).map(|n| Some(n % 5)))]
}

fn sticky(with_jar: Series, more: Vec<Series>) -> Verdict {
    let without = series(SeriesName::WithoutJar, (0..15).map(|n| Some(n % 5)));
    verdict(&trace([vec![without, with_jar], more].concat()))
}

#[test]
fn a_cookie_that_pins_is_named() {
    let jar = with_cookie(series(SeriesName::WithJar, [Some(2); 15]), &["srv"]);
    let pinned = sticky(jar.clone(), by_lot(SeriesName::JarByLot, |_| 2));
    assert_eq!(
        (pinned.stickiness, pinned.sticky_cookie.map(|cookie| cookie.name).as_deref()),
        (Stickiness::Cookie, Some("srv"))
    );

    // without requests in between that have no cookie, others may be the reason: a server that was drained, another client
    assert_eq!(sticky(jar, vec![]).stickiness, Stickiness::Undetermined);

    let jar = with_cookie(series(SeriesName::WithJar, [Some(2); 15]), &["PHPSESSID", "srv"]);
    let alone =
        |name: &str, step: u16| series(SeriesName::CookieAlone(name.into()), (0..60).map(|n| Some(n * step % 5)));
    let compared = |one, other| [by_lot(SeriesName::JarByLot, |_| 2), vec![one, other]].concat();
    let pinned = sticky(jar.clone(), compared(alone("PHPSESSID", 1), alone("srv", 0)));
    assert_eq!(
        (pinned.stickiness, pinned.sticky_cookie.map(|cookie| cookie.name).as_deref()),
        (Stickiness::Cookie, Some("srv"))
    );
    // both pin alone: neither is the one
    let pinned = sticky(jar.clone(), compared(alone("PHPSESSID", 0), alone("srv", 0)));
    assert_eq!((pinned.stickiness, pinned.sticky_cookie.as_ref()), (Stickiness::Cookie, None));
    // neither pins alone: they do it together
    let pinned = sticky(jar, compared(alone("PHPSESSID", 1), alone("srv", 1)));
    assert_eq!((pinned.stickiness, pinned.sticky_cookie.as_ref()), (Stickiness::Cookie, None));
    let together = "each of the cookies PHPSESSID, srv alone lets the client move: they keep it together";
    assert!(traces::evidence(&pinned).iter().any(|said| said == together), "{:?}", pinned.evidence);
}

#[test]
fn cookies_that_pin_nothing_are_not_sticky() {
    let roaming =
        sticky(with_cookie(series(SeriesName::WithJar, (0..15).map(|n| Some(n % 5))), &["PHPSESSID"]), vec![]);
    assert_eq!(roaming.stickiness, Stickiness::None);
    let bare = sticky(series(SeriesName::WithJar, (0..15).map(|n| Some(n % 5))), vec![]);
    assert_eq!(bare.stickiness, Stickiness::None);
    let few = sticky(with_cookie(series(SeriesName::WithJar, [Some(2); 4]), &["srv"]), vec![]);
    assert_eq!(few.stickiness, Stickiness::Undetermined);
}

#[test]
fn a_client_that_moves_when_its_instance_goes_is_kept_all_the_same() {
    let jar = with_cookie(series(SeriesName::WithJar, [Some(1); 15]), &["srv"]);
    for (at, back) in [(20, 60), (30, 31)] {
        let moved = |n| if (at..back).contains(&n) { 4 } else { 1 };
        let kept = sticky(jar.clone(), by_lot(SeriesName::JarByLot, moved));
        assert_eq!(kept.stickiness, Stickiness::Cookie, "{kept:?}");
    }
    // one in ten moves: neither
    let restless = (0..60).map(|n| Some(n / 10));
    let restless = sticky(with_cookie(series(SeriesName::WithJar, restless), &["srv"]), vec![]);
    assert_ne!(restless.stickiness, Stickiness::None, "{restless:?}");
    let free = (0..60).map(|n| Some(n / 2 % 5));
    let free = sticky(with_cookie(series(SeriesName::WithJar, free), &["srv"]), vec![]);
    assert_eq!(free.stickiness, Stickiness::None, "{free:?}");
}

#[test]
fn a_client_that_its_cookie_keeps_to_two_of_five_is_told() {
    let jar = with_cookie(series(SeriesName::WithJar, (0..15).map(|n| Some(n % 2))), &["srv"]);
    let pair = sticky(jar, by_lot(SeriesName::JarByLot, |n| n % 2));
    assert_eq!(pair.stickiness, Stickiness::Undetermined, "{pair:?}");
    let said = traces::evidence(&pair);
    assert!(said.iter().any(|said| said.contains("requests with cookies went to 2 of 5 instances only")), "{said:?}");
}

#[test]
fn one_connection_tells_how_often_it_picks() {
    let over = |picks: Vec<u16>, ports: &[u16], more: Vec<Series>| {
        let mut one = series(SeriesName::OneConnection, picks.into_iter().map(Some));
        one.requests
            .iter_mut()
            .zip(ports.iter().cycle())
            .for_each(|(request, port)| request.port = NonZeroU16::new(*port));
        sticky(series(SeriesName::WithJar, []), [vec![one], more].concat()).balances_per
    };
    assert_eq!(over((0..10).map(|n| n % 5).collect(), &[7], vec![]), BalancesPer::Request);
    // an instance that fails changes it as well
    assert_eq!(over(vec![0, 1], &[7], vec![]), BalancesPer::Undetermined);
    assert_eq!(over(vec![3; 15], &[7], by_lot(SeriesName::ConnectionByLot, |_| 3)), BalancesPer::Connection);
    assert_eq!(over(vec![3; 15], &[7], by_lot(SeriesName::ConnectionByLot, |n| n % 5)), BalancesPer::Request);
    assert_eq!(over(vec![3; 15], &[7], vec![]), BalancesPer::Undetermined);
    // never two on one connection
    assert_eq!(over(vec![0, 1, 2, 3], &[7, 8, 9, 10], vec![]), BalancesPer::Undetermined);
}

/// Sends requests as long as the analysis asks for more.
fn sampled(mut next: impl FnMut() -> u16) -> Trace {
    let mut without = series(SeriesName::WithoutJar, []);
    loop {
        without.requests.push(request(without.requests.len() as u32 + 1, Some(next())));
        if analysis::decide_sampling(&without, 0, ALPHA) == SampleState::Enough {
            return trace(vec![without]);
        }
    }
}

proptest! {
    // each of them looks at every model many times
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn independent_draws_are_never_called_regular(
        weights in prop::collection::vec(1_u64..10, 2..8),
        seed in any::<u64>(),
    ) {
        let mut random = seed;
        let total: u64 = weights.iter().sum();
        // an instance that answers nearly everything may hide the others, as the verdict `single` says itself
        prop_assume!(weights.iter().all(|weight| 2 * weight <= total));
        let trace = sampled(|| {
            let mut draw = splitmix(&mut random) % total;
            weights.iter().position(|&w| { let hit = draw < w; draw = draw.saturating_sub(w); hit }).unwrap() as u16
        });
        let verdict = verdict(&trace);
        prop_assert!(
            matches!(verdict.algorithm, Algorithm::Random | Algorithm::Undetermined),
            "{:?}: {:?}", verdict.algorithm, verdict.evidence
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_strict_cycle_is_always_called_so(k in 2_u16..=60, start in 0_u16..60, seed in any::<u64>()) {
        let mut ring: Vec<u16> = (0..k).collect();
        shuffle(&mut ring, seed);
        let mut n = usize::from(start);
        let trace = sampled(|| { n += 1; ring[n % ring.len()] });
        let verdict = verdict(&trace);
        prop_assert_eq!((verdict.algorithm, verdict.order), (Algorithm::RoundRobin, Some(Order::Fixed)));
        prop_assert_eq!(verdict.repeats_after, Some(usize::from(k)));
        prop_assert_eq!(verdict.cycle.len(), usize::from(k));
    }

    #[test]
    fn a_cycle_shuffled_across_its_rounds_is_never_called_one(k in 2_u16..=20, rounds in 3_u16..30, seed in any::<u64>()) {
        let mut shuffled: Vec<u16> = (0..k * rounds).map(|n| n % k).collect();
        shuffle(&mut shuffled, seed);
        // by chance it may still be one, as it may be anything
        let in_rounds = |offset: usize| {
            let (head, rest) = shuffled.split_at(offset);
            distinct(head) && rest.chunks(k.into()).all(distinct)
        };
        prop_assume!(!(0..usize::from(k)).any(in_rounds));
        prop_assert_ne!(verdict(&picks(&shuffled)).algorithm, Algorithm::RoundRobin);
    }

    #[test]
    fn a_biased_cycle_is_never_called_a_round_robin(k in 2_u16..=10, extra in 0_u16..10, seed in any::<u64>()) {
        // one instance twice a round
        let mut round: Vec<u16> = (0..k).chain([extra % k]).collect();
        shuffle(&mut round, seed);
        let biased: Vec<u16> = round.iter().copied().cycle().take(round.len() * 20).collect();
        prop_assert_ne!(verdict(&picks(&biased)).algorithm, Algorithm::RoundRobin);
    }

    #[test]
    fn no_trace_panics(sequence in prop::collection::vec(prop::option::of(0_u16..6), 0..80), concurrency in 1_u32..3) {
        let mut without = series(SeriesName::WithoutJar, sequence.iter().copied());
        without.conditions.concurrency = concurrency;
        let verdict = verdict(&trace(vec![without, series(SeriesName::WithJar, sequence)]));
        prop_assert!((0.0..=1.0).contains(&verdict.chance));
    }
}

fn distinct(part: &[u16]) -> bool {
    let mut sorted = part.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn shuffle(items: &mut [u16], mut seed: u64) {
    for index in (1..items.len()).rev() {
        items.swap(index, (splitmix(&mut seed) % (index as u64 + 1)) as usize);
    }
}
