//! The experiments of `lbctl probe` that one series cannot replace: several addresses, paths and values of a header,
//! and instances that are kept busy. What was seen before decides which are made.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use clap::ValueEnum;
use rand::{RngExt, seq::SliceRandom};

use crate::{
    analysis::{self, Algorithm, Case, Key},
    cli::{self, Experiment, Format, Probe},
    error::{Exit, Failure},
    model::{
        App, Balancer, Engine,
        trace::{Connection, CookieValue, Header, SeriesName, Trace},
    },
    probe::{Prober, SeriesPlan, with_path},
};

use super::{
    ask::{self, Resolved},
    console,
};

/// Requests over the values of one key, at most, as long as each is asked for once.
const MOST_OVER_VALUES: usize = 220;
/// Requests of a whole probe after which no instance is kept busy any more that nobody asked to.
const MOST_UNASKED: u32 = 400;
/// Times that instances are kept busy, at most.
const MOST_HELD: u32 = 4;
/// Requests at once that keep a single instance busy, until another answers.
const MORE_AND_MORE: [u32; 4] = [1, 2, 4, 8];
/// Quick requests meanwhile,
const QUICK_BESIDE_ONE: u32 = 6;
/// and so few tell nothing at all.
const FEWEST_QUICK: u32 = 6;
/// The delay that a lab's apps are asked for, in milliseconds.
const DELAYS: std::ops::RangeInclusive<u64> = 500..=8000;

/// Prints the experiments there are.
pub fn list(format: Format) -> anyhow::Result<Exit> {
    let all = Experiment::value_variants().iter().filter_map(Experiment::to_possible_value);
    let all: Vec<(String, String)> = all
        .filter(|one| one.get_name() != "list")
        .map(|one| (one.get_name().to_owned(), one.get_help().map(ToString::to_string).unwrap_or_default()))
        .collect();
    match format {
        Format::Json => {
            let all: Vec<_> =
                all.iter().map(|(name, about)| serde_json::json!({ "name": name, "about": about })).collect();
            console::json(&all)?;
        }
        Format::Table => {
            let lines: Vec<String> = all.iter().map(|(name, about)| format!("{name:<11} {about}")).collect();
            console::data(&lines.join("\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// Whether an experiment may be made: it was picked, or none was.
pub fn wanted(args: &cli::Experiments, experiment: Experiment) -> bool {
    args.experiments.is_empty() || args.experiments.contains(&experiment)
}

/// Whether plain requests were answered by more than one instance.
fn several_answer(trace: &Trace) -> bool {
    let plain = trace.series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
    let mut instances = plain.filter_map(|request| request.instance);
    let first = instances.next();
    instances.any(|instance| Some(instance) != first)
}

/// Makes those that were picked, or that what was seen so far calls for.
pub async fn run(args: &Probe, resolved: &Resolved, prober: &mut Prober) -> anyhow::Result<()> {
    let flags = &args.experiments;
    let calls_for = |experiment, called: bool| match flags.experiments.is_empty() {
        true => called,
        false => flags.experiments.contains(&experiment),
    };
    let one_answers = |prober: &Prober| {
        // to judge a long series takes long
        !several_answer(prober.trace()) && analysis::one_answers(&Case::new(prober.trace(), args.alpha))
    };

    if calls_for(Experiment::Sources, !flags.from.is_empty() || one_answers(prober)) {
        let picked = !flags.from.is_empty() || !flags.experiments.is_empty();
        let sources = sources(args, resolved, prober, picked)?;
        let series = sources.into_iter().map(|source| (SeriesName::Source(source), None));
        over(args, prober, resolved, series, &[Key::Source], "does the client's address decide").await?;
    }
    if calls_for(Experiment::Paths, !flags.paths.is_empty() || one_answers(prober)) {
        paths(args, resolved, prober).await?;
    }
    if wanted(flags, Experiment::Jar) {
        for cookie in analysis::cookies_to_vary(prober.trace()) {
            if !one_answers(prober) {
                break;
            }
            let value = |n| CookieValue { name: cookie.clone(), n: n as u32 };
            let values = (1..=Key::Cookie.asked(args.alpha)).map(|n| (SeriesName::CookieMadeUp(value(n)), None));
            over(args, prober, resolved, values, &[Key::Cookie], &format!("does {cookie} decide")).await?;
        }
    }
    match &flags.vary_header {
        Some(name) if wanted(flags, Experiment::Header) => {
            let values = (0..Key::Header.asked(args.alpha)).map(|_| Header { name: name.clone(), value: token() });
            let series = values.map(|header| (SeriesName::Header(header), None));
            over(args, prober, resolved, series, &[Key::Header], &format!("does {name} decide")).await?;
        }
        None if flags.experiments.contains(&Experiment::Header) => {
            return Err(Failure::usage("--experiments header needs --vary-header NAME").into());
        }
        _ => {}
    }
    let minds_load = |prober: &Prober| {
        let verdict = analysis::judge(&Case::new(prober.trace(), args.alpha));
        let goes_round = matches!(
            verdict.algorithm,
            Algorithm::RoundRobin | Algorithm::WeightedRoundRobin | Algorithm::Random | Algorithm::Undetermined
        );
        goes_round && verdict.candidates.contains(&Algorithm::LeastConnections)
    };
    if calls_for(Experiment::Slow, flags.slow_path.is_some() || minds_load(prober)) {
        match slow_path(args, resolved, prober) {
            Some((path, known)) => {
                let asked = flags.slow_path.is_some() || !flags.experiments.is_empty();
                slow(args, prober, resolved, path, known, if asked { u32::MAX } else { MOST_UNASKED }).await?;
            }
            None if flags.experiments.is_empty() => {}
            None => return Err(Failure::usage("--experiments slow needs --slow-path PATH").into()),
        }
    }
    Ok(())
}

/// The addresses to send from; none where they would tell nothing.
fn sources(args: &Probe, resolved: &Resolved, prober: &Prober, picked: bool) -> anyhow::Result<Vec<IpAddr>> {
    let told = &args.experiments.from;
    let published = resolved
        .lab
        .as_ref()
        .is_some_and(|lab| lab.view.engine == Engine::Compose && lab.view.proxy == Balancer::Traefik);
    if published {
        if picked {
            console::say("sources: left out, because Docker gives all clients of a published port the same address");
        }
        return Ok(Vec::new());
    }
    let usable = |source: &IpAddr| UdpSocket::bind((*source, 0)).is_ok();
    if let Some(foreign) = told.iter().find(|source| !usable(source)) {
        return Err(Failure::usage(format!("--from {foreign} is no address of this machine")).into());
    }
    if !told.is_empty() {
        return Ok(told.clone());
    }
    let connected = prober.trace().target.connected_to.as_deref().and_then(|to| to.parse::<SocketAddr>().ok());
    let local = connected.is_some_and(|to| to.is_ipv4() && to.ip().is_loopback());
    // some balancers look at the first three numbers only
    let mut rng = rand::rng();
    let mut any = || IpAddr::V4(Ipv4Addr::new(127, rng.random_range(1..255), rng.random(), rng.random_range(1..255)));
    if !local || !usable(&any()) {
        return match picked {
            true => {
                Err(Failure::usage("there are no addresses to vary for this target").hint("--from names some").into())
            }
            false => Ok(Vec::new()),
        };
    }
    Ok((0..Key::Source.asked(args.alpha)).map(|_| any()).collect())
}

/// Varies the query string and, unless that decides, the path; or what was told.
async fn paths(args: &Probe, resolved: &Resolved, prober: &mut Prober) -> anyhow::Result<()> {
    let told = &args.experiments.paths;
    let url = &resolved.url;
    let series = |path: String| (SeriesName::Path(path.clone()), Some(path));
    if !told.is_empty() {
        let mut told: Vec<String> = told.iter().map(|path| ask::path_and_query(&with_path(url, path))).collect();
        told.sort();
        told.dedup();
        return over(
            args,
            prober,
            resolved,
            told.into_iter().map(series),
            &[Key::Query, Key::Path],
            "does the path decide",
        )
        .await;
    }
    let count = Key::Query.asked(args.alpha);
    let query = || match url.query() {
        Some(query) => format!("{}?{query}&lbctl={}", url.path(), token()),
        None => format!("{}?lbctl={}", url.path(), token()),
    };
    let queries = (0..count).map(|_| series(query()));
    over(args, prober, resolved, queries, &[Key::Query], "does the query string decide").await?;
    if analysis::judge(&Case::new(prober.trace(), args.alpha)).algorithm == Algorithm::UriHash {
        return Ok(());
    }
    let below = url.path().trim_end_matches('/');
    let paths = (0..count).map(|_| series(format!("{below}/{}", token())));
    over(args, prober, resolved, paths, &[Key::Path], "does the path decide").await
}

/// Asks for values in passes, each in an order drawn by lot, until they tell enough.
async fn over(
    args: &Probe,
    prober: &mut Prober,
    resolved: &Resolved,
    values: impl Iterator<Item = (SeriesName, Option<String>)>,
    keys: &[Key],
    why: &str,
) -> anyhow::Result<()> {
    let here = ask::path_and_query(&resolved.url);
    let mut series: Vec<SeriesPlan> = values
        .map(|(name, path)| SeriesPlan {
            name,
            connection: Connection::Fresh,
            path: path.unwrap_or_else(|| here.clone()),
            script: None,
            most: 0,
            concurrency: 1,
        })
        .collect();
    if series.is_empty() {
        return Ok(());
    }
    let bar = console::counter(why);
    for _ in 0..(MOST_OVER_VALUES / series.len()).max(1) {
        series.shuffle(&mut rand::rng());
        for one in &mut series {
            one.most += 1;
            prober.send(one, |_| ask::stop_if(false)).await?;
            bar.inc(1);
        }
        if keys.iter().all(|key| analysis::enough_values(&Case::new(prober.trace(), args.alpha), *key)) {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// A path that takes its time, and for how long where that is known: what was told, or what a lab's apps offer.
fn slow_path(args: &Probe, resolved: &Resolved, prober: &Prober) -> Option<(String, Option<Duration>)> {
    if let Some(told) = &args.experiments.slow_path {
        return Some((ask::path_and_query(&with_path(&resolved.url, told)), None));
    }
    let lab = resolved.lab.as_ref()?;
    let path = match lab.view.services.get(&lab.service)?.app? {
        App::Page => Some("/session").filter(|_| lab.logs_in),
        App::Api => Some(resolved.url.path()).filter(|path| *path == "/api/"),
    }?;
    let free = prober.trace().series(&SeriesName::WithoutJar)?;
    let mut took: Vec<u64> = free.requests.iter().map(|request| request.us).collect();
    took.sort_unstable();
    let quick = u64::from(analysis::quick_requests(&Case::new(prober.trace(), args.alpha)));
    // long enough for the quick ones, twice as slow as the middle one was
    let needs = took.get(took.len() / 2)? * quick * 2 / 1000 + 200;
    let most = u64::try_from(args.target.timeout.as_millis()).unwrap_or(u64::MAX) * 8 / 10;
    let delay = needs.clamp(*DELAYS.start(), *DELAYS.end()).min(most);
    Some((format!("{path}?delay={delay}"), Some(Duration::from_millis(delay))))
}

/// Keeps instances busy, and looks whether they are avoided, until the probe has sent `most` requests.
async fn slow(
    args: &Probe,
    prober: &mut Prober,
    resolved: &Resolved,
    path: String,
    known: Option<Duration>,
    most: u32,
) -> anyhow::Result<()> {
    let series = |name, path, most, concurrency| SeriesPlan {
        name,
        connection: Connection::Fresh,
        path,
        script: None,
        most,
        concurrency,
    };
    let slow = |held| series(SeriesName::Slow, path.clone(), 0, held);
    let quick = |most| series(SeriesName::Meanwhile, ask::path_and_query(&resolved.url), most, 1);
    let bar = console::counter("are busy instances avoided");
    if known.is_none() {
        prober.hold(&slow(1), &quick(0), Duration::ZERO).await?;
    }
    let measured = prober.trace().series(&SeriesName::Slow).and_then(|series| series.requests.first());
    let lasting = known.or(measured.map(|request| Duration::from_micros(request.us))).unwrap_or_default();
    // those that are under way when it ends count for nothing
    let lasting = lasting * 8 / 10;

    let free = prober.trace().series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
    let instances: std::collections::BTreeSet<_> = free.filter_map(|request| request.instance).collect();
    let instances = instances.len() as u32;
    let quick_requests = analysis::quick_requests(&Case::new(prober.trace(), args.alpha));
    let rounds: Vec<(u32, u32)> = match instances {
        0 => Vec::new(),
        1 => MORE_AND_MORE.map(|held| (held, QUICK_BESIDE_ONE)).to_vec(),
        _ => {
            let times = (MOST_HELD * 40 / quick_requests).max(2);
            vec![((instances / 3).max(1), quick_requests); times as usize]
        }
    };
    let mut sent = 0;
    for (held, requests) in rounds {
        let before = prober.trace().series(&SeriesName::Meanwhile).map_or(0, |series| series.requests.len() as u32);
        let so_far: usize = prober.trace().series.iter().map(|series| series.requests.len()).sum();
        // one more for each instance may be needed afterwards
        let left = most.saturating_sub(so_far as u32 + held + instances + 1);
        let requests = requests.min(left);
        if requests < FEWEST_QUICK {
            break;
        }
        sent += held;
        bar.set_position(u64::from(sent + before));
        prober.hold(&slow(held), &quick(before + requests), lasting).await?;
        if analysis::enough_load(&Case::new(prober.trace(), args.alpha)) {
            break;
        }
    }
    if analysis::gets_its_share(&Case::new(prober.trace(), args.alpha)) {
        // whoever looks at response times avoids an instance only after its slow answers
        let before = prober.trace().series(&SeriesName::Meanwhile).map_or(0, |series| series.requests.len() as u32);
        prober.send(&quick(before + 3 * instances), |_| ask::stop_if(false)).await?;
    }
    if analysis::perhaps_a_limit(&Case::new(prober.trace(), args.alpha)) {
        prober.hold(&slow(instances + 1), &quick(0), Duration::ZERO).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// A value that nobody has asked for before.
fn token() -> String {
    format!("{:08x}", rand::random::<u32>())
}
