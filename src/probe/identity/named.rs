//! Known names in replies: which of them vary as instances do.

use std::collections::HashSet;

use super::{
    candidate::{Tier, is_settled},
    discovery::{Refused, Why, value},
    features::{Features, Id, Slot, Taker},
    known::{Known, Strength},
    meaning::{self, Meaning},
    partition::{Habit, Partition},
};

/// What is known by name, and how it behaves.
pub struct Named {
    /// The one that varies as instances do.
    pub varying: Option<Slot>,
    /// The first that says something though it is always the same,
    pub constant: Option<Slot>,
    /// and what the best of these is worth.
    pub strongest: Strength,
    /// Another value in every reply.
    pub new: Option<Slot>,
    /// Those that are no names.
    pub refused: Vec<Refused>,
}

impl Named {
    /// Whether anything is known by name.
    pub fn is_any(&self) -> bool {
        !self.refused.is_empty() || self.varying.or(self.constant).or(self.new).is_some()
    }

    /// What these replies have by these names.
    pub fn of(replies: &[&Features], known: &[Known], taker: &Taker) -> Named {
        const FEW: usize = 8;
        let mut named =
            Named { varying: None, constant: None, strongest: Strength::Weak, new: None, refused: Vec::new() };
        let mut best: Option<Partition> = None;
        for (index, name) in known.iter().enumerate() {
            let slot = Slot::Known(index as u8);
            let partition = Partition::of(replies.iter().map(|reply| value(reply, slot)));
            let habit = partition.habit();
            if let Some(why) = doubt(replies, slot, habit, taker) {
                named.refused.push(Refused { slot, why });
                continue;
            }
            match (habit.values, name.strength) {
                (0, _) | (1, Strength::Weak) => {}
                (1, strength) => {
                    named.constant.get_or_insert(slot);
                    named.strongest = named.strongest.max(strength);
                }
                (values, _) if values == habit.present && values >= FEW => _ = named.new.get_or_insert(slot),
                _ => {
                    let finer = |than: &Partition| {
                        is_settled(habit, Tier::Named, false) && partition.refines(than) && !than.refines(&partition)
                    };
                    if best.as_ref().is_none_or(finer) {
                        named.varying = Some(slot);
                        best = Some(partition);
                    }
                }
            }
        }
        named
    }
}

/// Why the values of a known name are none.
fn doubt(replies: &[&Features], slot: Slot, habit: Habit, taker: &Taker) -> Option<Why> {
    /// Answers after which what is drawn for each request has shown that it does not come back.
    const ENOUGH: usize = 40;
    let values: HashSet<Id> = replies.iter().filter_map(|reply| value(reply, slot)).collect();
    let values: Vec<&str> = values.into_iter().map(|value| taker.text(value)).collect();
    if !values.is_empty() && values.iter().all(|value| meaning::is_clock(value)) {
        return Some(Why::Means(Meaning::Noise as u8));
    }
    let is_new = habit.present >= ENOUGH && habit.returns == 0 && habit.values * 2 > habit.present;
    (is_new && meaning::are_drawn(&values)).then_some(Why::New)
}
