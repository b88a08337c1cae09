//! The experiments of a probe that are about cookies: which one keeps a client on its instance, and how.

use rand::seq::SliceRandom;

use crate::{
    analysis::{self, Case},
    model::trace::{SeriesName, Trace},
    probe::{Prober, SeriesPlan},
};

use super::{ask, console};

/// Requests with one cookie alone, at most, unless it is to be surer than usual.
const MOST_ALONE: u32 = 60;

/// Finds out which cookie keeps a client, if one does, and how it does. Every request is one like those of `plain`.
pub async fn run(prober: &mut Prober, plain: &SeriesPlan, alpha: f64) -> anyhow::Result<()> {
    alone(prober, plain, alpha).await?;
    let Some(cookie) = analysis::sticky_cookie(&Case::new(prober.trace(), alpha)) else { return Ok(()) };
    values(prober, plain, &cookie, alpha).await
}

/// Sends each cookie alone that may be the one.
pub async fn alone(prober: &mut Prober, plain: &SeriesPlan, alpha: f64) -> anyhow::Result<()> {
    for cookie in analysis::candidate_cookies(&Case::new(prober.trace(), alpha)) {
        let name = SeriesName::CookieAlone(cookie);
        let most = analysis::at_most(MOST_ALONE, alpha);
        let series = SeriesPlan { name: name.clone(), most, ..plain.clone() };
        let enough = |trace: &Trace| analysis::enough_alone(&Case::new(trace, alpha), &name);
        ask::sending(None, prober, &series, |_| name.to_string(), enough).await?;
    }
    Ok(())
}

/// Sends values of a cookie, those that others were given and those that nobody was, as long as they tell more.
async fn values(prober: &mut Prober, plain: &SeriesPlan, cookie: &str, alpha: f64) -> anyhow::Result<()> {
    let bar = console::counter(&format!("how does {cookie} keep a client"));
    loop {
        let mut next = analysis::next_values(&Case::new(prober.trace(), alpha), cookie);
        if next.is_empty() {
            break;
        }
        next.shuffle(&mut rand::rng());
        for name in next {
            let sent = prober.trace().series(&name).map_or(0, |series| series.requests.len() as u32);
            let series = SeriesPlan { name, most: sent + 1, ..plain.clone() };
            prober.send(&series, |_| ask::stop_if(false)).await?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}
