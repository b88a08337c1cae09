//! One quick request, as far as it says something of load.

use std::collections::BTreeSet;

use crate::model::trace::InstanceId;

/// A quick request, and the instances that were busy while it was under way.
pub struct Pick {
    pub instance: InstanceId,
    pub busy: BTreeSet<InstanceId>,
    /// The number of slow requests that kept them busy.
    pub slow: usize,
}
