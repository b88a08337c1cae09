//! The experiments of a probe: which requests are sent, in which order, and when there are enough of them.
//!
//! ```text
//! campaign         which experiments a probe makes, in which order, and what calls for each
//!   order            the order of requests without cookies
//!   jar              one client that keeps its cookies
//!   cookies          each cookie alone; values of the one that keeps a client
//!   one_connection   requests over one kept connection
//!   keys             values of what a hash may be taken of: addresses, paths, a header, a cookie
//!   load             instances that are kept busy
//! login            a login and reloads, as `session-test` plays them
//! plan             what a person asked for, and what is known of the lab
//! procedure        how every experiment is made: what comes next, until there is nothing more to send
//! sender           what sends requests and records them; a test has one without a network
//! background       the requests of other clients, as far as a lab's log shows them
//! progress         what an experiment shows of itself while it is made
//! error            why a campaign ends early
//! ```
//!
//! An experiment is asked what to send next, given the case so far, and answers with a series of requests or that it has
//! seen enough. So whatever is sent depends on the trace and on random numbers alone. How sure a verdict can be with what
//! was sent is the analysis's business: the experiments ask it, and hold only how many requests they are ready to spend.

mod background;
mod campaign;
mod cookies;
mod error;
mod jar;
mod keys;
mod load;
mod login;
mod one_connection;
mod order;
mod plan;
mod procedure;
mod progress;
mod sender;

pub use background::{LogCorrelation, Numbering};
pub use campaign::run_campaign;
pub use error::CampaignError;
pub use login::{LoginPlan, expected_session, play_login, service_settings};
pub use plan::{CampaignPlan, ExperimentName, LabService};
pub use progress::{NoProgress, Progress};
pub use sender::Sender;
