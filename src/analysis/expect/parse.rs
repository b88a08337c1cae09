//! Reading an expectation, and saying what there is where it is none.

use super::{Algorithm, Expectation, Wanted, in_lowest_terms};

/// The algorithms that may be expected.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Single,
    Algorithm::RoundRobin,
    Algorithm::WeightedRoundRobin,
    Algorithm::Random,
    Algorithm::LeastConnections,
    Algorithm::FirstAvailable,
    Algorithm::SourceHash,
    Algorithm::UriHash,
    Algorithm::HeaderHash,
];

/// What else may be expected: its name, its relations, and its values in words.
const FORMS: [(&str, &[&str], &str); 9] = [
    ("order", &["="], "fixed|changing|interleaved"),
    ("instances", &["=", ">="], "N"),
    ("sticky", &["="], "cookie|none|source"),
    ("sticky-cookie", &["="], "NAME"),
    ("sticky-by", &["="], "inserted|hash|learned"),
    ("per", &["="], "request|connection"),
    ("repeats-after", &["="], "N"),
    ("weights", &["="], "3:1:1"),
    ("spread", &["<="], "10%"),
];

/// What is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ExpectError {
    reason: String,
    hint: String,
}

impl ExpectError {
    /// What there is instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Expectation {
    /// Reads an expectation.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Expectation, ExpectError> {
        let shown = text.escape_debug();
        let failed =
            |reason: String, hint: String| ExpectError { reason: format!("--expect `{shown}`: {reason}"), hint };
        let read = |wanted| Ok(Expectation { text: text.to_owned(), wanted });
        let at = text.find(['=', '<', '>']).unwrap_or(text.len());
        let (key, rest) = text.split_at(at);
        let value = rest.trim_start_matches(['=', '<', '>']);
        let relation = &rest[..rest.len() - value.len()];
        if let (Some(algorithm), "") = (ALGORITHMS.into_iter().find(|algorithm| algorithm.as_str() == key), relation) {
            return read(Wanted::Algorithm(algorithm));
        }
        let Some((name, relations, values)) = FORMS.into_iter().find(|(name, ..)| *name == key) else {
            return Err(failed("there is no such expectation".to_owned(), everything(key)));
        };
        let form =
            relations.iter().map(|relation| format!("{name}{relation}{values}")).collect::<Vec<_>>().join(" or ");
        let quoted = match form.contains(['<', '>']) {
            true => format!("{form}, in quotes for the shell"),
            false => form.clone(),
        };
        let wrong = |reason: &str| failed(reason.to_owned(), quoted.clone());
        if !relations.contains(&relation) {
            return Err(wrong(&format!("`{name}` goes with {}", relations.join(" or "))));
        }
        let number = || match value.parse() {
            Ok(0) | Err(_) => Err(wrong(&format!("`{}` is no number from 1 on", value.escape_debug()))),
            Ok(number) => Ok(number),
        };
        let one_of = || match values.split('|').any(|one| one == value) {
            true => Ok(value.to_owned()),
            false => {
                let near = nearest(value, values.split('|'))
                    .map_or(String::new(), |near| format!("did you mean `{name}={near}`? it is written "));
                Err(failed(format!("`{}` is none of its values", value.escape_debug()), format!("{near}{form}")))
            }
        };
        read(match (name, relation) {
            ("order", _) => Wanted::Order(one_of()?),
            ("instances", "=") => Wanted::Instances(number()?),
            ("instances", _) => Wanted::InstancesAtLeast(number()?),
            ("sticky", _) => Wanted::Sticky(one_of()?),
            ("sticky-cookie", _) if value.is_empty() => return Err(wrong("a name is missing")),
            ("sticky-cookie", _) => Wanted::StickyCookie(value.to_owned()),
            ("sticky-by", _) => Wanted::StickyBy(one_of()?),
            ("per", _) => Wanted::Per(one_of()?),
            ("repeats-after", _) => Wanted::RepeatsAfter(number()?),
            ("weights", _) => Wanted::Weights(
                weights(value).ok_or_else(|| wrong("weights are two numbers from 1 on, or more, with colons"))?,
            ),
            _ => Wanted::Spread(share(value).ok_or_else(|| wrong("a spread is given in per cent"))?),
        })
    }
}

fn weights(text: &str) -> Option<Vec<u32>> {
    let weights: Option<Vec<u32>> = text.split(':').map(|one| one.parse().ok().filter(|weight| *weight > 0)).collect();
    weights.filter(|weights| weights.len() > 1).map(in_lowest_terms)
}

fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (percent.is_finite() && percent >= 0.0).then_some(percent / 100.0)
}

/// All that may be expected, and what was probably meant.
fn everything(meant: &str) -> String {
    let names = || ALGORITHMS.iter().map(|algorithm| algorithm.as_str());
    let near = nearest(meant, names().chain(FORMS.iter().map(|(name, ..)| *name)));
    let forms = FORMS.iter().flat_map(|(name, relations, values)| {
        relations.iter().map(move |relation| format!("{name}{relation}{values}"))
    });
    let all = names().map(str::to_owned).chain(forms).collect::<Vec<_>>().join(", ");
    near.map_or(String::new(), |near| format!("did you mean `{near}`? ")) + "there are " + &all
}

/// The word that is most like what was written, where one is like it.
fn nearest<'a>(written: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    words
        .map(|word| (strsim::jaro_winkler(written, word), word))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}
