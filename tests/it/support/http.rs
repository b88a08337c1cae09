//! A blocking HTTP client, so that a test says which connection a request takes and when it reads the answer.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

use super::{DEADLINE, eventually};

/// A connection that is kept.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.trim()))
    }

    /// The replica that answered.
    #[track_caller]
    pub fn served_by(&self) -> &str {
        self.header("x-served-by").unwrap_or_else(|| panic!("nobody says who answered: {self:?}"))
    }
}

impl Connection {
    pub fn open(address: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Sends a request for the lab's page; `headers` are whole lines.
    pub fn send(&mut self, method: &str, path: &str, headers: &[&str], body: &str) -> io::Result<()> {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: {}\r\n", body.len());
        headers.iter().for_each(|line| head += &format!("{line}\r\n"));
        self.stream.get_mut().write_all(format!("{head}\r\n{body}").as_bytes())
    }

    /// Reads an answer.
    pub fn receive(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("closed after {head:?}")));
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let mut answer = Answer { status, head, body: String::new() };
        let length: usize = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Ok(answer)
    }

    pub fn request(&mut self, method: &str, path: &str, headers: &[&str], body: &str) -> io::Result<Answer> {
        self.send(method, path, headers, body)?;
        self.receive()
    }
}

/// One GET on a connection of its own.
#[track_caller]
pub fn get(address: &str, path: &str) -> Answer {
    get_with(address, path, &[])
}

/// The same with headers.
#[track_caller]
pub fn get_with(address: &str, path: &str, headers: &[&str]) -> Answer {
    let answer = Connection::open(address).and_then(|mut connection| connection.request("GET", path, headers, ""));
    answer.unwrap_or_else(|error| panic!("GET {path} from {address}: {error}"))
}

/// The numbers of the replicas that answer this many requests, one after the other.
#[track_caller]
pub fn numbers(address: &str, path: &str, requests: usize) -> Vec<u32> {
    let number = |_| get(address, path).served_by().rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    (0..requests).map(|request| number(request).expect("a number in the name")).collect()
}

/// A request that is under way.
pub struct Slow(JoinHandle<io::Result<Answer>>);

/// A session that slow requests alone have.
const SLOW: &str = "Cookie: PHPSESSID=0123456789abcdef0123456789abcdef";

impl Slow {
    /// Sends a request to the page that is answered after so many milliseconds.
    pub fn session(address: &str, delay: u32) -> Slow {
        let mut connection = Connection::open(address).expect("a connection");
        connection.send("GET", &format!("/session?delay={delay}"), &[SLOW], "").expect("a request");
        Slow(thread::spawn(move || connection.receive()))
    }

    /// Waits until the replica at this address has got a slow request: somebody else was in that session.
    #[track_caller]
    pub fn reaches(replica: &Value) {
        let address = replica["address"].as_str().expect("an address");
        let mut mine = 0;
        eventually("a slow request on the replica", || {
            mine += 1;
            let session: Value = serde_json::from_str(&get_with(address, "/session", &[SLOW]).body).expect("JSON");
            (session["session"]["visits"].as_u64()? > mine).then_some(())
        });
    }

    /// Whether it gets no answer of its replica, if any.
    pub fn ends_unanswered(self) -> bool {
        self.answer().map_or(true, |answer| answer.status == 502)
    }

    pub fn answer(self) -> io::Result<Answer> {
        self.0.join().expect("the client does not panic")
    }
}

/// Clients that send one request after the other until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

/// What clients saw.
#[derive(Debug, Default)]
pub struct Tally {
    pub sent: usize,
    /// What was not answered as it should be.
    pub failed: Vec<String>,
}

/// Whether a client keeps its connection.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Yes,
    No,
}

impl Load {
    /// Four clients: two keep their connection and two do not. Each GETs the page's session, logs in, and asks the API.
    pub fn start(address: &str) -> Load {
        Load::of(address, &[("GET", "/session", ""), ("POST", "/login", "user=alice"), ("GET", "/api/", "")])
    }

    /// The same without the logins.
    pub fn of_gets(address: &str) -> Load {
        Load::of(address, &[("GET", "/session", ""), ("GET", "/api/", "")])
    }

    fn of(address: &str, requests: &'static [(&str, &str, &str)]) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |keep| {
            let (stop, address) = (stop.clone(), address.to_owned());
            thread::spawn(move || send_until(&stop, &address, requests, keep))
        };
        let clients = [Keep::Yes, Keep::No, Keep::Yes, Keep::No].into_iter().map(client).collect();
        Load { stop, clients }
    }

    /// Stops it and says what happened.
    pub fn finish(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for client in self.clients {
            let Tally { sent, failed } = client.join().expect("the client does not panic");
            all.sent += sent;
            all.failed.extend(failed);
        }
        all
    }
}

fn send_until(stop: &AtomicBool, address: &str, requests: &[(&str, &str, &str)], keep: Keep) -> Tally {
    const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
    let mut tally = Tally::default();
    let mut kept = None;
    for &(method, path, body) in requests.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        tally.sent += 1;
        let mut connection = match kept.take().map_or_else(|| Connection::open(address), Ok) {
            Ok(connection) => connection,
            Err(error) => {
                tally.failed.push(format!("no connection: {error}"));
                continue;
            }
        };
        match connection.request(method, path, &[FORM, "Accept: application/json"], body) {
            Ok(Answer { status: 200, .. }) => {}
            other => tally.failed.push(format!("{method} {path}: {other:?}")),
        }
        kept = (keep == Keep::Yes).then_some(connection);
        // steady, and not all that the machine can do
        thread::sleep(Duration::from_millis(1));
    }
    tally
}
