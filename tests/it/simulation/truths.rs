//! The sorts of balancers that are tried, and what is true of each.

use lbctl::analysis::{Algorithm, Order, UnmodelledMechanism};

use super::balancers::{
    Balancer, Chance, Heap, Smooth, clumped, counters, cycle, draws, runs, shared, then, two_choices,
};

/// What is true of a balancer.
#[derive(Default)]
pub struct Truth {
    /// Its algorithm; several where one cannot be told from the other, none where it has no name.
    pub algorithms: Vec<Algorithm>,
    pub orders: Vec<Order>,
    /// By instance.
    pub weights: Vec<u32>,
    /// The rings it goes round.
    pub rings: Vec<Vec<usize>>,
    /// The share of foreign turns.
    pub others: f64,
    pub counters: usize,
    /// The share of what a short look may miss.
    pub hidden: Option<f64>,
    /// Whether all shares are even.
    pub even: bool,
    /// What comes next for a long time, where it is certain.
    pub future: Vec<usize>,
    pub shown: Shown,
}

/// What requests without dither can show of the truth.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Shown {
    #[default]
    All,
    /// Every turn that others take in step hides something: the algorithm is right or open, and never ruled out.
    InStep,
    /// The algorithm is never ruled out, and no other is named.
    NotRuledOut,
    /// Nothing is named, or the verdict says that this mechanism is not told apart.
    Unmodelled(UnmodelledMechanism),
}

impl Truth {
    /// Whether the picks show more than one instance or are from a balancer of one.
    pub fn seen_by(&self, picks: &[usize]) -> bool {
        self.hidden.is_none() || picks.iter().any(|pick| *pick != picks[0])
    }

    /// Whether the order repeats after so many requests, and not before.
    pub fn repeats(&self, period: usize, picks: &[usize]) -> bool {
        let long: &[usize] = if self.future.is_empty() { picks } else { &self.future };
        let is = |period: usize| long.iter().zip(&long[period..]).all(|(one, other)| one == other);
        let of_a_ring = self.future.is_empty() && self.rings.iter().any(|ring| ring.len() == period);
        of_a_ring || is(period) && !(1..period).any(is)
    }
}

/// A balancer, and what is true of it.
pub struct Case {
    pub name: String,
    pub truth: Truth,
    balancer: Box<dyn Balancer>,
    /// How often a request fails, and how often a failed one took a turn.
    failures: f64,
    took_a_turn: f64,
    /// An instance whose answers say nothing.
    dead: Option<usize>,
    /// The most requests that are sent.
    pub most_requests: Option<usize>,
    chance: Chance,
}

impl Case {
    pub fn request(&mut self) -> Option<usize> {
        if self.chance.happens(self.failures) {
            if self.chance.happens(self.took_a_turn) {
                self.balancer.pick();
            }
            return None;
        }
        Some(self.balancer.pick()).filter(|pick| self.dead != Some(*pick))
    }
}

pub struct Sort {
    pub name: &'static str,
    pub make: fn(&mut Chance, usize) -> Case,
}

pub fn case(name: String, truth: Truth, balancer: impl Balancer + 'static, chance: &mut Chance) -> Case {
    Case {
        name,
        truth,
        balancer: Box::new(balancer),
        failures: 0.0,
        took_a_turn: 0.0,
        dead: None,
        most_requests: None,
        chance: Chance(chance.next()),
    }
}

pub fn instances(chance: &mut Chance, most: usize) -> usize {
    2 + chance.below(most - 1)
}

pub fn even(k: usize) -> Truth {
    Truth { algorithms: vec![Algorithm::RoundRobin], weights: vec![1; k], even: true, ..Truth::default() }
}

pub fn ring(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let ring = chance.shuffled(k);
    let truth = Truth { orders: vec![Order::Fixed], rings: vec![ring.clone()], ..even(k) };
    case(format!("k={k}"), truth, cycle(ring, 0), chance)
}

pub fn future(mut balancer: impl Balancer, turns: usize) -> Vec<usize> {
    (0..turns).map(|_| balancer.pick()).collect()
}

pub fn heap(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let seed = Chance(chance.next());
    let new = || Heap::new(&vec![1; k], &mut seed.clone());
    // two servers come in turn
    let orders = if k == 2 { vec![Order::Fixed] } else { vec![Order::Changing] };
    let truth = Truth { orders, rings: vec![vec![0, 1]], future: future(new(), 5000), ..even(k) };
    case(format!("k={k}"), truth, new(), chance)
}

/// Weights as people choose them.
const WEIGHTS: [&[u32]; 24] = [
    &[2, 1],
    &[3, 1],
    &[3, 2],
    &[5, 1],
    &[4, 3],
    &[5, 4],
    &[7, 3],
    &[9, 1],
    &[10, 3],
    &[10, 9],
    &[3, 1, 1],
    &[2, 1, 1],
    &[3, 2, 1],
    &[5, 3, 2],
    &[5, 5, 4],
    &[10, 10, 9],
    &[2, 2, 1],
    &[4, 3, 2, 1],
    &[5, 1, 1, 1],
    &[3, 3, 3, 3, 2],
    &[2, 2, 2, 1, 1],
    &[5, 5, 5, 5, 4],
    &[1, 2, 3, 4, 5, 6],
    &[2, 2, 2, 2, 2, 2, 2, 1],
];
/// Weights that a series of the usual length hardly shows.
const FAR_APART: [&[u32]; 7] = [&[100, 1], &[99, 1], &[50, 1], &[100, 33], &[20, 1], &[100, 50, 1], &[30, 20, 1]];

pub fn chosen(sets: &[&[u32]], chance: &mut Chance) -> Vec<u32> {
    let set = sets[chance.below(sets.len())];
    chance.shuffled(set.len()).into_iter().map(|one| set[one]).collect()
}

pub fn weighted(weights: &[u32], orders: Vec<Order>, future: Vec<usize>) -> Truth {
    let sum: u32 = weights.iter().sum();
    let round = future.get(..sum as usize).map(<[usize]>::to_vec);
    let least = *weights.iter().min().unwrap();
    Truth {
        algorithms: vec![Algorithm::WeightedRoundRobin],
        orders,
        weights: weights.to_vec(),
        rings: round.into_iter().collect(),
        hidden: Some(f64::from(least) / f64::from(sum)),
        future,
        ..Truth::default()
    }
}

fn weights_smooth(sets: &[&[u32]], chance: &mut Chance) -> Case {
    let weights = chosen(sets, chance);
    let mut balancer = Smooth::new(&weights);
    let truth = weighted(&weights, vec![Order::Fixed], future(Smooth::new(&weights), 1000));
    (0..chance.below(200)).for_each(|_| {
        balancer.pick();
    });
    case(format!("{weights:?}"), truth, balancer, chance)
}

/// Worker processes that each count for themselves.
fn weights_staggered(chance: &mut Chance, _: usize) -> Case {
    let weights = chosen(&WEIGHTS, chance);
    let c = 2 + chance.below(3);
    let pattern = future(Smooth::new(&weights), weights.iter().sum::<u32>() as usize);
    let at = (0..c).map(|_| chance.below(pattern.len())).collect();
    let truth = weighted(&weights, vec![Order::Interleaved, Order::Fixed], pattern.repeat(50));
    let truth = Truth { counters: c, future: Vec::new(), ..truth };
    case(format!("{weights:?} c={c}"), truth, counters(pattern, at, false, Chance(chance.next())), chance)
}

/// A ring of which one instance answers with an error.
fn ring_with_a_dead_one(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most) + 1;
    let whole = chance.shuffled(k);
    let dead = chance.below(k);
    let alive = whole.iter().copied().filter(|one| *one != dead).collect();
    let truth = Truth { orders: vec![Order::Fixed], rings: vec![alive, whole.clone()], ..even(k) };
    Case { dead: Some(dead), ..case(format!("k={k}"), truth, cycle(whole, 0), chance) }
}

fn weights_clumped(chance: &mut Chance, _: usize) -> Case {
    let weights = chosen(&WEIGHTS, chance);
    let start = chance.below(100);
    let truth = weighted(&weights, vec![Order::Fixed], clumped(&weights).repeat(50));
    case(format!("{weights:?}"), truth, cycle(clumped(&weights), start), chance)
}

/// Rounds of those whose weight has not been used up, as in Linux Virtual Server.
fn weights_by_rounds(chance: &mut Chance, _: usize) -> Case {
    // of larger ones a series of the usual length may show whole rounds of the same instances alone
    const ROUNDS: [&[u32]; 9] =
        [&[2, 1], &[3, 2], &[3, 2, 1], &[2, 2, 1], &[3, 3, 2, 1], &[7, 5, 3], &[9, 9, 4], &[20, 20, 9], &[8, 8, 8, 3]];
    let weights = chosen(&ROUNDS, chance);
    let most = *weights.iter().max().unwrap();
    let round = |level: u32| (0..weights.len()).filter(|one| weights[*one] >= level).collect::<Vec<_>>();
    let pattern: Vec<usize> = (1..=most).rev().flat_map(round).collect();
    let start = chance.below(pattern.len());
    let truth = weighted(&weights, vec![Order::Fixed], pattern.repeat(20));
    case(format!("{weights:?}"), truth, cycle(pattern, start), chance)
}

fn weights_heap(chance: &mut Chance, _: usize) -> Case {
    let weights = chosen(&WEIGHTS, chance);
    let mut balancer = Heap::new(&weights, chance);
    (0..chance.below(200)).for_each(|_| {
        balancer.pick();
    });
    let truth = weighted(&weights, vec![Order::Fixed, Order::Changing], Vec::new());
    case(format!("{weights:?}"), Truth { rings: Vec::new(), ..truth }, balancer, chance)
}

fn mixed(regular: bool, most_counters: usize, chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let c = 2 + chance.below(most_counters - 1);
    let ring = chance.shuffled(k);
    let at: Vec<usize> = (0..c).map(|_| chance.below(k)).collect();
    let new = |seed| counters(ring.clone(), at.clone(), regular, Chance(seed));
    let future = if regular { future(new(0), 1000) } else { Vec::new() };
    let truth = Truth { orders: vec![Order::Interleaved], rings: vec![ring.clone()], counters: c, future, ..even(k) };
    case(format!("k={k} c={c}"), truth, new(chance.next()), chance)
}

fn independent(weights: Vec<u32>) -> Truth {
    let even = weights.iter().all(|weight| *weight == weights[0]);
    Truth { algorithms: vec![Algorithm::Random], even, ..Truth::default() }
}

pub fn uniform(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    uniform_of(k, chance)
}

pub fn uniform_of(k: usize, chance: &mut Chance) -> Case {
    let balancer = draws(vec![1; k], Chance(chance.next()));
    case(format!("k={k}"), independent(vec![1; k]), balancer, chance)
}

fn weighted_draws(chance: &mut Chance, _: usize) -> Case {
    let weights = chosen(&WEIGHTS, chance);
    let balancer = draws(weights.clone(), Chance(chance.next()));
    let least = f64::from(*weights.iter().min().unwrap()) / f64::from(weights.iter().sum::<u32>());
    let truth = Truth { hidden: Some(least), ..independent(weights.clone()) };
    case(format!("{weights:?}"), truth, balancer, chance)
}

fn p2c(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let balancer = two_choices(k, Chance(chance.next()));
    case(format!("k={k}"), independent(vec![1; k]), balancer, chance)
}

/// Rates at which others take turns.
const OTHERS: [f64; 9] = [0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

fn skipping(mut inner: Case, chance: &mut Chance) -> Case {
    let others = OTHERS[chance.below(OTHERS.len())];
    inner.truth.others = others;
    inner.name = format!("{others}");
    let balancer = shared(inner.balancer, others, Chance(chance.next()));
    inner.balancer = Box::new(balancer);
    inner
}

fn failing(mut inner: Case, chance: &mut Chance) -> Case {
    inner.failures = 0.01 * (1 + chance.below(10)) as f64;
    inner.took_a_turn = [0.0, 0.5, 1.0][chance.below(3)];
    inner.name = format!("{} fail={:.2}", inner.name, inner.failures);
    inner
}

/// The ring loses its last instance in the middle, or gets it then.
fn ring_changes_size(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most) + 1;
    let long = chance.shuffled(k);
    let short: Vec<usize> = long[..k - 1].to_vec();
    let when = 5 + chance.below(100);
    let joins = chance.happens(0.5);
    let (first, second) = if joins { (short.clone(), long.clone()) } else { (long.clone(), short.clone()) };
    let truth = Truth { orders: vec![Order::Fixed], rings: vec![long, short.clone()], ..even(k) };
    let truth = if short.len() == 1 {
        Truth { algorithms: [truth.algorithms, vec![Algorithm::Single]].concat(), ..truth }
    } else {
        truth
    };
    let balancer = then(Box::new(cycle(first, 0)), when, Box::new(cycle(second, 0)));
    case(format!("k={k} joins={joins}"), truth, balancer, chance)
}

/// Instances join and leave, as many times as somebody scales.
fn ring_scaled(chance: &mut Chance, most: usize) -> Case {
    let sizes: Vec<usize> = (0..2 + chance.below(3)).map(|_| instances(chance, most)).collect();
    let long = chance.shuffled(*sizes.iter().max().unwrap());
    let rings: Vec<Vec<usize>> = sizes.iter().map(|&size| long[..size].to_vec()).collect();
    let truth = Truth { orders: vec![Order::Fixed], rings: rings.clone(), ..even(long.len()) };
    let first: Box<dyn Balancer> = Box::new(cycle(rings[rings.len() - 1].clone(), 0));
    let mut balancer = rings.iter().rev().skip(1).fold(first, |after, ring| {
        Box::new(then(Box::new(cycle(ring.clone(), chance.below(10))), 10 + chance.below(80), after))
    });
    case(format!("k={sizes:?}"), truth, move || balancer.pick(), chance)
}

/// The configuration is built anew in the middle, with one server more, one less, or the same.
fn heap_changes(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let size = |chance: &mut Chance| (k + chance.below(3)).saturating_sub(1).max(2);
    let (one, other) = (size(chance), size(chance));
    let when = 5 + chance.below(100);
    let truth = Truth { orders: vec![Order::Changing, Order::Fixed], rings: vec![vec![0, 1]], ..even(one.max(other)) };
    // an order that is claimed to repeat is that of the part that was seen
    let truth =
        if one > 2 && other > 2 { Truth { orders: vec![Order::Changing], rings: vec![], ..truth } } else { truth };
    let first = Heap::new(&vec![1; one], chance);
    let second = Heap::new(&vec![1; other], chance);
    case(format!("k={one}->{other}"), truth, then(Box::new(first), when, Box::new(second)), chance)
}

/// The same instances in another order from the middle on.
fn ring_reordered(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let (one, other) = (chance.shuffled(k), chance.shuffled(k));
    let when = 5 + chance.below(100);
    let truth = Truth { orders: vec![Order::Fixed], rings: vec![one.clone(), other.clone()], ..even(k) };
    case(format!("k={k}"), truth, then(Box::new(cycle(one, 0)), when, Box::new(cycle(other, 0))), chance)
}

fn draws_change(chance: &mut Chance, most: usize) -> Case {
    let (one, other) = (instances(chance, most), instances(chance, most));
    let (first, second) = (draws(vec![1; one], Chance(chance.next())), draws(vec![1; other], Chance(chance.next())));
    let when = 5 + chance.below(100);
    let truth = Truth { even: one == other, ..independent(vec![1; one]) };
    case(format!("k={one}->{other}"), truth, then(Box::new(first), when, Box::new(second)), chance)
}

fn sticky_runs(chance: &mut Chance, most: usize) -> Case {
    let k = instances(chance, most);
    let stays = [0.5, 0.7, 0.9][chance.below(3)];
    let balancer = runs(k, stays, Chance(chance.next()));
    case(format!("k={k} stays={stays}"), Truth::default(), balancer, chance)
}

/// First available, a hash of the source, least connections that begins at the first: one instance.
fn one_alone(chance: &mut Chance, _: usize) -> Case {
    let truth = Truth { algorithms: vec![Algorithm::Single], ..Truth::default() };
    failing(case("one".into(), truth, || 0, chance), chance)
}

fn rare_others(chance: &mut Chance, _: usize) -> Case {
    let parts = [200, 100, 50, 20][chance.below(4)];
    let balancer = draws(vec![parts - 1, 1], Chance(chance.next()));
    let truth = Truth { hidden: Some(1.0 / f64::from(parts)), ..independent(vec![parts - 1, 1]) };
    case(format!("1 in {parts}"), truth, balancer, chance)
}

pub const SORTS: &[Sort] = &[
    Sort { name: "ring", make: ring },
    Sort {
        name: "ring, failures",
        make: |c, most| {
            let inner = ring(c, most);
            failing(inner, c)
        },
    },
    Sort {
        name: "ring, others",
        make: |c, most| {
            let inner = ring(c, most);
            skipping(inner, c)
        },
    },
    Sort { name: "ring, one joins or leaves", make: ring_changes_size },
    Sort { name: "ring, scaled again and again", make: ring_scaled },
    Sort { name: "ring, reordered in the middle", make: ring_reordered },
    Sort { name: "heap", make: heap },
    Sort {
        name: "heap, failures",
        make: |c, most| {
            let inner = heap(c, most);
            failing(inner, c)
        },
    },
    Sort {
        name: "heap, others",
        make: |c, most| {
            let inner = heap(c, most);
            skipping(inner, c)
        },
    },
    Sort { name: "heap, built anew in the middle", make: heap_changes },
    Sort { name: "smooth weights", make: |c, _| weights_smooth(&WEIGHTS, c) },
    Sort { name: "smooth weights far apart", make: |c, _| weights_smooth(&FAR_APART, c) },
    Sort {
        name: "smooth weights, failures",
        make: |c, _| {
            let inner = weights_smooth(&WEIGHTS, c);
            failing(inner, c)
        },
    },
    Sort {
        name: "smooth weights, others",
        make: |c, _| {
            let inner = weights_smooth(&WEIGHTS, c);
            skipping(inner, c)
        },
    },
    Sort { name: "smooth weights, counters mixed (2-4)", make: weights_staggered },
    Sort { name: "ring with a dead one", make: ring_with_a_dead_one },
    Sort { name: "clumped weights", make: weights_clumped },
    Sort {
        name: "clumped weights, others",
        make: |c, most| {
            let inner = weights_clumped(c, most);
            skipping(inner, c)
        },
    },
    Sort { name: "weights by rounds", make: weights_by_rounds },
    Sort { name: "heap with weights", make: weights_heap },
    Sort {
        name: "heap with weights, others",
        make: |c, most| {
            let inner = weights_heap(c, most);
            skipping(inner, c)
        },
    },
    Sort { name: "counters in turn (2-4)", make: |c, most| mixed(true, 4, c, most) },
    Sort { name: "counters mixed (2-4)", make: |c, most| mixed(false, 4, c, most) },
    Sort { name: "counters mixed (2-8)", make: |c, most| mixed(false, 8, c, most) },
    Sort {
        name: "counters mixed (2-4), others",
        make: |c, most| {
            let inner = mixed(false, 4, c, most);
            skipping(inner, c)
        },
    },
    Sort { name: "uniform draws", make: uniform },
    Sort {
        name: "uniform draws, failures",
        make: |c, most| {
            let inner = uniform(c, most);
            failing(inner, c)
        },
    },
    Sort { name: "weighted draws", make: weighted_draws },
    Sort { name: "two choices, least busy tied", make: p2c },
    Sort { name: "draws, instances come and go", make: draws_change },
    Sort { name: "short runs on one", make: sticky_runs },
    Sort { name: "one alone", make: one_alone },
    Sort { name: "one, and rarely another", make: rare_others },
];
