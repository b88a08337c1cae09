//! Sorts that look like another mechanism, or that no model follows: others in step, near weights, memory, clocks, clumps,
//! stray names, short series.

use lbctl::analysis::{Algorithm, Order, UnmodelledMechanism};

use super::{
    balancers::{Balancer, Chance, Heap, Smooth, clumped, cycle, draws},
    truths::{Case, Shown, Sort, Truth, case, chosen, even, future, heap, instances, ring, uniform, weighted},
};

fn ring_of(k: usize, chance: &mut Chance) -> (Vec<usize>, Truth) {
    let ring = chance.shuffled(k);
    let truth = Truth { orders: vec![Order::Fixed], rings: vec![ring.clone()], ..even(k) };
    (ring, truth)
}

/// Another client takes a turn after each first, second, or third request.
fn others_in_step(chance: &mut Chance, most: usize) -> Case {
    // with as many turns between two of ours as there are instances, one alone answers
    let k = instances(chance, most) + 1;
    let (ring, truth) = ring_of(k, chance);
    let period = 1 + chance.below(3);
    let mut balancer = cycle(ring, 0);
    let mut requests = 0;
    let in_step = move || {
        requests += 1;
        let pick = balancer.pick();
        if requests % period == 0 {
            balancer.pick();
        }
        pick
    };
    case(format!("k={k} period={period}"), Truth { shown: Shown::InStep, ..truth }, in_step, chance)
}

/// Each request takes two or three turns, for a mirror or an authentication.
fn sub_requests(chance: &mut Chance, most: usize) -> Case {
    let turns = 2 + chance.below(2);
    let k = instances(chance, most) + turns - 1;
    let (ring, truth) = ring_of(k, chance);
    let mut balancer = cycle(ring, 0);
    let each = move || (0..turns).map(|_| balancer.pick()).next_back().unwrap();
    case(format!("k={k} turns={turns}"), Truth { shown: Shown::InStep, ..truth }, each, chance)
}

/// Weights that are nearly the same.
const NEAR: [&[u32]; 7] =
    [&[50, 49], &[100, 99], &[20, 19], &[30, 30, 29], &[21, 20, 20], &[7, 7, 7, 6], &[10, 10, 10, 10, 9]];

fn near_weights(chance: &mut Chance, _: usize) -> Case {
    let weights = chosen(&NEAR, chance);
    let truth = weighted(&weights, vec![Order::Fixed], future(Smooth::new(&weights), 1000));
    let mut balancer: Box<dyn Balancer> = match chance.below(2) {
        0 => Box::new(Smooth::new(&weights)),
        _ => Box::new(Heap::new(&weights, chance)),
    };
    (0..chance.below(200)).for_each(|_| {
        balancer.pick();
    });
    let truth = Truth { orders: vec![Order::Fixed, Order::Changing], rings: Vec::new(), ..truth };
    case(format!("{weights:?}"), truth, move || balancer.pick(), chance)
}

/// A cache that gives the last answer again, now and then or a number of times.
fn memory(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let (ring, truth) = ring_of(k, chance);
    let mut balancer = cycle(ring, 0);
    let stays = [0.1, 0.3, 0.6, 0.9][chance.below(4)];
    let mut luck = Chance(chance.next());
    let mut last = balancer.pick();
    let remembered = move || {
        if !luck.happens(stays) {
            last = balancer.pick();
        }
        last
    };
    case(format!("k={k} stays={stays}"), Truth { shown: Shown::NotRuledOut, ..truth }, remembered, chance)
}

/// The instance changes with the time, of which each request takes as much as any other.
fn clock(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let each = 2.0 + chance.below(180) as f64 / 10.0;
    let mut requests = chance.below(100);
    let sliced = move || {
        requests += 1;
        (requests as f64 / each) as usize % k
    };
    let truth = Truth { shown: Shown::Unmodelled(UnmodelledMechanism::Clock), ..Truth::default() };
    case(format!("k={k} each={each}"), truth, sliced, chance)
}

/// All turns of an instance stand together, as in Caddy.
fn clumps(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most.min(5));
    let weights = vec![2 + chance.below(5) as u32; k];
    let pattern = clumped(&weights);
    let start = chance.below(100);
    let algorithms = vec![Algorithm::RoundRobin, Algorithm::WeightedRoundRobin];
    let truth = Truth { algorithms, future: pattern.repeat(50), ..even(k) };
    case(format!("{weights:?}"), truth, cycle(pattern, start), chance)
}

/// A ring of which a name that is none of its own gives one answer in fifty, for a turn or besides.
fn stray_names(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let (ring, truth) = ring_of(k, chance);
    let takes_a_turn = chance.happens(0.5);
    let mut balancer = cycle(ring, 0);
    let mut luck = Chance(chance.next());
    let strayed = move || {
        let stray = luck.happens(0.02);
        if !stray {
            return balancer.pick();
        }
        if takes_a_turn {
            balancer.pick();
        }
        k
    };
    case(format!("k={k} turn={takes_a_turn}"), truth, strayed, chance)
}

/// One to two rounds' worth of requests.
fn short(make: fn(&mut Chance, usize) -> Case, chance: &mut Chance, most: usize) -> Case {
    let mut inner = make(chance, most);
    let k = inner.name.trim_start_matches("k=").parse().unwrap_or(most);
    inner.most_requests = Some(1 + chance.below(2 * k));
    inner
}

fn unmodelled(mechanism: UnmodelledMechanism) -> Truth {
    Truth { shown: Shown::Unmodelled(mechanism), ..Truth::default() }
}

/// The instance with the fewest requests since the start; each started at another time.
fn least_total(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let mut served: Vec<usize> = (0..k).map(|_| chance.below(30)).collect();
    let least = move || {
        let one = (0..served.len()).min_by_key(|&one| served[one]).unwrap();
        served[one] += 1;
        one
    };
    case(format!("k={k}"), unmodelled(UnmodelledMechanism::LeastTotalRequests), least, chance)
}

/// Multiples of the golden ratio.
fn golden_ratio(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let mut number = chance.below(1000) as f64;
    let next = move || {
        number += 1.0;
        ((number * 0.618_033_988_749_894_9).fract() * k as f64) as usize
    };
    case(format!("k={k}"), unmodelled(UnmodelledMechanism::LowDiscrepancySequence), next, chance)
}

/// The load is asked for after every so many requests; until then, all go to the instance that was idle.
fn polled_load(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let each = 2 + chance.below(20);
    let (mut luck, mut requests, mut idle) = (Chance(chance.next()), chance.below(each), 0);
    let polled = move || {
        requests += 1;
        if requests % each == 0 {
            idle = luck.below(k);
        }
        idle
    };
    case(format!("k={k} each={each}"), unmodelled(UnmodelledMechanism::PolledLoad), polled, chance)
}

/// Two at random of which one answers rarely.
fn rare_draws(chance: &mut Chance, _: usize) -> Case {
    let balancer = draws(vec![49, 50, 1], Chance(chance.next()));
    let truth = Truth { algorithms: vec![Algorithm::Random], hidden: Some(0.01), ..Truth::default() };
    case("49:50:1".into(), truth, balancer, chance)
}

pub const SORTS: &[Sort] = &[
    Sort { name: "others in step", make: others_in_step },
    Sort { name: "sub-requests", make: sub_requests },
    Sort { name: "near weights", make: near_weights },
    Sort { name: "memory before a ring", make: memory },
    Sort { name: "clock", make: clock },
    Sort { name: "clumps of equal weights", make: clumps },
    Sort { name: "ring, stray names", make: stray_names },
    Sort { name: "draws, one rare", make: rare_draws },
    Sort { name: "ring, one or two rounds", make: |c, most| short(ring, c, most) },
    Sort { name: "heap, one or two rounds", make: |c, most| short(heap, c, most) },
    Sort { name: "uniform draws, as few", make: |c, most| short(uniform, c, most) },
    Sort { name: "least by total requests", make: least_total },
    Sort { name: "golden ratio", make: golden_ratio },
    Sort { name: "polled load", make: polled_load },
];
