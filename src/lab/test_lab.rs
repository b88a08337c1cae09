//! A lab of processes that is started for one test: the built-in page alone, on a free port.

use std::net::SocketAddr;

use crate::{composefile, model::LabView};

use super::{
    ChangeError, EmbeddedLab, EmbeddedPlan, LabRunner, ListenRequest, Overrides, PortChoice, StopMode, Supervisor, bind,
};

/// The name of the lab. No other process can find it.
const PROJECT: &str = "session-test";
/// The service that has the login.
const PAGE: &str = "web_static";
/// The service without a login, of which the test needs no replica.
const API: &str = "web_dynamic";

/// The stickiness of the lab's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStickiness {
    None,
    Cookie,
}

/// A running lab of this process.
#[derive(Debug)]
pub struct TestLab {
    supervisor: Supervisor,
    address: SocketAddr,
}

impl TestLab {
    /// Starts the lab, and calls `progress` for each step of the start.
    ///
    /// # Errors
    /// When a replica or the proxy does not start.
    pub async fn start(stickiness: PageStickiness, mut progress: impl FnMut()) -> Result<TestLab, ChangeError> {
        let sticky = match stickiness {
            PageStickiness::None => Vec::new(),
            PageStickiness::Cookie => vec![PAGE.to_owned()],
        };
        let overrides = Overrides { scale: [(API.to_owned(), 0)].into(), sticky, strategy: None };
        let plan = EmbeddedPlan::new(PROJECT, &composefile::load_built_in()?, &overrides)?;
        let bound = bind(ListenRequest { bind: None, port: PortChoice::Required(0) })?;
        let address = bound.address;
        let supervisor = Supervisor::new(LabRunner::Embedded(EmbeddedLab::new(plan, bound)?.into()));
        supervisor.start(|_| progress()).await?;
        Ok(TestLab { supervisor, address })
    }

    /// The name of the lab's project.
    pub fn project(&self) -> &str {
        PROJECT
    }

    /// The service that has the login.
    pub fn service(&self) -> &str {
        PAGE
    }

    /// The address at which the lab's proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn view(&self) -> LabView {
        self.supervisor.view()
    }

    /// Stops the lab; requests under way may finish.
    ///
    /// # Errors
    /// When a replica does not end.
    pub async fn stop(&self) -> Result<(), ChangeError> {
        self.supervisor.stop(StopMode::Graceful).await
    }
}
