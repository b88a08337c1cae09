//! The strip: a long series, with a sign for each request, in groups that make rounds visible.

use std::collections::BTreeSet;

use crate::{
    analysis::{Order, RoundShares, Verdict, natural_order_key},
    model::trace::{Action, InstanceId, Request, Series, SeriesName, Trace},
    report::{
        style::{self, Paint},
        text::{self, LINE_WIDTH, columns, count, printable, wrapped},
    },
};

use super::{
    names::{in_width, label},
    table::MAX_ROWS,
};

/// The lines at the beginning of a long strip that are shown.
const FIRST_LINES: usize = 8;
/// The lines at the end of a long strip that are shown.
const LAST_LINES: usize = 2;
/// The maximum number of lines of a legend of numbers.
const MAX_LEGEND_LINES: usize = 5;
/// Up to this number of instances, the legend explains letters one by one; beyond, a range of letters stands for a range of
/// names where the names are numbered without a gap.
const MAX_EXPLAINED_LETTERS: usize = 12;
/// The number of requests on a line, unless a round is longer.
const REQUESTS_A_LINE: usize = 50;
/// The number of requests that decide where the rounds begin.
const SAMPLE: usize = 400;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The series without and with a cookie jar as strips, with a legend. Empty where the table shows both series whole.
pub fn render_long_series(trace: &Trace, verdict: &Verdict, paint: Paint) -> String {
    let both = [("without jar", SeriesName::WithoutJar), ("with jar", SeriesName::WithJar)];
    let series: Vec<(&str, &Series)> =
        both.iter().filter_map(|(words, name)| Some((*words, trace.series(name)?))).collect();
    if series.iter().all(|(_, series)| series.requests.len() <= MAX_ROWS) {
        return String::new();
    }
    let signs = Signs::choose(trace, series.iter().map(|(_, series)| *series));
    let mut text = signs.legend(trace, paint) + "\n";
    for (words, series) in series.iter().filter(|(_, series)| !series.requests.is_empty()) {
        let groups = Groups::find(trace, verdict, series, &signs);
        text += &(wrapped(&format!("{words}: {}", about(series, &groups)), "", "  ") + "\n");
        text += &strip(trace, series, &signs, &groups, paint);
        text += "\n";
    }
    text
}

/// The signs that stand for instances.
enum Signs {
    /// Letters, in the order of the instances' names.
    Letters(Vec<InstanceId>),
    /// The numbers in the instances' names, which have the rest in common.
    OwnNumbers(Vec<InstanceId>),
    /// Numbers, in the order of the instances' names.
    Places(Vec<InstanceId>),
}

impl Signs {
    fn choose<'a>(trace: &Trace, series: impl Iterator<Item = &'a Series>) -> Signs {
        let seen: BTreeSet<InstanceId> =
            series.flat_map(|series| &series.requests).filter_map(|request| request.instance).collect();
        let mut ids: Vec<InstanceId> = seen.into_iter().collect();
        ids.sort_by_key(|id| natural_order_key(trace.instance_name(*id)));
        let numbered = |id: &InstanceId| trace.instance_name(*id).ends_with(|c: char| c.is_ascii_digit());
        let stem = |id: &InstanceId| natural_order_key(trace.instance_name(*id)).0;
        match ids.as_slice() {
            few if few.len() <= LETTERS.len() => Signs::Letters(ids),
            all if all.iter().all(|id| numbered(id) && stem(id) == stem(&all[0])) => Signs::OwnNumbers(ids),
            _ => Signs::Places(ids),
        }
    }

    fn ids(&self) -> &[InstanceId] {
        match self {
            Signs::Letters(ids) | Signs::OwnNumbers(ids) | Signs::Places(ids) => ids,
        }
    }

    /// The sign of the instance at this place.
    fn sign(&self, trace: &Trace, place: usize) -> String {
        match self {
            Signs::Letters(_) => LETTERS.chars().nth(place).unwrap_or('?').to_string(),
            Signs::OwnNumbers(ids) => natural_order_key(trace.instance_name(ids[place])).1.to_string(),
            Signs::Places(_) => (place + 1).to_string(),
        }
    }

    fn is_letters(&self) -> bool {
        matches!(self, Signs::Letters(_))
    }

    fn width(&self, trace: &Trace) -> usize {
        (0..self.ids().len()).map(|place| self.sign(trace, place).len()).max().unwrap_or(1)
    }

    fn legend(&self, trace: &Trace, paint: Paint) -> String {
        let entry = |place: usize| {
            let (id, sign) = (self.ids()[place], self.sign(trace, place));
            let label = match self {
                // another number would not explain one
                Signs::Places(_) => in_width(trace, trace.instance_name(id), 30),
                _ => printable(&label(trace, id)),
            };
            let width = sign.len() + 1 + text::width(&label);
            (width, style::sign(&format!("{sign} {label}"), trace.instance_name(id), paint))
        };
        let last = self.ids().len().saturating_sub(1);
        let ends = |from: usize, to: usize| {
            let name = |place: usize| in_width(trace, trace.instance_name(self.ids()[place]), 30);
            format!("{} to {}: {} to {}\n", self.sign(trace, from), self.sign(trace, to), name(from), name(to))
        };
        match self {
            Signs::OwnNumbers(_) => ends(0, last),
            Signs::Letters(ids) if ids.len() > MAX_EXPLAINED_LETTERS && are_consecutive(trace, ids) => {
                let capitals = last.min(25);
                ends(0, capitals) + &if last > capitals { ends(capitals + 1, last) } else { String::new() }
            }
            Signs::Letters(_) | Signs::Places(_) => {
                let entries: Vec<_> = (0..=last).take(self.ids().len()).map(entry).collect();
                let lines: Vec<String> = columns(&entries, "").lines().map(str::to_owned).collect();
                // every letter is explained, numbers need not be
                let most = if self.is_letters() { lines.len() } else { MAX_LEGEND_LINES };
                let more = if lines.len() > most { "…\n" } else { "" };
                let shown: Vec<String> = lines.into_iter().take(most).map(|line| line + "\n").collect();
                shown.concat() + more
            }
        }
    }
}

/// Returns true if the names are numbered without a gap: web-1, web-2, web-3.
fn are_consecutive(trace: &Trace, ids: &[InstanceId]) -> bool {
    let key = |id: &InstanceId| natural_order_key(trace.instance_name(*id));
    ids.windows(2)
        .all(|pair| key(&pair[0]).0 == key(&pair[1]).0 && key(&pair[0]).1.checked_add(1) == Some(key(&pair[1]).1))
}

/// The groups of a strip.
struct Groups {
    /// The number of requests in a group.
    length: usize,
    /// The number of requests in the first group, which may be incomplete.
    first: usize,
    kind: GroupKind,
}

enum GroupKind {
    Rounds,
    Repetitions,
    Nothing,
}

impl Groups {
    fn find(trace: &Trace, verdict: &Verdict, series: &Series, signs: &Signs) -> Groups {
        let longest = if signs.is_letters() { 70 } else { 15 };
        let picks: Vec<Option<InstanceId>> =
            series.requests.iter().take(SAMPLE).map(|request| request.instance).collect();
        let fits = |length: usize| (2..=longest).contains(&length) && picks.len() >= length;
        let k = verdict.instances.len();
        let (length, begins, kind) = match (verdict.order, verdict.repeats_after) {
            (Some(Order::Fixed), _) if fits(verdict.cycle.len()) => {
                let ring = &verdict.cycle;
                let follows = |at: usize| {
                    let on_it = |(n, pick): &(usize, &Option<InstanceId>)| {
                        pick.is_none_or(|id| trace.instance_name(id) == ring[(at + n) % ring.len()])
                    };
                    picks.iter().enumerate().filter(on_it).count()
                };
                (
                    ring.len(),
                    best_start(ring.len(), follows).filter(|at| mostly(follows(*at), picks.len())),
                    GroupKind::Rounds,
                )
            }
            (Some(Order::Changing), _) if verdict.algorithm.round_shares() == Some(RoundShares::Equal) && fits(k) => {
                let whole = |at: usize| {
                    let rounds = picks[(k - at) % k..].chunks_exact(k);
                    k * rounds.filter(|round| round.iter().collect::<BTreeSet<_>>().len() == k).count()
                };
                (
                    k,
                    best_start(k, whole).filter(|at| mostly(whole(*at), picks.len().saturating_sub(k))),
                    GroupKind::Rounds,
                )
            }
            (_, Some(period)) if fits(period) => {
                let again = picks.iter().skip(period).zip(&picks).filter(|(one, other)| one == other).count();
                (period, mostly(again, picks.len() - period).then_some(0), GroupKind::Repetitions)
            }
            _ => (0, None, GroupKind::Nothing),
        };
        match begins {
            Some(at) => Groups { length, first: length - at, kind },
            None => {
                let length = if signs.is_letters() { 10 } else { 5 };
                Groups { length, first: length, kind: GroupKind::Nothing }
            }
        }
    }
}

/// The place within a round at which the series begins: the place for which the most requests fit.
fn best_start(length: usize, fitting: impl Fn(usize) -> usize) -> Option<usize> {
    (0..length).rev().max_by_key(|&at| fitting(at))
}

fn mostly(some: usize, of: usize) -> bool {
    some > 0 && 10 * some >= 9 * of
}

/// The line above a strip: the number of its requests, and the meaning of its groups.
fn about(series: &Series, groups: &Groups) -> String {
    let requests = &series.requests;
    let mut words = vec![count(requests.len() as u64, "request")];
    words.push(match groups.kind {
        GroupKind::Rounds => format!("in rounds of {}", groups.length),
        GroupKind::Repetitions => format!("in groups of {}, after which the order repeats", groups.length),
        GroupKind::Nothing => format!("in groups of {}", groups.length),
    });
    let failed = requests.iter().filter(|request| request.error.is_some()).count();
    let nameless = requests.iter().filter(|request| request.error.is_none() && request.instance.is_none()).count();
    let others =
        requests.iter().filter(|one| one.instance.is_some() && one.status.is_some_and(|status| status.get() != 200));
    for (some, what) in
        [(failed, "failed (!)"), (nameless, "without a name (?)"), (others.count(), "with another status than 200")]
    {
        words.extend((some > 0).then(|| format!("{some} {what}")));
    }
    let reloads = requests.iter().filter(|request| request.action == Action::Get);
    let logins_seen: Vec<bool> = reloads.filter_map(|request| request.logged_in).collect();
    if !logins_seen.is_empty() {
        words.push(format!(
            "{} of {} reloads saw the login",
            logins_seen.iter().filter(|seen| **seen).count(),
            logins_seen.len()
        ));
    }
    words.join(", ")
}

fn strip(trace: &Trace, series: &Series, signs: &Signs, groups: &Groups, paint: Paint) -> String {
    let width = signs.width(trace);
    let between = usize::from(!signs.is_letters());
    let place: Vec<Option<usize>> = {
        let mut place = vec![None; trace.instances.len()];
        signs.ids().iter().enumerate().for_each(|(at, id)| place[usize::from(id.0)] = Some(at));
        place
    };
    let cell = |request: &Request| match (request.instance, &request.error) {
        (Some(id), None) => {
            let sign = place[usize::from(id.0)].map_or("?".to_owned(), |place| signs.sign(trace, place));
            style::sign(&format!("{sign:>width$}"), trace.instance_name(id), paint)
        }
        (_, Some(_)) => format!("{:>width$}", "!"),
        (None, None) => format!("{:>width$}", "?"),
    };
    let total = series.requests.len();
    let number = total.to_string().len().max(4);
    let group = groups.length * width + (groups.length - 1) * between;
    let gap = 1 + between;
    let fitting = (LINE_WIDTH - number - 2 + gap) / (group + gap);
    let groups_a_line = fitting.min(REQUESTS_A_LINE / groups.length).max(1);

    // where each line begins: the first may have an incomplete round in front
    let missing = groups.length - groups.first;
    let a_line = groups_a_line * groups.length;
    let lines: Vec<(usize, usize)> = (0..(total + missing).div_ceil(a_line))
        .map(|line| ((line * a_line).saturating_sub(missing), ((line + 1) * a_line - missing).min(total)))
        .collect();
    let line = |(from, to): (usize, usize)| {
        let mut text = format!("{:>number$}  ", from + 1);
        if from == 0 {
            text += &" ".repeat(missing * (width + between));
        }
        for n in from..to {
            if n > from {
                let apart = if (n + missing).is_multiple_of(groups.length) { gap } else { between };
                text += &" ".repeat(apart);
            }
            text += &cell(&series.requests[n]);
        }
        text + "\n"
    };
    if lines.len() <= FIRST_LINES + LAST_LINES + 1 {
        return lines.into_iter().map(line).collect();
    }
    let (first, rest) = lines.split_at(FIRST_LINES);
    let (left_out, last) = rest.split_at(rest.len() - LAST_LINES);
    let more: usize = left_out.iter().map(|(from, to)| to - from).sum();
    let shown = |lines: &[(usize, usize)]| lines.iter().copied().map(line).collect::<String>();
    format!("{}{:>number$}  … {more} more …\n{}", shown(first), "…", shown(last))
}
