//! Forward filters (Rabiner 1989): how likely hidden states, such as the joint positions of workers, make the picks.

use crate::analysis::series::picks::Picks;

/// The log-probability of the picks; `None` where they are impossible. `state` holds the probability of each state at the
/// start. `turn` gets these probabilities before a turn and the instance that it picked, if that is known, and returns
/// the probabilities of the pick and each state after the turn. A gap may have been a turn.
pub fn ln_filtered(
    picks: &Picks,
    mut state: Vec<f64>,
    turn: impl Fn(&[f64], Option<usize>) -> Vec<f64>,
) -> Option<f64> {
    let mut ln = 0.0;
    for (index, segment) in picks.segments.iter().enumerate() {
        if index > 0 {
            let turned = turn(&state, None);
            state.iter_mut().zip(turned).for_each(|(stayed, turned)| *stayed = 0.5 * (*stayed + turned));
        }
        for &pick in segment {
            state = turn(&state, Some(pick));
            let total: f64 = state.iter().sum();
            if total <= 0.0 {
                return None;
            }
            ln += total.ln();
            state.iter_mut().for_each(|p| *p /= total);
        }
    }
    Some(ln)
}
