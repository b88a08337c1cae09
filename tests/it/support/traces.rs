//! Traces as data, for tests of the analysis.

use std::{num::NonZeroU16, time::Duration};

use lbctl::{
    analysis::Verdict,
    model::trace::{
        Action, Conditions, Connection, CookieJar, Instance, InstanceId, NameFeature, Request, Series, SeriesName,
        Target, Trace, Via,
    },
    report::sentences,
};

/// A request that an instance answered, one each millisecond; without an instance it failed.
pub fn request(n: u32, instance: Option<u16>) -> Request {
    Request {
        instance: instance.map(InstanceId),
        status: instance.and(NonZeroU16::new(200)),
        ..Request::sent(n, Action::Get, Duration::from_millis(n.into()), Duration::from_micros(900))
    }
}

/// A series as the probe sends one of that name.
pub fn series(name: SeriesName, requests: Vec<Request>) -> Series {
    let path = if let SeriesName::Path(path) = &name { path.clone() } else { "/".to_owned() };
    let jar = match name {
        SeriesName::WithJar | SeriesName::JarByLot => CookieJar::Kept,
        _ => CookieJar::None,
    };
    let connection = match name {
        SeriesName::OneConnection | SeriesName::ConnectionByLot => Connection::Reused,
        _ => Connection::Fresh,
    };
    let conditions = Conditions { jar, connection, path, source: name.source(), header: None, concurrency: 1 };
    Series { name, conditions, requests, cookies: Vec::new(), others: Vec::new() }
}

/// A trace of a target with many instances, web-1 and so on.
pub fn trace(series: Vec<Series>) -> Trace {
    let instance = |n| Instance { name: format!("web-{n}"), hostname: format!("web-{n}") };
    Trace {
        target: Target { url: "http://demo/".into(), connected_to: None, via: Via::Dns, addresses: Vec::new() },
        identified_by: Some(NameFeature::known("the header x-served-by")),
        unidentified: None,
        instances: (1..=256).map(instance).collect(),
        series,
    }
}

/// The evidence for a verdict on such a trace, in words.
pub fn evidence(verdict: &Verdict) -> Vec<String> {
    sentences(&trace(Vec::new()), &verdict.evidence)
}
