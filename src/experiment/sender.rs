//! The sender of requests, as the experiments see it.

use std::{
    net::{IpAddr, UdpSocket},
    ops::ControlFlow,
    time::Duration,
};

use crate::{
    model::trace::Trace,
    probe::{Prober, SeriesPlan, Unreachable},
};

/// Sends series of requests to one target and records them in one trace.
pub trait Sender {
    /// The trace of all requests so far.
    fn trace(&self) -> &Trace;

    /// Returns true if requests can be sent from this address.
    fn can_send_from(&self, source: IpAddr) -> bool;

    /// Sends a series, or goes on with the one of that name, until it has `series.most` requests. After each request, `go_on`
    /// is asked whether to send the next.
    ///
    /// # Errors
    /// When the first requests of the whole trace bring no answer.
    fn send(
        &mut self,
        series: &SeriesPlan,
        go_on: impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> impl Future<Output = Result<(), Unreachable>>;

    /// Sends `slow.concurrency` slow requests at once and, while they are under way but no longer than `lasting`, the
    /// requests of `quick`. Both series go on where they ended before.
    ///
    /// # Errors
    /// As for [`Sender::send`].
    fn hold(
        &mut self,
        slow: &SeriesPlan,
        quick: &SeriesPlan,
        lasting: Duration,
    ) -> impl Future<Output = Result<(), Unreachable>>;
}

impl Sender for Prober {
    fn trace(&self) -> &Trace {
        Prober::trace(self)
    }

    fn can_send_from(&self, source: IpAddr) -> bool {
        UdpSocket::bind((source, 0)).is_ok()
    }

    async fn send(
        &mut self,
        series: &SeriesPlan,
        go_on: impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        Prober::send(self, series, go_on).await
    }

    async fn hold(&mut self, slow: &SeriesPlan, quick: &SeriesPlan, lasting: Duration) -> Result<(), Unreachable> {
        Prober::hold(self, slow, quick, lasting).await
    }
}
