//! The matrix: real balancers in front of real replicas, and what the probe says of each. A line is a configuration and
//! what must be said of it. Where chance decides how much a few hundred requests show, the verdict may stay open; it may
//! never be another one.

mod caddy;
mod haproxy;
mod meanwhile;
mod nginx;
mod own;
mod traefik;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::Value;

use crate::support::{Lab, server::Balancer};

/// Requests of a default probe, at most. The most are those to a balancer that draws for clients without a cookie and keeps
/// those with one, which takes a pass by lot.
const BUDGET: usize = 500;
/// Keeps instances busy. Short, because a probe waits for it more than once.
const SLOW: [&str; 2] = ["--slow-path", "/session?delay=900"];

/// The same for balancers of which counts alone tell.
const LONGER: [&str; 2] = ["--slow-path", "/session?delay=2000"];

/// What must be said.
struct Expected {
    /// The algorithm that the pattern is named after.
    pattern: &'static str,
    /// What really picks, if that does not show.
    truth: &'static str,
    /// What may be said in its place, where chance or a busy machine leave too little to tell.
    or: Option<&'static str>,
    order: Option<&'static str>,
    /// By instance, in the order of their names.
    weights: Option<&'static [u64]>,
    candidates: Option<&'static [&'static str]>,
    stickiness: Option<&'static str>,
    cookie: Option<&'static str>,
    per: Option<&'static str>,
}

/// This pattern, by the algorithm of that name.
fn shows(pattern: &'static str) -> Expected {
    let (or, order, weights, candidates, stickiness, cookie, per) = Default::default();
    Expected { pattern, truth: pattern, or, order, weights, candidates, stickiness, cookie, per }
}

impl Expected {
    /// An algorithm that the pattern does not show.
    fn by(self, truth: &'static str) -> Expected {
        Expected { truth, ..self }
    }

    /// What else may be said.
    fn or(self, pattern: &'static str) -> Expected {
        Expected { or: Some(pattern), ..self }
    }

    fn or_open(self) -> Expected {
        self.or("undetermined")
    }

    fn order(self, order: &'static str) -> Expected {
        Expected { order: Some(order), ..self }
    }

    fn weights(self, weights: &'static [u64]) -> Expected {
        Expected { weights: Some(weights), ..self }
    }

    fn candidates(self, candidates: &'static [&'static str]) -> Expected {
        Expected { candidates: Some(candidates), ..self }
    }

    fn sticky(self, stickiness: &'static str) -> Expected {
        Expected { stickiness: Some(stickiness), ..self }
    }

    fn cookie(self, cookie: &'static str) -> Expected {
        Expected { cookie: Some(cookie), ..self.sticky("cookie") }
    }

    fn per(self, per: &'static str) -> Expected {
        Expected { per: Some(per), ..self }
    }

    /// What is wrong with a verdict.
    fn objections(&self, verdict: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut hold = |what: &str, is: &Value, should: Value| {
            if *is != should {
                wrong.push(format!("{what} is {is}, not {should}"));
            }
        };
        let open = self.or.is_some_and(|or| verdict["algorithm"] == or);
        if !open {
            hold("algorithm", &verdict["algorithm"], self.pattern.into());
        }
        let names = |field: &str| -> Vec<String> {
            let each = verdict[field].as_array().unwrap().iter();
            each.map(|one| one["algorithm"].as_str().or(one.as_str()).unwrap().to_owned()).collect()
        };
        let candidates = names("candidates");
        if let Some(order) = self.order {
            hold("order", &verdict["order"], order.into());
        }
        if let Some(weights) = self.weights {
            let each = verdict["instances"].as_array().unwrap().iter().map(|one| one["weight"].clone());
            hold("weights", &each.collect(), weights.into());
        }
        if let Some(expected) = self.candidates.filter(|_| !open) {
            hold("candidates", &verdict["candidates"], expected.into());
        }
        for (field, expected) in
            [("stickiness", self.stickiness), ("sticky_cookie", self.cookie), ("balances_per", self.per)]
        {
            if let Some(expected) = expected {
                hold(field, &verdict[field], expected.into());
            }
        }
        if !candidates.is_empty() && !candidates.iter().any(|one| one == self.truth) {
            wrong.push(format!("{} is not among the candidates {candidates:?}", self.truth));
        }
        // for requests with a cookie, or over one connection, something else may decide
        let of_some = |test: &str| test.contains("cookie") || test.contains("over one connection");
        let ruled_out = verdict["ruled_out"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|out| out["algorithm"] == self.truth && !of_some(out["test"].as_str().unwrap()));
        wrong.extend(ruled_out.map(|out| format!("the truth is ruled out: {out}")));
        if verdict["chance"].as_f64().unwrap() > 1e-6 {
            wrong.push(format!("the chance is {}", verdict["chance"]));
        }
        wrong
    }
}

/// Starts a balancer in front of these servers, where it is on this machine.
type Start = dyn Fn(&[String]) -> Option<Balancer> + Sync;

/// One configuration.
struct Case {
    name: &'static str,
    replicas: usize,
    start: Box<Start>,
    arguments: Vec<&'static str>,
    expected: Expected,
}

fn case(
    name: &'static str,
    replicas: usize,
    start: impl Fn(&[String]) -> Option<Balancer> + Sync + 'static,
    expected: Expected,
) -> Case {
    Case { name, replicas, start: Box::new(start), arguments: Vec::new(), expected }
}

impl Case {
    fn with(self, arguments: &[&'static str]) -> Case {
        Case { arguments: arguments.to_vec(), ..self }
    }

    /// What is wrong with what the probe says.
    fn run(&self, lab: &Lab) -> Vec<String> {
        let upstreams = lab.replica_addresses("web_static");
        let Some(balancer) = (self.start)(&upstreams[..self.replicas]) else { return Vec::new() };
        balancer.answers("demo.api.ch");
        let address = balancer.address.to_string();
        let always = ["probe", "demo.api.ch", "--connect", &address, "--format", "json"];
        let probe = lab.lbctl(&[&always, self.arguments.as_slice()].concat()).json();
        let series = probe["series"].as_array().unwrap().iter();
        let sent: usize = series.map(|series| series["requests"].as_array().unwrap().len()).sum();
        let mut wrong = self.expected.objections(&probe["verdict"]);
        if self.arguments.is_empty() && sent > BUDGET {
            wrong.push(format!("{sent} requests"));
        }
        let picks = || -> String {
            let requests = probe["series"][0]["requests"].as_array().unwrap().iter();
            requests.map(|one| one["instance"].as_str().and_then(|name| name.chars().last()).unwrap_or('·')).collect()
        };
        wrong.iter().map(|wrong| format!("{}: {wrong}\n  {}\n  {}", self.name, picks(), probe["verdict"])).collect()
    }
}

/// Runs all cases against the same replicas, two at a time.
#[track_caller]
fn all_hold(cases: &[Case]) {
    let lab = Lab::up(&["--web-static", "7", "--web-dynamic", "0"]);
    let next = AtomicUsize::new(0);
    let work = || {
        let each = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
        each.flat_map(|case| case.run(&lab)).collect::<Vec<String>>()
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let other = scope.spawn(work);
        [work(), other.join().unwrap()].concat()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
