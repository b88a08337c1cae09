//! One quick request, as an observation of load.

use std::collections::BTreeSet;

use crate::model::trace::InstanceId;

/// A quick request, and the instances that were busy while it was under way.
pub struct Pick {
    pub instance: InstanceId,
    pub busy: BTreeSet<InstanceId>,
    /// The number of slow requests that made these instances busy.
    pub slow: usize,
    /// The time at which the first of these slow requests was sent, in microseconds since the probe began. It names the
    /// round of slow requests.
    pub since_us: u64,
}
