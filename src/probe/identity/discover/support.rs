//! Support: a page shows words at random, too. A part of the body is taken only where something outside the body varies
//! together with it.

use std::collections::HashSet;

use super::{
    super::{
        feature::{FeatureExtractor, Features, Partition, Slot, TextId},
        vocabulary,
    },
    candidate::{Candidate, Support},
};

/// Removes the candidates that need support and have none from the list, and returns them.
pub fn take_unsupported(
    candidates: &mut Vec<Candidate>,
    replies: &[&Features],
    extractor: &FeatureExtractor,
) -> Vec<Candidate> {
    let files = files(replies, extractor);
    let supporters: HashSet<Partition> = candidates
        .iter()
        .filter(|one| one.support == Support::Own && !one.slot.is_in_body() && !is_digest(one.slot, extractor))
        .map(|one| one.partition.clone())
        .collect();
    let lacks_support = |one: &mut Candidate| {
        let is_file = files.as_ref().is_some_and(|files| files.refines(&one.partition));
        one.support == Support::Needed && !is_file && !supporters.contains(&one.partition)
    };
    candidates.extract_if(.., lacks_support).collect()
}

/// The division of the replies into files, where all have an ETag that is made of a file's time and size.
fn files(replies: &[&Features], extractor: &FeatureExtractor) -> Option<Partition> {
    let etag = |reply: &&Features| {
        let (_, value) = reply.values().iter().find(|(slot, _)| is_etag(*slot, extractor))?;
        Some(*value)
    };
    let etags: Vec<Option<TextId>> = replies.iter().map(etag).collect();
    let is_file = |etag: &Option<TextId>| etag.is_some_and(|etag| vocabulary::is_file_etag(extractor.text(etag)));
    etags.iter().all(is_file).then(|| Partition::new(etags.into_iter()))
}

fn is_etag(slot: Slot, extractor: &FeatureExtractor) -> bool {
    matches!(slot, Slot::Header(name) if extractor.text(name) == "etag")
}

/// Returns whether a header is made of the body.
pub fn is_digest(slot: Slot, extractor: &FeatureExtractor) -> bool {
    let Slot::Header(name) = slot else { return false };
    ["etag", "md5", "digest", "checksum", "hash"].iter().any(|digest| extractor.text(name).contains(digest))
}
