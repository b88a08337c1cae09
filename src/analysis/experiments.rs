//! Experiments: what varying addresses, paths and headers, and keeping instances busy, add to a verdict.

use crate::model::trace::{InstanceId, SeriesName, Trace};

use crate::analysis::{
    affinity::keys::{KEYS, Key, Told, Values, is_sure},
    affinity::{cookie_mechanism, placement::in_turn},
    case::Case,
    load::{self, Load, Shown},
    math::log_prob::{in_words, probability},
    pattern::finding::Finding,
    pattern::select::ONE_ALONE,
    unseen_instances,
    verdict::{Algorithm, Hits, RuledOut, Stickiness, StickyBy, StickyCookie, Verdict, evidence::Evidence},
};

/// Completes a verdict on the series without a cookie jar by what the experiments show.
pub fn amend(case: &Case, verdict: &mut Verdict) {
    let deciding: Vec<Key> = KEYS.into_iter().filter(|key| decided_by(case, verdict, *key)).collect();
    match deciding.as_slice() {
        [] => no_uri_hash(case, verdict),
        keys => name_them(case, verdict, keys),
    }
    if let Some(load) = load::find(case) {
        amend_by_load(verdict, load, case.alpha());
    }
    unseen_instances::amend(case, verdict);
    // the sum of nothing is -0
    verdict.chance = (0.0 + verdict.ruled_out.iter().map(|out| out.p).sum::<f64>()).min(1.0);
}

/// Whether a key decides who answers; says what was seen.
fn decided_by(case: &Case, verdict: &mut Verdict, key: Key) -> bool {
    let Some(values) = Values::of(case.trace(), key) else { return false };
    let (what, named, instances) = (words(case.trace(), key), values.named(), values.hits().len());
    let answers: usize = values.hits().values().sum();
    let (said, decides) = match values.told() {
        Told::Decides { p } if is_sure(p, case.alpha()) && (values.are_many() || key == Key::Source) => (
            format!(
                "{answers} requests with {named} {} went to {instances} instances, but each of these always to the same \
                 one; if {} played no part, the chance of that would be {}",
                what.many,
                what.the,
                in_words(p)
            ),
            true,
        ),
        Told::Decides { p } if is_sure(p, case.alpha()) => (
            format!(
                "each of {named} {} has an instance of its own (by chance {}), but so few may have a rule each as well \
                 as a hash",
                what.many,
                in_words(p)
            ),
            false,
        ),
        Told::Decides { p } => (
            format!(
                "{answers} requests with {named} {} went to {instances} instances, each of these always to the same one; \
                 but they are too few: the chance of that is {}",
                what.many,
                in_words(p)
            ),
            false,
        ),
        Told::Same { .. } => {
            let free = case.trace().series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
            let here: Vec<InstanceId> = free.filter_map(|request| request.instance).collect();
            let only = match (here.is_empty() || values.hits().keys().any(|id| here.contains(id)), key) {
                (true, _) => "one instance answers, whichever it is",
                (false, Key::Path) => "one instance answers, but another than here: they may be another service's",
                (false, _) => "one instance answers, but another than without",
            };
            let but = match key {
                Key::Source => "; that proves nothing, because something on the way may hide the address",
                _ => "",
            };
            (format!("{named} {}: {only}{but}", what.many), false)
        }
        Told::Changes => (format!("{named} {}: the same one led to different instances", what.many), false),
        Told::Little => {
            (format!("{} of {} {} led to an instance with a name", named, values.asked(), what.many), false)
        }
    };
    verdict.evidence.push(Evidence::Sentence(said));
    decides
}

/// A key in words.
struct Words {
    many: String,
    the: String,
}

fn words(trace: &Trace, key: Key) -> Words {
    let words = |many: &str, the: &str| Words { many: many.to_owned(), the: the.to_owned() };
    match key {
        Key::Source => words("addresses of the client's", "the client's address"),
        Key::Query => words("query strings", "the query string"),
        Key::Path => words("paths", "the path"),
        Key::Cookie => {
            let name = key.cookie(trace).map_or("the cookie", String::as_str);
            Words { many: format!("values of the cookie {name}"), the: format!("the value of {name}") }
        }
        Key::Header => {
            let name = trace.series.iter().find_map(|series| Some(series.name.header()?.name.as_str()));
            let name = name.unwrap_or("the header");
            Words { many: format!("values of {name}"), the: format!("the value of {name}") }
        }
    }
}

/// Neither query strings nor paths make a difference: no hash of them, where the paths vary from their first character.
fn no_uri_hash(case: &Case, verdict: &mut Verdict) {
    let free = case.trace().series(&SeriesName::WithoutJar);
    let here = free.and_then(|series| series.requests.iter().find_map(|request| request.instance));
    let same = |key| match Values::of(case.trace(), key) {
        // paths that another service answers tell nothing about this one
        Some(values) if values.hits().keys().eq(here.iter()) => match values.told() {
            Told::Same { p } if is_sure(p, case.alpha()) => Some(p),
            _ => None,
        },
        _ => None,
    };
    let (Some(query), Some(path)) = (same(Key::Query), same(Key::Path)) else { return };
    // below another path all share a beginning, of which alone a balancer may take its hash
    let at_the_root = free.is_some_and(|series| series.conditions.path.split('?').next() == Some("/"));
    if !at_the_root || !verdict.candidates.contains(&Algorithm::UriHash) {
        return;
    }
    verdict.candidates.retain(|candidate| *candidate != Algorithm::UriHash);
    verdict.ruled_out.push(RuledOut {
        algorithm: Algorithm::UriHash,
        test: "one instance for all paths",
        p: query + path,
    });
    verdict.evidence.push(Evidence::Sentence(format!(
        "so it is no hash of the path: the chance that one sends all these paths to the same of two instances is {}",
        in_words(query + path)
    )));
}

/// Names the hashes that were found.
fn name_them(case: &Case, verdict: &mut Verdict, keys: &[Key]) {
    let p = keys.iter().filter_map(|key| match Values::of(case.trace(), *key)?.told() {
        Told::Decides { p } => Some(p),
        _ => None,
    });
    let p = p.sum::<f64>();
    // what was said before such a hash was found
    verdict.evidence.retain(
        |said| !matches!(said, Evidence::Sentence(said) if said.starts_with("this cannot tell a single instance")),
    );
    verdict.ruled_out.retain(|out| out.test != ONE_ALONE);
    verdict.ruled_out.retain(|out| out.algorithm != Algorithm::Single);
    verdict.ruled_out.push(RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 });
    let blind = RuledOut { algorithm: Algorithm::FirstAvailable, test: "each value has its own instance", p };
    verdict.ruled_out.push(blind);
    if verdict.algorithm != Algorithm::Single {
        let seen = verdict.algorithm.as_str();
        verdict.evidence.push(Evidence::Sentence(format!("without such a value, the pattern is {seen}")));
    }
    keys.iter().for_each(|key| count(case.trace(), verdict, *key));
    verdict.order = None;
    verdict.cycle = Vec::new();
    verdict.repeats_after = None;
    for instance in &mut verdict.instances {
        (instance.weight, instance.expected) = (None, None);
    }
    if keys.contains(&Key::Source) {
        verdict.stickiness = Stickiness::Source;
        verdict
            .evidence
            .push(Evidence::Sentence("so a client stays on its instance as long as its address does".to_owned()));
    }
    let mut hashes: Vec<Algorithm> = Vec::new();
    for key in keys {
        let turned = Values::of(case.trace(), *key).and_then(|values| in_turn(case, &values));
        if let Some(name) = key.cookie(case.trace()) {
            verdict.stickiness = Stickiness::Cookie;
            let by = if turned.is_some() { StickyBy::Learned } else { StickyBy::Hash };
            verdict.sticky_cookie =
                Some(StickyCookie { by: Some(by), ..cookie_mechanism::described(case.trace(), name) });
        }
        match turned {
            Some(found) => remembered(case.trace(), verdict, *key, found),
            None if hashes.contains(&key.hash()) => {}
            None => hashes.push(key.hash()),
        }
    }
    if let Some(first) = hashes.first() {
        verdict.algorithm = *first;
        verdict.candidates = hashes;
        verdict.candidates.extend([Algorithm::Random, Algorithm::LeastConnections]);
        verdict.evidence.push(Evidence::Sentence(
            "what remembers each value (a table, a cache) would look the same, if it placed new ones at random; that it \
             placed them in turn was not seen"
                .to_owned()));
    }
}

/// Counts the answers of an experiment in: it is there that the instances show themselves.
fn count(trace: &Trace, verdict: &mut Verdict, key: Key) {
    let Some(like) = verdict.instances.first().cloned() else { return };
    let hits = Values::of(trace, key).map(|values| values.hits()).unwrap_or_default();
    for (id, hits) in hits {
        let name = &trace.instances[usize::from(id.0)].name;
        match verdict.instances.iter_mut().find(|instance| instance.name == *name) {
            Some(instance) => instance.hits += hits,
            None => verdict.instances.push(Hits { name: name.clone(), hits, ..like.clone() }),
        }
    }
    verdict.sort_instances();
}

/// New values that are placed in turn show a round robin behind something that remembers them, and no hash.
fn remembered(trace: &Trace, verdict: &mut Verdict, key: Key, found: Finding) {
    let by_chance = found.ruled_out.iter().filter(|out| out.algorithm == Algorithm::Random).map(|out| out.p);
    let p = by_chance.fold(0.0, f64::max);
    let memory = match key {
        Key::Source | Key::Header | Key::Cookie => "a table remembers whom each was given",
        Key::Query | Key::Path => "a cache or a table remembers each",
    };
    let Words { many, .. } = words(trace, key);
    verdict.evidence.push(Evidence::Sentence(format!(
        "new {many} were given to the instances in turn, which a hash does with a chance of {}: {memory}",
        in_words(p)
    )));
    verdict.ruled_out.push(RuledOut { algorithm: key.hash(), test: "new values came in turn", p });
    verdict.ruled_out.extend(found.ruled_out.into_iter().filter(|out| out.algorithm == Algorithm::Random));
    verdict.algorithm = found.algorithm;
    verdict.candidates = found.candidates;
    verdict.order = found.order;
}

/// What keeping instances busy shows.
fn amend_by_load(verdict: &mut Verdict, load: Load, alpha: f64) {
    let Load { quick, on_busy, expected, shown } = load;
    let seen = format!(
        "while slow requests kept instances busy, {on_busy} of {quick} others went to a busy one; if load played no part, \
         about {expected:.0} would"
    );
    let pattern = verdict.algorithm;
    match shown {
        Shown::Avoided { p, two_at_once } => {
            no_longer(verdict, "without load, least-connections looks the same");
            verdict
                .evidence
                .push(Evidence::Sentence(format!("{seen}: the chance of such a difference is {}", in_words(p))));
            let strictly = if on_busy == 0 { "strictly" } else { "mostly" };
            verdict.evidence.push(Evidence::Sentence(format!("so busy instances are {strictly} avoided")));
            if two_at_once {
                let out = |algorithm| RuledOut { algorithm, test: "busy instances are avoided", p };
                verdict.ruled_out.extend(
                    verdict.candidates.iter().filter(|one| **one != Algorithm::LeastConnections).map(|one| out(*one)),
                );
                verdict.candidates.clear();
            } else {
                verdict.candidates.retain(|one| *one != Algorithm::LeastConnections);
                verdict.evidence.push(Evidence::Sentence(format!(
                    "but {} with a limit of one request to each instance would look the same",
                    pattern.as_str()
                )));
            }
            verdict.algorithm = Algorithm::LeastConnections;
            verdict.instances.iter_mut().for_each(|instance| instance.expected = None);
            verdict.candidates.insert(0, Algorithm::LeastConnections);
        }
        Shown::Ignored { p } => {
            no_longer(verdict, "without load, least-connections looks the same");
            verdict.evidence.push(Evidence::Sentence(format!(
                "{seen}: busy instances get their share, so it is not least-connections, which does that with a chance \
                 of {}",
                in_words(p)
            )));
            verdict.candidates.retain(|one| *one != Algorithm::LeastConnections);
            verdict.ruled_out.push(RuledOut {
                algorithm: Algorithm::LeastConnections,
                test: "busy instances get their share",
                p,
            });
        }
        Shown::Spilled { at } => {
            verdict.evidence.push(Evidence::Sentence(format!(
                "one instance answers everything until it has {at} slow {}; then others answer",
                if at == 1 { "request" } else { "requests" }
            )));
            let out = [Algorithm::Single, Algorithm::FirstAvailable, Algorithm::LeastConnections];
            verdict.candidates.retain(|one| !out.contains(one));
            verdict.candidates.insert(0, Algorithm::FirstAvailable);
            if at == 1 {
                verdict.candidates.insert(1, Algorithm::LeastConnections);
                verdict.evidence.push(Evidence::Sentence(
                    "a limit of one request to each would do that, or least-connections that begins with the first of \
                     equals"
                        .to_owned(),
                ));
            }
            verdict.ruled_out.push(RuledOut {
                algorithm: Algorithm::Single,
                test: "another answers while it is busy",
                p: 0.0,
            });
            verdict.algorithm = Algorithm::FirstAvailable;
        }
        Shown::Alone { busiest } => {
            verdict.evidence.push(Evidence::Sentence(format!(
                "{quick} requests went to the same instance while up to {busiest} slow ones kept it busy"
            )));
            // of two at random both are the busy one of two instances once in four times
            let p = probability(quick as f64 * 0.25f64.ln());
            if load::is_sure(p, alpha) {
                verdict.candidates.retain(|one| *one != Algorithm::LeastConnections);
                let test = "a busy instance gets everything";
                verdict.ruled_out.push(RuledOut { algorithm: Algorithm::LeastConnections, test, p });
            }
        }
        Shown::Undecided(why) if quick > 0 => verdict.evidence.push(Evidence::Sentence(format!("{seen}: {why}"))),
        Shown::Undecided(why) => {
            verdict.evidence.push(Evidence::Sentence(format!("whether load matters was not seen: {why}")))
        }
    }
}

/// Takes back a sentence that no longer holds.
fn no_longer(verdict: &mut Verdict, sentence: &str) {
    verdict.evidence.retain(|said| *said != Evidence::Sentence(sentence.to_owned()));
}
