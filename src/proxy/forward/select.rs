//! The third phase: selects a replica, by the client's sticky cookie or by the strategy.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use http::{HeaderMap, header::COOKIE};

use crate::proxy::{
    sticky,
    table::ServiceBalancer,
    upstream::{InFlightRequest, Upstream, WeightedUpstream},
};

use super::refusal::Refusal;

/// The selection of a replica for one request. It goes on where a replica cannot take the request.
pub struct Selection<'a> {
    balancer: &'a ServiceBalancer,
    client: IpAddr,
    /// The replica that the client's cookie names, until it is tried.
    by_cookie: Option<Arc<Upstream>>,
    /// The replicas that cannot take the request: they drain, or refused it.
    excluded: Vec<Arc<Upstream>>,
    /// True if a replica refused the request.
    is_refused: bool,
}

impl<'a> Selection<'a> {
    /// The selection for a request with these headers.
    pub fn new(balancer: &'a ServiceBalancer, client: IpAddr, headers: &HeaderMap) -> Self {
        let by_cookie = named_by_cookie(balancer, headers);
        Selection { balancer, client, by_cookie, excluded: Vec::new(), is_refused: false }
    }

    /// The next replica, which counts the request in, and the turn in which the strategy picked it; `None` where the
    /// cookie decided.
    pub fn select(&mut self) -> Result<(InFlightRequest, Option<u64>), Refusal> {
        loop {
            let (upstream, turn) = match self.by_cookie.take() {
                Some(upstream) => (upstream, None),
                None => match self.pick() {
                    Some((upstream, turn)) => (upstream, Some(turn)),
                    None if self.is_refused => return Err(Refusal::BadGateway),
                    None => return Err(Refusal::Unavailable),
                },
            };
            match upstream.admit() {
                Some(in_flight) => return Ok((in_flight, turn)),
                None => self.excluded.push(upstream),
            }
        }
    }

    /// Excludes a replica that refused the request.
    pub fn exclude(&mut self, upstream: Arc<Upstream>) {
        self.is_refused = true;
        self.excluded.push(upstream);
    }

    /// The strategy's pick among the replicas that are not excluded, and its turn.
    fn pick(&self) -> Option<(Arc<Upstream>, u64)> {
        if self.excluded.is_empty() {
            return self.pick_among(&self.balancer.available);
        }
        let is_excluded =
            |server: &WeightedUpstream| self.excluded.iter().any(|other| Arc::ptr_eq(other, &server.upstream));
        let rest: Vec<_> = self.balancer.available.iter().filter(|server| !is_excluded(server)).cloned().collect();
        self.pick_among(&rest)
    }

    fn pick_among(&self, candidates: &[WeightedUpstream]) -> Option<(Arc<Upstream>, u64)> {
        let mut cursor = self.balancer.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.balancer.balance.pick(&mut cursor, candidates, self.client, &mut rand::rng())?;
        Some((candidates[index].upstream.clone(), cursor.take_turn()))
    }
}

/// The replica that the client's sticky cookie names, if it still takes requests.
fn named_by_cookie(balancer: &ServiceBalancer, headers: &HeaderMap) -> Option<Arc<Upstream>> {
    let (name, _) = balancer.sticky.as_ref()?;
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let value = lines.filter_map(|line| sticky::cookie_value(line, name)).next()?;
    let mut upstreams = balancer.available.iter().map(|server| &server.upstream);
    upstreams.find(|upstream| upstream.cookie_value == value).cloned()
}
