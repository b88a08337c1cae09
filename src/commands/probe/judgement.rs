//! The judgement of one trace: its verdict, the comparison with the expectations, and the end of the command.

use crate::{
    analysis::{self, Case, Comparison, Expectation, Outcome, Strictness, Verdict},
    cli::Probe,
    error::{Error, Exit},
    model::trace::Trace,
    report::{Detail, ProbeReport},
};

/// A trace with its verdict, and the comparison of the verdict with each expectation.
pub struct Judgement {
    pub trace: Trace,
    pub verdict: Verdict,
    pub comparisons: Vec<Comparison>,
    detail: Detail,
}

impl Judgement {
    /// Judges a trace as the flags say.
    pub fn new(args: &Probe, expectations: &[Expectation], trace: Trace) -> Judgement {
        let verdict = analysis::judge(&Case::new(&trace, args.alpha));
        let strictness = if args.strict { Strictness::OnlyCandidate } else { Strictness::Pattern };
        let check = |expectation: &Expectation| expectation.check(&verdict, strictness, args.alpha);
        let comparisons = expectations.iter().map(check).collect();
        let detail = if args.verbose { Detail::Figures } else { Detail::Sentences };
        Judgement { trace, verdict, comparisons, detail }
    }

    /// The judgement as a report.
    pub fn report(&self) -> ProbeReport<'_> {
        let Judgement { trace, verdict, comparisons, detail } = self;
        ProbeReport { trace, verdict, comparisons, detail: *detail }
    }

    /// The end of the command by the expectations.
    ///
    /// # Errors
    /// When no instance was recognised.
    pub fn exit(&self) -> Result<Exit, Error> {
        if self.trace.instances.is_empty() {
            let (url, reason) = (self.trace.target.url.clone(), self.trace.unidentified.clone());
            return Err(Error::Unidentified { url, reason });
        }
        Ok(match analysis::combined_outcome(&self.comparisons) {
            Outcome::Met => Exit::Done,
            Outcome::Contradicted => Exit::NotMet,
            Outcome::Undetermined if self.comparisons.is_empty() => Exit::Done,
            Outcome::Undetermined => Exit::Inconclusive,
        })
    }
}
