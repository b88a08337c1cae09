//! Busy instances. The experiment shows whether the balancer avoids them.
//!
//! Slow requests make instances busy, and quick requests, sent meanwhile, show where the balancer puts them.

use std::{ops::RangeInclusive, time::Duration};

use rand::Rng;

use crate::{
    analysis::{self, Algorithm, Case},
    model::{
        App,
        trace::{Connection, SeriesName, Trace},
    },
    probe::{SeriesPlan, path_and_query, with_path},
};

use super::{
    error::CampaignError,
    plan::CampaignPlan,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The most requests of a whole probe, unless a person asked for this experiment.
const MAX_REQUESTS_UNASKED: u32 = 400;
/// The number of times that several instances are made busy, if 40 quick requests are sent each time.
const ROUNDS_OF_FORTY: u32 = 4;
/// The numbers of slow requests at once that keep a single instance busy, until others surely answer for that reason. The
/// last number comes twice, because one round proves nothing: a server may have gone and come back meanwhile.
const SLOW_REQUESTS_TO_ONE: [u32; 5] = [1, 2, 4, 8, 8];
/// The number of quick requests while a single instance is busy. If all 13 stay on the busy instance, least connections is
/// excluded, even in the form that compares two instances drawn at random.
const QUICK_REQUESTS_TO_ONE: u32 = 13;
/// The least number of quick requests that shows anything.
const MIN_QUICK_REQUESTS: u32 = 6;
/// The delay that a lab's apps are asked for, in milliseconds.
const DELAY: RangeInclusive<u64> = 500..=8000;
/// Added to the delay, in milliseconds, for the slow requests to begin.
const MARGIN_MILLISECONDS: u64 = 200;

/// A path with slow answers, and their delay, where that is known.
struct SlowPath {
    path: String,
    delay: Option<Duration>,
}

/// The experiment with slow and quick requests.
struct LoadExperiment<'p> {
    plan: &'p CampaignPlan,
    slow_path: SlowPath,
    /// The most requests of the whole probe.
    most: u32,
    stage: Stage,
}

/// The next stage of the experiment.
enum Stage {
    /// One slow request, if its delay is not known.
    Measure,
    /// Rounds of slow and quick requests, as many as the analysis needs.
    Hold(Option<LoadRounds>),
    /// Quick requests after slow ones: a balancer that looks at response times avoids an instance after its slow answers.
    Afterwards,
    /// More slow requests than there are instances: a limit of one request each looks as if load mattered.
    Overfill,
    Over,
}

/// Rounds of slow and quick requests.
#[derive(Clone, Copy)]
struct LoadRounds {
    instances: u32,
    quick_requests: u32,
    /// The number of rounds that have begun.
    begun: usize,
    /// The time in which quick requests may be sent in each round.
    lasting: Duration,
}

pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let plan = setting.plan;
    let Some(slow_path) = slow_path(plan, setting.case) else {
        return if plan.picked.is_empty() { Ok(Vec::new()) } else { Err(CampaignError::NoSlowPath) };
    };
    let asked_for = plan.slow_path.is_some() || !plan.picked.is_empty();
    let most = if asked_for { u32::MAX } else { MAX_REQUESTS_UNASKED };
    Ok(vec![Box::new(LoadExperiment { plan, slow_path, most, stage: Stage::Measure })])
}

/// Returns true if load may decide which instance answers, as far as the case shows.
pub fn may_decide(case: &Case) -> bool {
    let verdict = analysis::judge(case);
    verdict.algorithm.leaves_load_open() && verdict.candidates.contains(&Algorithm::LeastConnections)
}

/// The path that a person named, or one that a lab's app offers.
fn slow_path(plan: &CampaignPlan, case: &Case) -> Option<SlowPath> {
    if let Some(named) = &plan.slow_path {
        return Some(SlowPath { path: path_and_query(&with_path(&plan.url, named)), delay: None });
    }
    let lab = plan.lab.as_ref()?;
    let path = match lab.view.app? {
        App::Page => Some("/session").filter(|_| lab.logs_in),
        App::Api => Some(plan.url.path()).filter(|path| *path == "/api/"),
    }?;
    let free = case.trace().series(&SeriesName::WithoutJar)?;
    let mut took: Vec<u64> = free.requests.iter().map(|request| request.us).collect();
    took.sort_unstable();
    let quick_requests = u64::from(analysis::quick_requests(case));
    // long enough for the quick ones, if they take twice as long as the middle one did
    let needed = took.get(took.len() / 2)? * quick_requests * 2 / 1000 + MARGIN_MILLISECONDS;
    let allowed = u64::try_from(plan.timeout.as_millis()).unwrap_or(u64::MAX) * 8 / 10;
    let delay = needed.clamp(*DELAY.start(), *DELAY.end()).min(allowed);
    Some(SlowPath { path: format!("{path}?delay={delay}"), delay: Some(Duration::from_millis(delay)) })
}

impl Experiment for LoadExperiment<'_> {
    fn title(&self, _: &Case) -> String {
        "are busy instances avoided".to_owned()
    }

    fn next(&mut self, case: &Case, _: &mut dyn Rng) -> NextStep {
        loop {
            let next = match self.stage {
                Stage::Measure => {
                    self.stage = Stage::Hold(None);
                    self.slow_path.delay.is_none().then(|| self.hold(1))
                }
                Stage::Hold(rounds) => {
                    let next = self.round(rounds, case);
                    if next.is_none() {
                        self.stage = Stage::Afterwards;
                    }
                    next
                }
                Stage::Afterwards => {
                    self.stage = Stage::Overfill;
                    let more = 3 * instances(case.trace());
                    analysis::need_requests_afterwards(case)
                        .then(|| NextStep::send(self.quick(quick_sent(case.trace()) + more)))
                }
                Stage::Overfill => {
                    self.stage = Stage::Over;
                    analysis::limit_may_explain(case).then(|| self.hold(instances(case.trace()) + 1))
                }
                Stage::Over => return NextStep::Done,
            };
            if let Some(next) = next {
                return next;
            }
        }
    }
}

impl LoadExperiment<'_> {
    /// The next round, if another one is needed and the limit of requests allows it.
    fn round(&mut self, rounds: Option<LoadRounds>, case: &Case) -> Option<NextStep> {
        let mut rounds = match rounds {
            None => self.rounds(case),
            Some(_) if analysis::enough_load(case) => return None,
            Some(rounds) => rounds,
        };
        let (held, quick_requests) = rounds.next()?;
        self.stage = Stage::Hold(Some(rounds));
        let sent: usize = case.trace().series.iter().map(|series| series.requests.len()).sum();
        // three quick ones and a slow one for each instance may be needed afterwards
        let left = self.most.saturating_sub(sent as u32 + held + 4 * rounds.instances + 1);
        let quick_requests = quick_requests.min(left);
        if quick_requests < MIN_QUICK_REQUESTS {
            return None;
        }
        let quick = self.quick(quick_sent(case.trace()) + quick_requests);
        Some(NextStep::hold(self.slow(held), quick, rounds.lasting))
    }

    fn rounds(&self, case: &Case) -> LoadRounds {
        let measured = case.trace().series(&SeriesName::Slow).and_then(|series| series.requests.first());
        let measured = measured.map(|request| Duration::from_micros(request.us));
        let delay = self.slow_path.delay.or(measured).unwrap_or_default();
        LoadRounds {
            instances: instances(case.trace()),
            quick_requests: analysis::quick_requests(case),
            begun: 0,
            // those that are under way when it ends count for nothing
            lasting: delay * 8 / 10,
        }
    }

    /// Sends this number of slow requests at once, and no quick ones.
    fn hold(&self, held: u32) -> NextStep {
        NextStep::hold(self.slow(held), self.quick(0), Duration::ZERO)
    }

    fn slow(&self, held: u32) -> SeriesPlan {
        let path = self.slow_path.path.clone();
        let plain = self.plan.series(SeriesName::Slow, 0);
        SeriesPlan { connection: Connection::Fresh, path, concurrency: held, ..plain }
    }

    fn quick(&self, most: u32) -> SeriesPlan {
        SeriesPlan { connection: Connection::Fresh, ..self.plan.series(SeriesName::Meanwhile, most) }
    }
}

impl LoadRounds {
    /// The numbers of slow and of quick requests of the next round, as long as there are rounds.
    fn next(&mut self) -> Option<(u32, u32)> {
        let round = match self.instances {
            0 => None,
            1 => SLOW_REQUESTS_TO_ONE.get(self.begun).map(|held| (*held, QUICK_REQUESTS_TO_ONE)),
            _ => {
                let rounds = (ROUNDS_OF_FORTY * 40 / self.quick_requests).max(2);
                (self.begun < rounds as usize).then(|| ((self.instances / 3).max(1), self.quick_requests))
            }
        };
        self.begun += 1;
        round
    }
}

/// The number of instances that answered without load.
fn instances(trace: &Trace) -> u32 {
    trace.series(&SeriesName::WithoutJar).map_or(0, |series| series.instances().len() as u32)
}

fn quick_sent(trace: &Trace) -> u32 {
    trace.series_length(&SeriesName::Meanwhile)
}
