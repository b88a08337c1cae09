//! Evidence in words: one sentence for each fact, the same in tables and in JSON.

use crate::{analysis::Evidence, model::trace::Trace};

/// One sentence for each fact, in which the instances have their names.
pub fn sentences(trace: &Trace, evidence: &[Evidence]) -> Vec<String> {
    let named = |evidence: &Evidence| {
        let Evidence::Sentence(sentence) = evidence;
        match sentence.strip_prefix(crate::analysis::BEGIN).and_then(|rest| rest.split_once(crate::analysis::END)) {
            Some((number, rest)) => {
                let instance = number.parse().ok().and_then(|number: usize| trace.instances.get(number));
                format!("{}{rest}", instance.map_or("", |instance| &instance.name))
            }
            None => sentence.clone(),
        }
    };
    evidence.iter().map(named).collect()
}
