//! The control API of a lab, served in the background for as long as the lab runs.

use std::{sync::Arc, time::Duration};

use tokio::{net::UnixListener, sync::oneshot, task::JoinHandle};

use super::{Supervisor, serve_control};

/// The time for unfinished answers after the stop.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(200);

/// A control API that is being served.
#[derive(Debug)]
pub struct ControlServer {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl ControlServer {
    /// Serves the control API of a lab.
    pub fn start(lab: &Arc<Supervisor>, socket: UnixListener) -> ControlServer {
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve_control(lab.clone(), socket, async { _ = stopped.await }));
        ControlServer { stop, served }
    }

    /// Ends the control API. Commands that follow the log still read its end.
    pub async fn stop(self) {
        drop(self.stop);
        _ = tokio::time::timeout(CLOSE_TIMEOUT, self.served).await;
    }
}
