//! Debian's Chromium, driven over WebDriver.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, error::CmdError, wd::WebDriverCompatibleCommand};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::{DEADLINE, peer};

/// The driver, its browsers and this shell are one process group. It ends when this test's end of the pipe does,
/// however the test ends. Only the driver keeps standard output, so that its end is seen there.
const GUARD: &str = r#""$0" --port=0 & exec >/dev/null; cat; kill -KILL 0"#;

/// How often a driver that takes its port on ::1 may find it taken on 127.0.0.1, and gives up.
const STARTS: usize = 10;

/// Polls until `look` finds something, as its namesake does.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A browser of its own for each test, with a fresh profile; it ends with its driver when it is dropped.
pub struct Browser {
    pub client: Client,
    _driver: Driver,
}

impl Browser {
    /// `None` where this machine has no browser, or no driver.
    pub async fn start() -> Option<Browser> {
        let (chromium, chromedriver) = (peer("chromium")?, peer("chromedriver")?);
        let driver =
            (0..STARTS).find_map(|_| Driver::start(chromedriver.as_os_str())).expect("the driver says its port");
        let hosts = "--host-resolver-rules=MAP demo.api.ch 127.0.0.1";
        let arguments = ["--headless", "--no-sandbox", "--no-proxy-server", "--window-size=1280,1000", hosts];
        let wishes = json!({
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
            "timeouts": { "pageLoad": DEADLINE.as_millis() as u64 },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let client = ClientBuilder::native()
            .capabilities(wishes.as_object().expect("an object").clone())
            .connect(&driver.url)
            .await
            .expect("a browser");
        Some(Browser { client, _driver: driver })
    }

    /// Clicks what has this id, as a mouse does.
    pub async fn click(&self, id: &str) -> Result<(), CmdError> {
        self.client.find(Locator::Id(id)).await?.click().await
    }

    /// The requests that its pages have made since this was asked for last, in the order they were sent.
    pub async fn requests(&self) -> Vec<(Method, Url)> {
        let events = self.log("performance").await.into_iter().map(|entry| {
            let message = entry["message"].as_str().expect("a message");
            serde_json::from_str::<Value>(message).expect("JSON")["message"].take()
        });
        events
            .filter(|event| event["method"] == "Network.requestWillBeSent")
            .map(|event| {
                let text = |field: &str| event["params"]["request"][field].as_str().expect("text").to_owned();
                (text("method").parse().expect("a method"), text("url").parse().expect("a URL"))
            })
            .collect()
    }

    /// What its console has shown since this was asked for last: a page's own messages, and the browser's complaints.
    pub async fn console(&self) -> Vec<Value> {
        self.log("browser").await
    }

    async fn log(&self, kind: &'static str) -> Vec<Value> {
        let log = self.client.issue_cmd(ReadLog(kind)).await.expect("a log");
        log.as_array().expect("entries").clone()
    }
}

/// ChromeDriver's own command for a log, which also empties it.
#[derive(Debug)]
struct ReadLog(&'static str);

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": self.0 }).to_string()))
    }
}

/// ChromeDriver on a port that it chose itself, and everything that it starts.
struct Driver {
    url: String,
    guard: Child,
    /// Held open, for the driver goes on to write.
    said: BufReader<ChildStdout>,
    /// Where the driver makes the browser's profile, and the browser writes whatever else it likes.
    home: Option<TempDir>,
}

impl Driver {
    /// `None` where it ended at once.
    fn start(chromedriver: &OsStr) -> Option<Driver> {
        let home = tempfile::Builder::new().prefix("lb-browser").tempdir().expect("a temporary directory");
        let mut guard = Command::new("sh")
            .args([OsStr::new("-c"), OsStr::new(GUARD), chromedriver])
            .envs(["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|variable| (variable, home.path())))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let said = BufReader::new(guard.stdout.take().expect("a pipe"));
        let mut driver = Driver { url: String::new(), guard, said, home: Some(home) };
        let mut lines = (&mut driver.said).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("successfully on port"))?;
        let port: String = line.chars().filter(char::is_ascii_digit).collect();
        driver.url = format!("http://127.0.0.1:{port}");
        Some(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        _ = self.guard.wait();
        // a process that was killed may take a moment to let go of its files
        let (home, start) = (self.home.take().map(TempDir::keep).unwrap_or_default(), Instant::now());
        while home.exists() && start.elapsed() < DEADLINE {
            if std::fs::remove_dir_all(&home).is_err() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}
