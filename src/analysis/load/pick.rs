//! One quick request, as an observation of load.

use std::collections::BTreeSet;

use crate::model::trace::InstanceId;

/// A quick request, and the instances that were busy while it was under way.
pub struct Pick {
    pub instance: InstanceId,
    pub busy: BTreeSet<InstanceId>,
    /// The number of slow requests that made these instances busy.
    pub slow: usize,
}
