//! Balancers as they are written elsewhere, told apart from the analysis on purpose: they share no code with it.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn happens(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64) < share * (1_u64 << 53) as f64
    }

    pub fn shuffled(&mut self, k: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..k).collect();
        for index in (1..k).rev() {
            items.swap(index, self.below(index + 1));
        }
        items
    }
}

/// Picks one turn after the other.
pub trait Balancer {
    fn pick(&mut self) -> usize;
}

impl<F: FnMut() -> usize> Balancer for F {
    fn pick(&mut self) -> usize {
        self()
    }
}

/// The same ones again and again.
pub fn cycle(pattern: Vec<usize>, start: usize) -> impl Balancer {
    let mut at = start;
    move || {
        at += 1;
        pattern[at % pattern.len()]
    }
}

/// Traefik's: Go's `container/heap` of deadlines, filled in a shuffled order.
pub struct Heap {
    heap: Vec<(f64, usize)>,
    weights: Vec<u32>,
}

impl Heap {
    pub fn new(weights: &[u32], chance: &mut Chance) -> Heap {
        let mut heap = Heap { heap: Vec::new(), weights: weights.to_vec() };
        for one in chance.shuffled(weights.len()) {
            heap.push((1.0 / f64::from(weights[one]), one));
        }
        heap
    }

    fn push(&mut self, item: (f64, usize)) {
        self.heap.push(item);
        let mut at = self.heap.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if self.heap[at].0 >= self.heap[parent].0 {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    fn pop(&mut self) -> (f64, usize) {
        let last = self.heap.len() - 1;
        self.heap.swap(0, last);
        let mut at = 0;
        loop {
            let left = 2 * at + 1;
            if left >= last {
                break;
            }
            let right = left + 1;
            let least = if right < last && self.heap[right].0 < self.heap[left].0 { right } else { left };
            if self.heap[least].0 >= self.heap[at].0 {
                break;
            }
            self.heap.swap(at, least);
            at = least;
        }
        self.heap.pop().unwrap()
    }
}

impl Balancer for Heap {
    fn pick(&mut self) -> usize {
        let (deadline, one) = self.pop();
        self.push((deadline + 1.0 / f64::from(self.weights[one]), one));
        one
    }
}

/// nginx's smooth weighted round robin.
pub struct Smooth {
    weights: Vec<i64>,
    current: Vec<i64>,
}

impl Smooth {
    pub fn new(weights: &[u32]) -> Smooth {
        Smooth { weights: weights.iter().map(|&w| i64::from(w)).collect(), current: vec![0; weights.len()] }
    }
}

impl Balancer for Smooth {
    fn pick(&mut self) -> usize {
        let mut best = None;
        for one in 0..self.weights.len() {
            self.current[one] += self.weights[one];
            if best.is_none_or(|best: usize| self.current[one] > self.current[best]) {
                best = Some(one);
            }
        }
        let best = best.unwrap();
        self.current[best] -= self.weights.iter().sum::<i64>();
        best
    }
}

/// `aaabc`.
pub fn clumped(weights: &[u32]) -> Vec<usize> {
    weights.iter().enumerate().flat_map(|(one, &weight)| std::iter::repeat_n(one, weight as usize)).collect()
}

/// Independent draws.
pub fn draws(weights: Vec<u32>, mut chance: Chance) -> impl Balancer {
    let sum: usize = weights.iter().map(|&weight| weight as usize).sum();
    move || {
        let mut draw = chance.below(sum);
        for (one, &weight) in weights.iter().enumerate() {
            if draw < weight as usize {
                return one;
            }
            draw -= weight as usize;
        }
        unreachable!()
    }
}

/// Two at random, the less busy of them; both are idle, so the first. On a collision the next one.
pub fn two_choices(k: usize, mut chance: Chance) -> impl Balancer {
    move || {
        let (one, other) = (chance.below(k), chance.below(k));
        let _ = if one == other { (other + 1) % k } else { other };
        one
    }
}

/// Counters on one ring, that take turns by chance or regularly.
pub fn counters(ring: Vec<usize>, mut at: Vec<usize>, regular: bool, mut chance: Chance) -> impl Balancer {
    let mut turn = 0;
    move || {
        turn += 1;
        let c = at.len();
        let whose = if regular { turn % c } else { chance.below(c) };
        at[whose] += 1;
        ring[at[whose] % ring.len()]
    }
}

/// A balancer of which others take turns.
pub fn shared(mut balancer: Box<dyn Balancer>, others: f64, mut chance: Chance) -> impl Balancer {
    move || {
        while chance.happens(others) {
            balancer.pick();
        }
        balancer.pick()
    }
}

/// One balancer up to a turn, then another.
pub fn then(mut first: Box<dyn Balancer>, turns: usize, mut second: Box<dyn Balancer>) -> impl Balancer {
    let mut turn = 0;
    move || {
        turn += 1;
        if turn <= turns { first.pick() } else { second.pick() }
    }
}

/// Stays for a while, then draws anew.
pub fn runs(k: usize, stays: f64, mut chance: Chance) -> impl Balancer {
    let mut here = chance.below(k);
    move || {
        if !chance.happens(stays) {
            here = chance.below(k);
        }
        here
    }
}
