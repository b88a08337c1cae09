//! `lbctl probe --addresses each`: a probe of each address of the target's name, and the comparison of their verdicts.

use std::net::SocketAddr;

use crate::{
    analysis::{self, Comparison, Expectation, Outcome, Verdict},
    cli::Probe,
    commands::console::{self, Signals},
    error::{Error, Exit, UsageError},
    experiment::CampaignError,
    model::trace::Trace,
    report::{AddressProbe, AddressesReport},
};

use super::{
    judgement::Judgement,
    send::{self, Extent, Observation},
};

/// The result of the probe of one address.
struct AddressResult {
    address: SocketAddr,
    judged: Result<Judgement, CampaignError>,
}

/// Probes each address in turn, and prints all verdicts with their comparison.
pub async fn run(args: &Probe, expectations: &[Expectation], signals: &mut Signals) -> Result<Exit, Error> {
    let find_targets = async {
        let resolved = send::resolve(args).await?;
        let targets = resolved.split_by_address(args.target.timeout).await?;
        Ok::<_, Error>((resolved.url, targets))
    };
    let Some((url, targets)) = signals.unless(find_targets).await.transpose()? else { return Ok(Exit::Interrupted) };
    if targets.is_empty() {
        return Err(UsageError::NothingResolved(url.to_string()).into());
    }
    let (mut results, mut extent) = (Vec::new(), Extent::All);
    for (address, target) in targets {
        console::say(&format!("asking {address}"));
        let judged = match send::probe_target(args, target, signals).await {
            Ok(Some(Observation { trace, extent: reached })) => {
                extent = reached;
                Ok(Judgement::new(args, expectations, trace))
            }
            Ok(None) => return Ok(Exit::Interrupted),
            Err(Error::Campaign(error @ CampaignError::Unreachable(_))) => Err(error),
            Err(error) => return Err(error),
        };
        results.push(AddressResult { address, judged });
        if extent == Extent::UntilInterrupted {
            break;
        }
    }
    console::print_verdict(&report(url.as_str(), &results), args.output.format)?;
    if extent == Extent::UntilInterrupted {
        console::say("note: stopped before the end; this is what was seen until then");
        return Ok(Exit::Interrupted);
    }
    combined_exit(results)
}

fn report<'t>(url: &'t str, results: &'t [AddressResult]) -> AddressesReport<'t> {
    let answered = results.iter().filter_map(|result| result.judged.as_ref().ok());
    let judged: Vec<(&Trace, &Verdict)> = answered.map(|judged| (&judged.trace, &judged.verdict)).collect();
    let probe = |result: &'t AddressResult| AddressProbe {
        address: result.address,
        probe: result.judged.as_ref().map(Judgement::report).map_err(CampaignError::to_string),
    };
    AddressesReport {
        url,
        addresses: results.iter().map(probe).collect(),
        comparison: (judged.len() > 1).then(|| analysis::compare_addresses(&judged)),
        outcome: outcome(results),
    }
}

/// The outcome of all expectations on all addresses; an address that does not answer decides nothing.
fn outcome(results: &[AddressResult]) -> Outcome {
    let answered = results.iter().filter_map(|result| result.judged.as_ref().ok());
    let all: Vec<Comparison> = answered.clone().flat_map(|judged| judged.comparisons.iter().cloned()).collect();
    match analysis::combined_outcome(&all) {
        Outcome::Met if answered.count() < results.len() => Outcome::Undetermined,
        outcome => outcome,
    }
}

/// The end of the command: what any address contradicts counts first, then what keeps an address from an answer.
fn combined_exit(results: Vec<AddressResult>) -> Result<Exit, Error> {
    if outcome(&results) == Outcome::Contradicted {
        return Ok(Exit::NotMet);
    }
    let mut last = Exit::Done;
    for AddressResult { judged, .. } in results {
        match judged?.exit()? {
            Exit::Done => {}
            other => last = other,
        }
    }
    Ok(last)
}
