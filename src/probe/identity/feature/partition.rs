//! Partitions: the values of a feature divide the replies, which stand in the order in which they arrived.

use std::collections::{HashMap, HashSet};

/// The division of the replies into those with the same value; the values themselves make no difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partition {
    /// The number of each reply's value, in the order of first appearance; `None` where the feature is missing.
    classes: Vec<Option<u16>>,
}

/// Counts of the values of a feature, by their returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurrence {
    /// The number of replies that have the feature.
    pub present: usize,
    /// The number of different values.
    pub values: usize,
    /// The number of times that a value came again after another one.
    pub returns: usize,
    /// The number of values that came again after another one.
    pub returned: usize,
    /// The number of values that only one reply has.
    pub once: usize,
}

impl Partition {
    pub fn new(values: impl Iterator<Item = Option<u32>>) -> Partition {
        let mut known = HashMap::new();
        let mut class = |value: u32| {
            let next = known.len() as u16;
            *known.entry(value).or_insert(next)
        };
        Partition { classes: values.map(|value| value.map(&mut class)).collect() }
    }

    pub fn recurrence(&self) -> Recurrence {
        let mut seen: HashMap<u16, usize> = HashMap::new();
        let mut returned = HashSet::new();
        let (mut returns, mut last) = (0, None);
        for class in self.classes.iter().flatten() {
            let times = seen.entry(*class).or_default();
            if *times > 0 && last != Some(*class) {
                returns += 1;
                returned.insert(*class);
            }
            *times += 1;
            last = Some(*class);
        }
        Recurrence {
            present: seen.values().sum(),
            values: seen.len(),
            returns,
            returned: returned.len(),
            once: seen.values().filter(|times| **times == 1).count(),
        }
    }

    /// Returns whether replies that have the same value here also have the same value in the other partition.
    pub fn refines(&self, coarser: &Partition) -> bool {
        let mut coarse: HashMap<u16, u16> = HashMap::new();
        self.pairs(coarser).all(|(own, theirs)| *coarse.entry(own).or_insert(theirs) == theirs)
    }

    /// Returns whether neither partition refines the other.
    pub fn crosses(&self, other: &Partition) -> bool {
        !self.refines(other) && !other.refines(self)
    }

    /// The probability that two independent features leave out as many combinations of their values as these two do. It
    /// is small where one cause decides both.
    pub fn p_independent(&self, other: &Partition) -> f64 {
        let pairs: Vec<(u16, u16)> = self.pairs(other).collect();
        let mut own: HashMap<u16, f64> = HashMap::new();
        let mut theirs: HashMap<u16, f64> = HashMap::new();
        for (a, b) in &pairs {
            *own.entry(*a).or_default() += 1.0;
            *theirs.entry(*b).or_default() += 1.0;
        }
        let n = pairs.len() as f64;
        let seen: HashSet<(u16, u16)> = pairs.into_iter().collect();
        let mut p = 1.0;
        for (a, hits) in &own {
            for (_, others) in theirs.iter().filter(|(b, _)| !seen.contains(&(*a, **b))) {
                p *= (1.0 - hits / n * others / n).powf(n);
            }
        }
        p
    }

    fn pairs<'a>(&'a self, other: &'a Partition) -> impl Iterator<Item = (u16, u16)> + 'a {
        self.classes.iter().zip(&other.classes).filter_map(|(own, theirs)| (*own).zip(*theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(text: &str) -> Partition {
        Partition::new(text.chars().map(|c| (c != ' ').then_some(c as u32)))
    }

    #[test]
    fn what_comes_back_after_others_is_counted() {
        let recurrence = partition("aab ac").recurrence();
        assert_eq!(recurrence, Recurrence { present: 5, values: 3, returns: 1, returned: 1, once: 2 });
        assert_eq!(partition("aabbcc").recurrence().returns, 0, "a value that lasts for a while does not come back");
    }

    #[test]
    fn a_finer_partition_differs_from_a_crossing_one() {
        let (host, zone, variant) = (partition("abcabcabc"), partition("xxyxxyxxy"), partition("pqqqppqpq"));
        assert!(host.refines(&zone) && !zone.refines(&host));
        assert!(!host.refines(&variant) && !variant.refines(&host));
        assert_eq!(host, partition("pqrpqrpqr"), "what the values are called makes no difference");
    }

    #[test]
    fn what_has_nothing_in_common_leaves_no_combination_out() {
        let (a, b) = (partition(&"abab".repeat(10)), partition(&"ppqq".repeat(10)));
        assert!(a.p_independent(&b) > 0.9);
        let (a, b) = (partition(&"aab".repeat(20)), partition(&"pqq".repeat(20)));
        assert!(a.p_independent(&b) < 0.01);
    }
}
