//! Reads an expectation, and lists all expectations where a text is none.

use std::str::FromStr;

use strum::VariantArray as _;

use crate::analysis::verdict::{Algorithm, BalancesPer, Order, Stickiness, StickyBy};

use super::{Expectation, Requirement, in_lowest_terms};

/// The expectations besides algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
enum Form {
    Order,
    Instances,
    Sticky,
    StickyCookie,
    StickyBy,
    Per,
    RepeatsAfter,
    Weights,
    Spread,
}

impl Form {
    fn name(self) -> &'static str {
        self.into()
    }

    /// The signs that may stand between the name and the value.
    fn relations(self) -> &'static [&'static str] {
        match self {
            Form::Instances => &["=", ">="],
            Form::Spread => &["<="],
            Form::Order
            | Form::Sticky
            | Form::StickyCookie
            | Form::StickyBy
            | Form::Per
            | Form::RepeatsAfter
            | Form::Weights => &["="],
        }
    }

    /// The values, separated by `|`, or an example of one.
    fn values(self) -> String {
        match self {
            Form::Order => names_of(Order::VARIANTS),
            Form::Sticky => names_of(&without(Stickiness::VARIANTS, Stickiness::Undetermined)),
            Form::StickyBy => names_of(StickyBy::VARIANTS),
            Form::Per => names_of(&without(BalancesPer::VARIANTS, BalancesPer::Undetermined)),
            Form::Instances | Form::RepeatsAfter => "N".to_owned(),
            Form::StickyCookie => "NAME".to_owned(),
            Form::Weights => "3:1:1".to_owned(),
            Form::Spread => "10%".to_owned(),
        }
    }

    /// The texts of the expectation, one for each relation.
    fn written(self) -> Vec<String> {
        let (name, values) = (self.name(), self.values());
        self.relations().iter().map(|relation| format!("{name}{relation}{values}")).collect()
    }
}

fn names_of<T: Copy + Into<&'static str>>(variants: &[T]) -> String {
    variants.iter().map(|variant| (*variant).into()).collect::<Vec<&str>>().join("|")
}

fn without<T: Copy + PartialEq>(variants: &[T], out: T) -> Vec<T> {
    variants.iter().copied().filter(|variant| *variant != out).collect()
}

/// The reason why a text is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ExpectError {
    reason: String,
    hint: String,
}

impl ExpectError {
    /// The way to write the expectation, or a list of all expectations.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// A text that is read as an expectation.
struct Reader<'t> {
    text: &'t str,
    form: Form,
    value: &'t str,
}

impl Expectation {
    /// Reads an expectation.
    ///
    /// # Errors
    /// When there is no such expectation, or its value is none.
    pub fn parse(text: &str) -> Result<Expectation, ExpectError> {
        let at = text.find(['=', '<', '>']).unwrap_or(text.len());
        let (key, rest) = text.split_at(at);
        let value = rest.trim_start_matches(['=', '<', '>']);
        let relation = &rest[..rest.len() - value.len()];
        let requirement =
            if let Some(algorithm) = Algorithm::all().find(|one| one.as_str() == key && relation.is_empty()) {
                Requirement::Algorithm(algorithm)
            } else if let Ok(form) = key.parse() {
                Reader { text, form, value }.read(relation)?
            } else {
                return Err(error(text, "there is no such expectation", everything(key)));
            };
        Ok(Expectation { text: text.to_owned(), requirement })
    }
}

impl Reader<'_> {
    fn read(&self, relation: &str) -> Result<Requirement, ExpectError> {
        let relations = self.form.relations();
        if !relations.contains(&relation) {
            return Err(self.wrong(&format!("`{}` goes with {}", self.form.name(), relations.join(" or "))));
        }
        Ok(match self.form {
            Form::Order => Requirement::Order(self.variant()?),
            Form::Instances if relation == "=" => Requirement::Instances(self.number()?),
            Form::Instances => Requirement::InstancesAtLeast(self.number()?),
            Form::Sticky => Requirement::Sticky(self.variant()?),
            Form::StickyCookie if self.value.is_empty() => return Err(self.wrong("a name is missing")),
            Form::StickyCookie => Requirement::StickyCookie(self.value.to_owned()),
            Form::StickyBy => Requirement::StickyBy(self.variant()?),
            Form::Per => Requirement::Per(self.variant()?),
            Form::RepeatsAfter => Requirement::RepeatsAfter(self.number()?),
            Form::Weights => Requirement::Weights(
                weights(self.value)
                    .ok_or_else(|| self.wrong("weights are two numbers from 1 on, or more, with colons"))?,
            ),
            Form::Spread => {
                Requirement::Spread(share(self.value).ok_or_else(|| self.wrong("a spread is given in per cent"))?)
            }
        })
    }

    /// An error with the right form of the expectation as its hint.
    fn wrong(&self, reason: &str) -> ExpectError {
        let form = self.form.written().join(" or ");
        let quoted = if form.contains(['<', '>']) { format!("{form}, in quotes for the shell") } else { form };
        error(self.text, reason, quoted)
    }

    fn number(&self) -> Result<usize, ExpectError> {
        match self.value.parse() {
            Ok(0) | Err(_) => Err(self.wrong(&format!("`{}` is no number from 1 on", self.value.escape_debug()))),
            Ok(number) => Ok(number),
        }
    }

    /// One of the values that are listed; `undetermined` is none of them.
    fn variant<T: FromStr>(&self) -> Result<T, ExpectError> {
        let (name, values) = (self.form.name(), self.form.values());
        let listed = values.split('|').any(|one| one == self.value);
        if let (true, Ok(variant)) = (listed, self.value.parse()) {
            return Ok(variant);
        }
        let near = nearest(self.value, values.split('|'))
            .map_or(String::new(), |near| format!("did you mean `{name}={near}`? it is written "));
        let reason = format!("`{}` is none of its values", self.value.escape_debug());
        Err(error(self.text, &reason, format!("{near}{}", self.form.written().join(" or "))))
    }
}

fn error(text: &str, reason: &str, hint: String) -> ExpectError {
    ExpectError { reason: format!("--expect `{}`: {reason}", text.escape_debug()), hint }
}

fn weights(text: &str) -> Option<Vec<u32>> {
    let weights: Option<Vec<u32>> = text.split(':').map(|one| one.parse().ok().filter(|weight| *weight > 0)).collect();
    weights.filter(|weights| weights.len() > 1).map(in_lowest_terms)
}

fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (percent.is_finite() && percent >= 0.0).then_some(percent / 100.0)
}

/// A list of all expectations, and before it the one that was probably meant.
fn everything(meant: &str) -> String {
    let names = || Algorithm::all().map(Algorithm::as_str);
    let near = nearest(meant, names().chain(Form::VARIANTS.iter().map(|form| form.name())));
    let forms = Form::VARIANTS.iter().flat_map(|form| form.written());
    let all = names().map(str::to_owned).chain(forms).collect::<Vec<_>>().join(", ");
    near.map_or(String::new(), |near| format!("did you mean `{near}`? ")) + "there are " + &all
}

/// The word that is most similar to the text, where one is similar.
fn nearest<'a>(written: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    words
        .map(|word| (strsim::jaro_winkler(written, word), word))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}
