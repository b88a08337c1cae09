//! Merging: what several containers define under one name. As in Traefik, they must all define it in the same way; if
//! they do not, none of their definitions counts.

use std::collections::{BTreeMap, BTreeSet};

/// Definitions of one kind, by name.
#[derive(Debug)]
pub struct Definitions<T> {
    kind: &'static str,
    first: BTreeMap<String, T>,
    in_two_ways: BTreeSet<String>,
}

impl<T: PartialEq> Definitions<T> {
    /// None yet; `kind` is what a problem calls them.
    pub fn of(kind: &'static str) -> Self {
        Definitions { kind, first: BTreeMap::new(), in_two_ways: BTreeSet::new() }
    }

    /// One more container's.
    pub fn add(&mut self, name: String, definition: T) {
        match self.first.get(&name) {
            Some(first) if *first != definition => _ = self.in_two_ways.insert(name),
            Some(_) => {}
            None => _ = self.first.insert(name, definition),
        }
    }

    /// Those that count, and a problem for each that does not.
    pub fn settle(mut self) -> (BTreeMap<String, T>, Vec<String>) {
        self.first.retain(|name, _| !self.in_two_ways.contains(name));
        let Definitions { kind, first, in_two_ways } = self;
        (first, in_two_ways.into_iter().map(|name| format!("{kind} {name} is defined in two ways")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_once_is_gone_for_all() {
        let mut definitions = Definitions::of("router");
        for (name, definition) in [("a", 1), ("b", 1), ("a", 2), ("b", 1), ("a", 1), ("c", 3), ("a", 3)] {
            definitions.add(name.to_owned(), definition);
        }
        let (rest, problems) = definitions.settle();
        assert_eq!(rest, BTreeMap::from([("b".to_owned(), 1), ("c".to_owned(), 3)]));
        assert_eq!(problems, ["router a is defined in two ways"]);
    }
}
