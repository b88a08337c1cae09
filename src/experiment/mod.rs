//! The experiments of a probe: the requests of each, their order, and the rule that ends each.
//!
//! ```text
//! campaign         the experiments that a probe makes, their order, and the reason for each
//!   order            the order of requests without cookies
//!   at_once          groups of requests at once, where the order stays open
//!   jar              one client that keeps its cookies
//!   one_connection   requests over one connection
//!   comparison       requests with and without a cookie or the one connection, in an order drawn by lot
//!   cookies          values of the cookie that keeps a client
//!   keys             values of a key that a hash may be taken of: addresses, paths, a header, a cookie
//!   load             busy instances
//! login            a login and reloads, as `session-test` sends them
//! plan             the wishes of the user, and the facts about the lab
//! procedure        makes an experiment, step by step, until it has nothing more to send
//! sender           sends requests and records them; a test has one without a network
//! background       the requests of other clients, as far as a lab's log shows them
//! progress         the progress of an experiment, as a reader sees it
//! error            the reasons why a campaign ends early
//! ```
//!
//! An experiment decides on its next step from the case so far: a series of requests, or the end. So all requests
//! depend on the trace and on random numbers alone. The analysis knows how sure a verdict can be with the requests so
//! far: the experiments ask it, and themselves hold only the most requests that they may spend.

mod at_once;
mod background;
mod campaign;
mod comparison;
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
