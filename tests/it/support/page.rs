//! The lab's page, as a browser shows it.

use serde::Deserialize;

use super::browser::{Browser, eventually};

/// What the page shows, read in one go, so that no reload comes in between.
#[derive(Debug, Clone, Deserialize)]
pub struct Shown {
    /// Differs from one load of the page to the next.
    pub load: f64,
    pub hostname: String,
    pub session: String,
    /// The state that the page is painted by, and what it says.
    pub state: String,
    pub status: String,
    /// Elements inside the status.
    pub markup: usize,
    pub user: String,
    pub visits: u64,
    pub auto_reload: bool,
    pub auto_reload_state: String,
    /// Hostnames seen, the newest last.
    pub history: Vec<String>,
    /// How often each was.
    pub counts: Vec<(String, usize)>,
    /// Answers of web_dynamic, the newest first: who, and which of its answers it was.
    pub answers: Vec<(String, String)>,
}

const SHOWN: &str = "
    if (document.readyState !== 'complete') {
      return null;
    }
    const byId = (id) => document.getElementById(id);
    const items = (id) => [...byId(id).children];
    return {
      load: performance.timeOrigin,
      hostname: byId('hostname').innerText,
      session: byId('session').dataset.sessionId,
      state: byId('session').dataset.state,
      status: byId('logged-in').innerText,
      markup: byId('logged-in').childElementCount,
      user: byId('user').value,
      visits: Number(byId('visits').innerText),
      auto_reload: byId('auto-reload').checked,
      auto_reload_state: byId('auto-reload-state').innerText,
      history: items('history').map((item) => item.innerText),
      counts: items('counts').map((item) => [item.firstChild.innerText, Number(item.lastChild.innerText)]),
      answers: items('dynamic-list').map((item) => [...item.children].map((part) => part.innerText)),
    };";

impl Shown {
    pub fn logged_in_as(&self, user: &str) -> bool {
        match self.state.as_str() {
            "logged-in" => {
                assert_eq!(self.status, format!("logged in as {user}"));
                true
            }
            _ => {
                assert_eq!((self.state.as_str(), self.status.as_str()), ("logged-out", "not logged in"));
                false
            }
        }
    }
}

impl Browser {
    /// What the page shows; `None` while it is loaded.
    pub async fn look(&self) -> Option<Shown> {
        let shown = self.client.execute(SHOWN, Vec::new()).await.ok()?;
        serde_json::from_value(shown).ok()
    }

    pub async fn shown(&self) -> Shown {
        eventually("the page", || self.look()).await
    }

    pub async fn shown_when(&self, what: &str, holds: impl Fn(&Shown) -> bool) -> Shown {
        eventually(what, async || self.look().await.filter(&holds)).await
    }

    /// Clicks the switch until it is there: the page may reload just before the click.
    pub async fn switch_auto_reload(&self, on: bool) {
        eventually("the switch", async || {
            if self.look().await?.auto_reload == on {
                return Some(());
            }
            _ = self.click("auto-reload").await;
            None
        })
        .await;
    }

    /// The page that comes after the one that is shown now, once `act` has made the browser go on.
    pub async fn next(&self, act: impl AsyncFnOnce(&Browser)) -> Shown {
        let before = self.shown().await.load;
        act(self).await;
        self.shown_when("the next page", |shown| shown.load != before).await
    }

    pub async fn reload(&self) -> Shown {
        self.next(async |browser| browser.client.refresh().await.unwrap()).await
    }

    pub async fn reload_five_times(&self) -> Vec<Shown> {
        let mut loads = Vec::new();
        for _ in 0..5 {
            loads.push(self.reload().await);
        }
        loads
    }

    pub async fn press(&self, button: &str) -> Shown {
        self.next(async |browser| browser.click(button).await.unwrap()).await
    }
}
