//! The HTTP client that asks whether a lab is ready.

use std::time::Duration;

/// The `User-Agent` of these requests, by which they are left out of the lab's log.
pub const USER_AGENT: &str = concat!("lbctl/", env!("CARGO_PKG_VERSION"), " up");
/// The longest time for a connection or an answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before the next question.
pub const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// Makes a client that opens a connection for every request.
///
/// # Errors
/// When the TLS library cannot be used.
pub fn one_request_client() -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT);
    client.pool_max_idle_per_host(0).user_agent(USER_AGENT).redirect(reqwest::redirect::Policy::none()).build()
}
