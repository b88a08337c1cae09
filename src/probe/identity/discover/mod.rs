//! Discovery: finds the feature that distinguishes instances where no known name does.
//!
//! Such a feature varies, its values come back after others, and no new ones keep coming. Of several, the finest one is
//! taken that agrees with all the rest. Where two features contradict each other and there is no reason to prefer one
//! of them, none is taken.
//!
//! ```text
//! feature_values  the features of the replies, each with its value in every reply
//! varying_words   the words of bodies that vary, found by the words around them
//! candidate       features that may distinguish instances, each with the strength of its evidence
//! support         looks for a feature outside the body that varies with a part of the body
//! pick            picks a candidate
//! ```

mod candidate;
mod feature_values;
mod pick;
mod support;
mod varying_words;

use std::collections::HashSet;

use super::{
    choice::{Choice, RefusalReason, RefusedFeature, Tier},
    feature::{FeatureExtractor, Features, Partition, Slot},
    vocabulary::NameMeaning,
};
use candidate::{Candidate, PageKind, Support, assess};
use pick::{pick, plainest};
use support::{is_digest, take_unsupported};

/// Chooses a feature by replies in the order in which they arrived, and returns it with its tier. Known names are left
/// out; the refused ones in `refused` are returned with the other refusals where nothing is chosen.
pub fn discover(
    replies: &[&Features],
    extractor: &FeatureExtractor,
    mut refused: Vec<RefusedFeature>,
) -> (Choice, Option<Tier>) {
    let mut candidates = candidates(replies, extractor, &mut refused);
    let unsupported = take_unsupported(&mut candidates, replies, extractor);
    let reason = RefusalReason::Unsupported;
    refused.extend(unsupported.iter().map(|candidate| RefusedFeature { slot: candidate.slot, reason }));
    match pick(&plainest(candidates), &unsupported, &refused) {
        Some((choice, tier)) => (choice, Some(tier)),
        None => (Choice::Nothing(refused), None),
    }
}

/// The features that may distinguish instances; the others that vary are added to `refused`.
fn candidates(
    replies: &[&Features],
    extractor: &FeatureExtractor,
    refused: &mut Vec<RefusedFeature>,
) -> Vec<Candidate> {
    let page = PageKind::new(replies, extractor);
    let whole = Partition::new(replies.iter().map(|reply| reply.value(Slot::Body)));
    let (mut candidates, mut variants) = (Vec::new(), HashSet::new());
    for feature in feature_values::collect(replies, extractor) {
        let slot = feature.slot;
        if feature.is_missing() {
            refused.push(RefusedFeature { slot, reason: RefusalReason::Missing });
            continue;
        }
        if !feature.varies() {
            continue;
        }
        let partition = Partition::new(feature.values.iter().copied());
        match assess(&feature, partition.clone(), page, replies, extractor) {
            // a digest of the body says no more than the body does
            Ok(candidate) if is_digest(slot, extractor) && partition == whole => {
                let support = if page == PageKind::Any { Support::Needed } else { Support::Own };
                candidates.push(Candidate { tier: Tier::Whole, support, ..candidate });
            }
            Ok(candidate) => candidates.push(candidate),
            Err(reason) => {
                if matches!(reason, RefusalReason::Means(NameMeaning::Variant | NameMeaning::Worker)) {
                    variants.insert(partition);
                }
                refused.push(RefusedFeature { slot, reason });
            }
        }
    }
    candidates.retain(|candidate| {
        let goes_with_variant = candidate.tier != Tier::Named && variants.contains(&candidate.partition);
        if goes_with_variant {
            refused.push(RefusedFeature { slot: candidate.slot, reason: RefusalReason::GoesWithVariant });
        }
        !goes_with_variant
    });
    candidates
}
