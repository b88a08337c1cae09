//! The evidence of one sequence of picks, in words.

use crate::{
    analysis::pattern_evidence::{
        AtOnce, AtOnceEffect, BackgroundEvidence, BackgroundTurns, ChanceEvidence, ChangeEvidence, CountsEvidence,
        DrawsEvidence, Evenness, OneInstanceEvidence, OrderEvidence, PatternEvidence, Precision, SeriesEvidence,
        StrayEvidence, Stretch, TurnTakers, Unit, WeightsEvidence,
    },
    model::trace::Trace,
    report::odds::odds_in_words,
};

use super::words::{about, about_count, in_proportion, per_cent_up, ratio_in_words};

pub fn sentence(trace: &Trace, fact: &PatternEvidence) -> String {
    match fact {
        PatternEvidence::OneInstance(fact) => one_instance(trace, fact),
        PatternEvidence::Counts(fact) => counts(fact),
        PatternEvidence::Order(fact) => order(fact),
        PatternEvidence::Weights(fact) => weights(fact),
        PatternEvidence::Background(fact) => background(fact),
        PatternEvidence::Change(fact) => change(fact),
        PatternEvidence::Chance(fact) => chance(fact),
        PatternEvidence::Draws(fact) => draws(fact),
        PatternEvidence::AtOnce(groups) => at_once(groups),
        PatternEvidence::Stray(fact) => stray(trace, fact),
        PatternEvidence::Series(fact) => series(fact),
    }
}

fn stray(trace: &Trace, fact: &StrayEvidence) -> String {
    match *fact {
        StrayEvidence::Rare { instance, answers, of } => format!(
            "{} answered {answers} of {of} requests: stray answers, or an instance with a small share or that was there for \
             a short time",
            trace.instance_name(instance)
        ),
        StrayEvidence::OneAndStray { answers, of } => format!(
            "all but {answers} of {of} requests were answered by one instance, and so few may be stray answers, as of a \
             canary or a cache"
        ),
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Requests => "requests",
        Unit::Connections => "connections",
    }
}

fn one_instance(trace: &Trace, fact: &OneInstanceEvidence) -> String {
    match *fact {
        OneInstanceEvidence::FewConnections { instance, answered, connections } => format!(
            "{} answered all {answered} requests, but they went over {connections} connections only, for each of which a \
             balancer may have picked once; --connection fresh shows every pick",
            trace.instance_name(instance)
        ),
        OneInstanceEvidence::RegularFailures { instance } => format!(
            "{} answered, and the other requests failed as regularly as if an instance that fails had its turns, or as if \
             there were a limit to the rate",
            trace.instance_name(instance)
        ),
        OneInstanceEvidence::ManyNameless { instance, picks, nameless } => format!(
            "{} answered {picks} requests, and {nameless} have no answer that says who gave it: another instance may have \
             had these",
            trace.instance_name(instance)
        ),
        OneInstanceEvidence::TooFew { instance, picks, p } => format!(
            "{} answered all {picks} requests, too few: with two instances picked at random the chance of that is {}",
            trace.instance_name(instance),
            odds_in_words(p)
        ),
        OneInstanceEvidence::Alone { instance, picks, unit: of, nameless, p } => format!(
            "{} answered {}; with two instances picked at random the chance of that would be {}",
            trace.instance_name(instance),
            match nameless {
                0 => format!("all {picks} {}", unit(of)),
                _ => format!("{picks} {}, and {nameless} have no answer that says who gave it", unit(of)),
            },
            odds_in_words(p)
        ),
        OneInstanceEvidence::OtherReasons { unit: of, unseen_share } => format!(
            "this cannot tell a single instance from one that is picked for this client, for this path, as the first that \
             is free, or as the least busy, nor from a cache; and one that gets less than {} of the {} may not have shown \
             itself",
            per_cent_up(unseen_share),
            unit(of)
        ),
    }
}

fn counts(fact: &CountsEvidence) -> String {
    match *fact {
        CountsEvidence::SomeConnectionsMove => "requests overlapped, so their order is not the balancer's; some \
                                                connections led to several instances, others to one alone"
            .to_owned(),
        CountsEvidence::NotAllAgain { picks, unit: of, instances } => {
            format!("{picks} overlapping {} over {instances} instances: not every one has come again yet", unit(of))
        }
        CountsEvidence::Uneven { unit: of, instances, least, most } => format!(
            "{} overlapped, so their order is not the balancer's; {instances} instances answered {least} to {most} of them \
             each",
            unit(of)
        ),
        CountsEvidence::EvenTooFew { unit: of, p } => format!(
            "{} overlapped, so only counts are known; they are as even as can be, but too few: the chance of that is {}",
            unit(of),
            odds_in_words(p)
        ),
        CountsEvidence::Even { picks, unit: of, instances, least, most } => format!(
            "{picks} overlapping {} were spread over {instances} instances as evenly as can be: {least} to {most} each",
            unit(of)
        ),
        CountsEvidence::EvenByChance { p } => {
            format!(
                "with instances picked at random, the chance of counts as even as that would be {}",
                odds_in_words(p)
            )
        }
    }
}

fn order(fact: &OrderEvidence) -> String {
    match *fact {
        OrderEvidence::FixedCycleTooFew { requests, instances, p } => format!(
            "{requests} requests to {instances} instances follow a fixed order, but are too few: the chance of that at \
             random is {}",
            odds_in_words(p)
        ),
        OrderEvidence::FixedCycle { instances, followed } => format!(
            "{instances} instances answer in turn, in the same order every round: after the first round, all of {followed} \
             requests went to the instance whose turn it was"
        ),
        OrderEvidence::LeastConnectionsLooksTheSame => "without load, least-connections looks the same".to_owned(),
        OrderEvidence::NearWeights { ratio, requests } => {
            let more = requests.map_or(String::new(), |requests| {
                format!("; to show weights that differ by 1 % takes {} (-n)", about_count(requests))
            });
            format!("weights closer than {} would not show in so many requests{more}", ratio_in_words(ratio))
        }
        OrderEvidence::HardlyAnyAgain { requests, instances } => {
            format!("{requests} requests to {instances} instances: hardly one has come again yet")
        }
        OrderEvidence::RoundsTooFew { requests, instances, rounds, p } => format!(
            "{requests} requests to {instances} instances fall into {rounds} whole rounds, too few: the chance of that at \
             random is {}",
            odds_in_words(p)
        ),
        OrderEvidence::ChangingRounds { rounds, instances, repeats_after } => {
            let repeats = match repeats_after {
                Some(period) => format!("it repeats after {period} requests"),
                None => "it did not repeat within what was seen".to_owned(),
            };
            format!(
                "each of {rounds} rounds of {instances} requests held each instance once, in an order that changes from \
                 round to round; {repeats}"
            )
        }
        OrderEvidence::RegularTurnsOnRing { followed } => format!(
            "{followed} requests follow a ring of which others take turns regularly, or several counters on one ring"
        ),
        OrderEvidence::WorkersInTurn { workers, followed } => format!(
            "every {workers}{} request goes to the next instance of the same ring: {workers} counters take turns, as \
             worker processes do that each count for themselves; {followed} requests went where that says",
            ordinal(workers)
        ),
        OrderEvidence::WorkersOrClumps { workers, length, followed } => format!(
            "each instance answers {length} requests in a row: one counter may stay on it for so long, or {workers} \
             counters take turns, as worker processes do that each count for themselves; {followed} requests went where \
             both say"
        ),
        OrderEvidence::RepeatsEvenly { period } => {
            format!("the same {period} requests come again and again, and hold each instance as often as any other")
        }
        OrderEvidence::NearWeightsWithOthersTurn => {
            "weights that are nearly the same might look so, if somebody else takes a turn in each".to_owned()
        }
    }
}

fn ordinal(number: usize) -> &'static str {
    match number {
        2 => "nd",
        3 => "rd",
        _ => "th",
    }
}

fn weights(fact: &WeightsEvidence) -> String {
    match fact {
        WeightsEvidence::Repeats { period, weights, followed } => format!(
            "the same {period} requests come again and again, {}: {followed} requests went where that says",
            in_proportion(weights)
        ),
        WeightsEvidence::NoOtherPeriodWithin { requests } => {
            format!("no other order that repeats within {requests} requests fits")
        }
        WeightsEvidence::TooFew { requests } => {
            format!("too few requests to be sure of the weights, which takes {} or more (-n)", about_count(*requests))
        }
        WeightsEvidence::HardlyChanging => {
            "the order hardly changed, so turns of other clients may have changed the weights that were seen".to_owned()
        }
        WeightsEvidence::Rounds { rounds, length, weights, changes } => format!(
            "{rounds} rounds of {length} requests shared them {}; their order changed {changes} times from one to the next",
            in_proportion(weights)
        ),
        WeightsEvidence::OneCounterOrSeveral => {
            "one counter may change its order so, or several that take turns".to_owned()
        }
        WeightsEvidence::WithBackground { requests, instances, weights, precision, turns, takers } => {
            let roughly = match precision {
                Precision::Exact => "",
                Precision::Rough => "roughly ",
            };
            let taken = match turns {
                BackgroundTurns::Share(share) => about(*share),
                BackgroundTurns::Some => "some".to_owned(),
            };
            let or = match takers {
                TurnTakers::Background => "",
                TurnTakers::BackgroundOrWorkers => ", or that several counters keep",
            };
            format!(
                "{requests} requests to {instances} instances follow an order {roughly}{}, of which other clients take \
                 {taken} of the turns{or}",
                in_proportion(weights)
            )
        }
        WeightsEvidence::OthersFitWithOtherTurns => {
            "other weights near these fit as well, with more or fewer foreign turns".to_owned()
        }
        WeightsEvidence::Workers { workers, weights } => format!(
            "each request went to the next instance of one of {workers} counters, which follow the same weighted order {} \
             and take turns irregularly, as worker processes do that each count for themselves",
            in_proportion(weights)
        ),
        WeightsEvidence::OthersFit => "other weights near these fit as well".to_owned(),
    }
}

fn background(fact: &BackgroundEvidence) -> String {
    match *fact {
        BackgroundEvidence::NoOrderYet { requests, instances } => {
            format!("{requests} requests to {instances} instances show no order yet")
        }
        BackgroundEvidence::UnknownRegularity { requests, instances, p } => format!(
            "{requests} requests to {instances} instances came more regularly than picks at random do (by chance {}), but \
             in none of the orders that were looked for",
            odds_in_words(p)
        ),
        BackgroundEvidence::ChangingRoundsAndFailures { requests, instances } => format!(
            "{requests} requests fall into rounds that held each of {instances} instances once, in an order that changes, \
             if some of the requests without an answer took their turns"
        ),
        BackgroundEvidence::Ring { instances, next, of } => format!(
            "{instances} instances answer in turn: {next} of {of} times the next request went to the next instance"
        ),
        BackgroundEvidence::TurnsSkipped { share } => format!(
            "the other times some were skipped, as when other clients take {} of the turns, or instances come and go",
            about(share)
        ),
        BackgroundEvidence::Workers { workers } => format!(
            "each request went to the next instance of one of {workers} counters, which go round the same ring and take \
             turns irregularly, as worker processes do that each count for themselves"
        ),
        BackgroundEvidence::ChangingRounds { requests, instances, share } => format!(
            "{requests} requests fall into rounds of {instances} that hold each instance once, in an order that changes \
             from round to round, but for {} of the turns, which other clients took",
            about(share)
        ),
        BackgroundEvidence::TurnsInStep { requests, instances } => format!(
            "{requests} requests went round {instances} instances, of which another client takes turns in a rhythm of its own: \
             the distance from one instance to the next on the ring is more regular than chance makes it"
        ),
        BackgroundEvidence::EvenButNotInTurn { requests, instances } => format!(
            "{requests} requests were spread over {instances} instances more evenly than chance does it, but not strictly \
             in turn: other clients take turns as well, there are several counters, or instances come and go"
        ),
        BackgroundEvidence::NearWeightsLookTheSame { spread } => {
            format!("weights of which the largest is less than {spread} times the smallest might look the same")
        }
    }
}

fn change(fact: &ChangeEvidence) -> String {
    match fact {
        ChangeEvidence::SharesChanged { requests } => format!(
            "somewhere among the {requests} requests the instances' shares changed, as when instances come or leave, or \
             some become slower than others"
        ),
        ChangeEvidence::Failures { nameless, instances, places: 0 } => format!(
            "{nameless} requests that none of the {instances} instances answered are counted as turns of their own: they \
             come where the turns of instances that fail would"
        ),
        ChangeEvidence::Failures { nameless, instances, places: 1 } => format!(
            "{nameless} requests that none of the {instances} instances answered have a place of their own in each round, \
             as an instance would that fails or does not say its name"
        ),
        ChangeEvidence::Failures { nameless, instances, places } => format!(
            "{nameless} requests that none of the {instances} instances answered have {places} places of their own in each \
             round, as instances would that fail or do not say their names"
        ),
        ChangeEvidence::Stretches(stretches) => {
            let [first, others @ ..] = stretches.as_slice() else { return String::new() };
            let next = |stretch: &Stretch| format!("the next {} round {}", stretch.requests, stretch.instances);
            format!(
                "the first {} requests went round {} instances, {}: in each round every one of them answered once",
                first.requests,
                first.instances,
                others.iter().map(next).collect::<Vec<_>>().join(", ")
            )
        }
        ChangeEvidence::Reasons => "that is so when instances join or leave, are avoided while they are busy, have a \
                                    smaller weight, or answer another client who asks in step"
            .to_owned(),
    }
}

fn chance(fact: &ChanceEvidence) -> String {
    match *fact {
        ChanceEvidence::Regular { p } => {
            format!("with instances picked at random, the chance of that would be {}", odds_in_words(p))
        }
        ChanceEvidence::Shares { p } => {
            format!("picked at random with such shares, the chance of that would be {}", odds_in_words(p))
        }
        ChanceEvidence::Order { p } => {
            format!("with instances picked at random, the chance of an order like that would be {}", odds_in_words(p))
        }
    }
}

fn draws(fact: &DrawsEvidence) -> String {
    match *fact {
        DrawsEvidence::RandomOrRegular { requests, instances, decided_after } => {
            let more = match decided_after {
                Some(needed) => format!("if it goes on like this, about {} can (-n)", about_count(needed)),
                None => "if it goes on like this, more cannot either".to_owned(),
            };
            format!(
                "{requests} requests to {instances} instances can tell neither a disturbed order nor picks at random for \
                 sure; {more}"
            )
        }
        DrawsEvidence::NothingButChance { requests, instances } => {
            format!("the order of {requests} requests to {instances} instances shows nothing but chance")
        }
        DrawsEvidence::Shares(evenness) => match evenness {
            Evenness::Uneven => "some instances get more than others, more than even chances explain",
            Evenness::PerhapsUneven => "some may get more than others: the counts speak for it, but not for sure",
            Evenness::Even => "the counts are such as even chances give",
        }
        .to_owned(),
        DrawsEvidence::NoRoundRobinByEveryTurn { p } => format!(
            "it is no round robin: every turn is known, and the chance that one would look like this is {}",
            odds_in_words(p)
        ),
        DrawsEvidence::RoundRobinOnlyWithMore { share, p, workers } => format!(
            "a round robin would look like this only if other clients took more than {:.0} % of its turns (with fewer the \
             chance is {}), if it had {workers} counters or more, or if something before it remembers the last answer",
            share * 100.0,
            odds_in_words(p)
        ),
    }
}

fn at_once(groups: &AtOnce) -> String {
    let AtOnce { size, groups: of, different, p, effect } = *groups;
    let seen = format!("{different} of {of} groups of {size} requests at once went to {size} different instances");
    let draws = format!("independent draws do that with a chance of {}", odds_in_words(p));
    match effect {
        AtOnceEffect::Different => format!("{seen}: {draws}, so instances are given turns, or the load is looked at"),
        AtOnceEffect::PerhapsDifferent => format!("{seen}: {draws}, so instances may be given turns"),
        AtOnceEffect::AsDrawn => format!("{seen}, as independent draws do"),
    }
}

fn series(fact: &SeriesEvidence) -> String {
    match fact {
        SeriesEvidence::NoRequest => "no request was sent".to_owned(),
        SeriesEvidence::NoInstance => "no answer says which instance sent it".to_owned(),
        SeriesEvidence::ConnectionsCounted { connections } => format!(
            "each of {connections} kept connections led to one instance alone, so connections are counted, not requests"
        ),
        SeriesEvidence::BackgroundTurns { turns, of } => format!(
            "other clients took {turns} of the {of} turns meanwhile; the lab's log says which, and they are counted in"
        ),
        SeriesEvidence::Failures { failed, sent } => format!("{failed} of {sent} requests failed"),
        SeriesEvidence::Nameless { by_status, answers } => {
            let count: usize = by_status.iter().map(|(_, count)| count).sum();
            let each: Vec<String> = by_status.iter().map(|(status, count)| format!("{count} with {status}")).collect();
            format!("{count} of {answers} answers name no instance ({}), so who gave them is open", each.join(", "))
        }
    }
}
