//! Unseen instances: instances that answered in other series, but not in the free series, from which the pattern is
//! read.

mod evidence;
mod other_series;

pub use evidence::{PatternScope, UnseenEvidence};
pub use other_series::{OtherSeries, UnseenEffect, gather_other_series};
