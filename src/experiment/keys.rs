//! Values of a key that a hash may be taken of: the client's address, the query string, the path, a header, a cookie.
//!
//! The values of a key are sent in passes. Each pass has every value once, in random order, so that a change during the
//! experiment cannot look like an effect of the values.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rand::{Rng, RngExt, seq::SliceRandom};
use url::Url;

use crate::{
    analysis::{self, Case, Key},
    model::{
        Engine, ProxyKind,
        trace::{Connection, CookieValue, Header, SeriesName},
    },
    probe::{SeriesPlan, path_and_query, with_path},
};

use super::{
    error::CampaignError,
    plan::CampaignPlan,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The most requests over all values of a key, but each value is sent at least once.
const MAX_REQUESTS: usize = 220;

/// The key that is varied, with the values that a person named.
enum KeyVariation {
    Sources(Vec<IpAddr>),
    Query,
    Path,
    /// Paths and queries that a person named.
    NamedPaths(Vec<String>),
    Header(String),
    Cookie(String),
}

/// The experiment that shows whether the values of a key decide which instance answers.
struct KeyExperiment<'p> {
    plan: &'p CampaignPlan,
    variation: KeyVariation,
    /// Returns true if the case still calls for the experiment when its turn has come.
    is_open: fn(&Case) -> bool,
    passes: Option<Passes>,
}

/// Sends from several addresses of this machine.
pub fn begin_sources<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let sources = sources(setting)?;
    Ok(experiment_on(setting, KeyVariation::Sources(sources), |_| true))
}

/// Varies the query string and, unless that decides, the path; or the paths that a person named.
pub fn begin_paths<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let CampaignPlan { paths, url, .. } = setting.plan;
    if paths.is_empty() {
        let query = experiment_on(setting, KeyVariation::Query, |_| true);
        let unless_the_query_decides = |case: &Case| !analysis::key_decides(case, Key::Query);
        return Ok(query
            .into_iter()
            .chain(experiment_on(setting, KeyVariation::Path, unless_the_query_decides))
            .collect());
    }
    let mut named: Vec<String> = paths.iter().map(|path| path_and_query(&with_path(url, path))).collect();
    named.sort();
    named.dedup();
    Ok(experiment_on(setting, KeyVariation::NamedPaths(named), |_| true))
}

/// Varies the value of each cookie that may decide, until one does.
pub fn begin_cookies<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let cookies = analysis::cookies_to_vary(setting.case.trace());
    Ok(cookies
        .into_iter()
        .flat_map(|cookie| experiment_on(setting, KeyVariation::Cookie(cookie), may_decide))
        .collect())
}

/// Varies the header that a person named.
pub fn begin_header<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let header = setting.plan.header.clone().ok_or(CampaignError::NoHeader)?;
    Ok(experiment_on(setting, KeyVariation::Header(header), |_| true))
}

fn experiment_on<'p>(
    setting: &Setting<'p, '_>,
    variation: KeyVariation,
    is_open: fn(&Case) -> bool,
) -> Experiments<'p> {
    vec![Box::new(KeyExperiment { plan: setting.plan, variation, is_open, passes: None })]
}

/// Returns true if one instance answers all plain requests, and no key that was varied has explained it, so that a key
/// may decide.
pub fn may_decide(case: &Case) -> bool {
    let plain = case.trace().series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
    let mut instances = plain.filter_map(|request| request.instance);
    let first = instances.next();
    // to judge a long series takes long
    instances.all(|instance| Some(instance) == first) && analysis::is_single_unexplained(case)
}

impl Experiment for KeyExperiment<'_> {
    fn title(&self, _: &Case) -> String {
        match &self.variation {
            KeyVariation::Sources(_) => "does the client's address decide".to_owned(),
            KeyVariation::Query => "does the query string decide".to_owned(),
            KeyVariation::Path | KeyVariation::NamedPaths(_) => "does the path decide".to_owned(),
            KeyVariation::Header(name) | KeyVariation::Cookie(name) => format!("does {name} decide"),
        }
    }

    fn next(&mut self, case: &Case, random: &mut dyn Rng) -> NextStep {
        let passes = match &mut self.passes {
            None if !(self.is_open)(case) => return NextStep::Done,
            None => self.passes.insert(Passes::over(self.variation.series(self.plan, random))),
            Some(passes) => {
                if passes.is_between() && self.variation.keys().iter().all(|key| analysis::enough_values(case, *key)) {
                    return NextStep::Done;
                }
                passes
            }
        };
        passes.next(random)
    }
}

impl KeyVariation {
    fn keys(&self) -> &'static [Key] {
        match self {
            KeyVariation::Sources(_) => &[Key::Source],
            KeyVariation::Query => &[Key::Query],
            KeyVariation::Path => &[Key::Path],
            // which of the two they vary depends on the paths
            KeyVariation::NamedPaths(_) => &[Key::Query, Key::Path],
            KeyVariation::Header(_) => &[Key::Header],
            KeyVariation::Cookie(_) => &[Key::Cookie],
        }
    }

    /// A series for each value.
    fn series(&self, plan: &CampaignPlan, random: &mut dyn Rng) -> Vec<SeriesPlan> {
        let plain = SeriesPlan { connection: Connection::Fresh, ..plan.series(SeriesName::WithoutJar, 0) };
        let named = |name| SeriesPlan { name, ..plain.clone() };
        let to_path = |path: String| SeriesPlan { name: SeriesName::Path(path.clone()), path, ..plain.clone() };
        let asked = |key: Key| 0..key.values_to_send(plan.alpha);
        match self {
            KeyVariation::Sources(sources) => sources.iter().map(|source| named(SeriesName::Source(*source))).collect(),
            KeyVariation::Query => asked(Key::Query).map(|_| to_path(with_random_query(&plan.url, random))).collect(),
            KeyVariation::Path => {
                let below = plan.url.path().trim_end_matches('/');
                asked(Key::Query).map(|_| to_path(format!("{below}/{}", token(random)))).collect()
            }
            KeyVariation::NamedPaths(paths) => paths.iter().cloned().map(to_path).collect(),
            KeyVariation::Header(name) => {
                let header = |_| Header { name: name.clone(), value: token(random) };
                asked(Key::Header).map(header).map(|header| named(SeriesName::Header(header))).collect()
            }
            KeyVariation::Cookie(name) => {
                let value = |n| CookieValue { name: name.clone(), n: n as u32 + 1 };
                asked(Key::Cookie).map(|n| named(SeriesName::CookieMadeUp(value(n)))).collect()
            }
        }
    }
}

/// Passes over values.
struct Passes {
    series: Vec<SeriesPlan>,
    /// The number of passes that may still begin.
    left: usize,
    /// The place of the next value in the pass that is under way.
    place: usize,
}

impl Passes {
    fn over(series: Vec<SeriesPlan>) -> Passes {
        let left = if series.is_empty() { 0 } else { (MAX_REQUESTS / series.len()).max(1) };
        Passes { place: series.len(), left, series }
    }

    /// Returns true if a pass has ended and the next has not begun.
    fn is_between(&self) -> bool {
        self.place == self.series.len()
    }

    fn next(&mut self, random: &mut dyn Rng) -> NextStep {
        if self.is_between() {
            if self.left == 0 {
                return NextStep::Done;
            }
            self.left -= 1;
            self.series.shuffle(random);
            self.place = 0;
        }
        let series = &mut self.series[self.place];
        series.most += 1;
        self.place += 1;
        NextStep::send(series.clone())
    }
}

/// The addresses to send from; none where they would show nothing.
fn sources(setting: &mut Setting) -> Result<Vec<IpAddr>, CampaignError> {
    let plan = setting.plan;
    let picked = !plan.sources.is_empty() || !plan.picked.is_empty();
    let lab = plan.lab.as_ref();
    let hides_addresses = lab.is_some_and(|lab| match (lab.engine, lab.proxy) {
        (Engine::Compose, ProxyKind::Traefik) => true,
        (Engine::Compose, ProxyKind::Bundled) | (Engine::Embedded, _) => false,
    });
    if hides_addresses {
        if picked {
            setting
                .progress
                .note("sources: left out, because Docker gives all clients of a published port the same address");
        }
        return Ok(Vec::new());
    }
    if let Some(foreign) = plan.sources.iter().find(|source| !(setting.can_send_from)(**source)) {
        return Err(CampaignError::ForeignSource(*foreign));
    }
    if !plan.sources.is_empty() {
        return Ok(plan.sources.clone());
    }
    let connected = setting.case.trace().target.connected_to.as_deref().and_then(|to| to.parse::<SocketAddr>().ok());
    let is_local = connected.is_some_and(|to| to.is_ipv4() && to.ip().is_loopback());
    // not every system has all of 127.0.0.0/8
    if !is_local || !(setting.can_send_from)(loopback_address(setting.random)) {
        return if picked { Err(CampaignError::NoSources) } else { Ok(Vec::new()) };
    }
    Ok((0..Key::Source.values_to_send(plan.alpha)).map(|_| loopback_address(setting.random)).collect())
}

/// Any address of 127.0.0.0/8. Its first three numbers vary as well, because some balancers look at these only.
fn loopback_address(random: &mut dyn Rng) -> IpAddr {
    Ipv4Addr::new(127, random.random_range(1..255), random.random(), random.random_range(1..255)).into()
}

fn with_random_query(url: &Url, random: &mut dyn Rng) -> String {
    let token = token(random);
    match url.query() {
        Some(query) => format!("{}?{query}&lbctl={token}", url.path()),
        None => format!("{}?lbctl={token}", url.path()),
    }
}

/// A random value, which was hardly sent before.
fn token(random: &mut dyn Rng) -> String {
    format!("{:08x}", random.random::<u32>())
}
