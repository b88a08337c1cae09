//! One request as bytes, and the answer as it came.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long an answer may take; nothing here waits for more than a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a proxy.
pub struct Wire(BufReader<TcpStream>);

/// Header lines or trailers in their order.
pub type Fields = Vec<(String, String)>;

/// What came back.
#[derive(Debug, Default)]
pub struct Answer {
    /// The `1xx` that came before it.
    pub informed: Vec<u16>,
    pub status: u16,
    pub headers: Fields,
    pub body: Vec<u8>,
    pub trailers: Fields,
    /// Whether it came to its end.
    pub whole: bool,
    /// The request as the server behind the proxy saw it, if it was the server that answered.
    pub seen: Option<Value>,
}

/// Sends a request on a connection of its own.
pub fn ask(address: SocketAddr, request: &str) -> Answer {
    Wire::open(address).ask(request)
}

/// A request without a body, for this host and target; the headers are whole lines.
pub fn request(method: &str, host: &str, target: &str, headers: &[&str]) -> String {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n")
}

/// A GET of this target from this host.
pub fn get(host: &str, target: &str) -> String {
    request("GET", host, target, &[])
}

impl Wire {
    pub fn open(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).expect("the proxy listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Wire(BufReader::new(stream))
    }

    /// Sends text in which each character stands for a byte; whether the other end takes it shows when it is read from.
    pub fn send(&mut self, text: &str) {
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).expect("a byte")).collect();
        _ = self.0.get_mut().write_all(&bytes);
    }

    /// The next answer to this request.
    pub fn ask(&mut self, request: &str) -> Answer {
        self.send(request);
        self.answer(request.starts_with("HEAD "))
    }

    /// The next answer, which has no body if it is one to HEAD.
    pub fn answer(&mut self, to_head: bool) -> Answer {
        let mut answer = Answer::default();
        // what is read so far is kept: an answer that breaks off is one as well
        answer.whole = self.read(&mut answer, to_head).is_ok();
        answer.seen = serde_json::from_slice(&answer.body).ok();
        answer
    }

    /// A line with its end, or what there is of it.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") {
            Ok(line.into_iter().map(char::from).collect())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn read(&mut self, answer: &mut Answer, to_head: bool) -> io::Result<()> {
        loop {
            let line = self.line()?;
            answer.status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
            answer.headers = self.fields()?;
            match answer.status {
                status @ (100 | 102..200) => answer.informed.push(status),
                _ => break,
            }
        }
        if to_head || matches!(answer.status, 101 | 204 | 304) {
            return Ok(());
        }
        if answer.header("transfer-encoding") == ["chunked"] {
            loop {
                let size = usize::from_str_radix(self.line()?.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
                if size == 0 {
                    break;
                }
                self.take(size, &mut answer.body)?;
                self.line()?;
            }
            answer.trailers = self.fields()?;
            return Ok(());
        }
        match answer.header("content-length").first().and_then(|length| length.parse().ok()) {
            Some(length) => self.take(length, &mut answer.body),
            None => self.0.read_to_end(&mut answer.body).map(|_| ()),
        }
    }

    fn fields(&mut self) -> io::Result<Fields> {
        let mut fields = Fields::new();
        loop {
            let line = self.line()?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => fields.push((name.to_ascii_lowercase(), value.trim().to_owned())),
                None => return Ok(fields),
            }
        }
    }

    fn take(&mut self, count: usize, into: &mut Vec<u8>) -> io::Result<()> {
        match Read::by_ref(&mut self.0).take(count as u64).read_to_end(into)? {
            taken if taken == count => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Answer {
    /// The values of a header; its name in lower case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value).collect()
    }

    pub fn text(&self) -> String {
        self.body.iter().copied().map(char::from).collect()
    }

    /// The values of a header of the request as the server saw it.
    pub fn saw(&self, name: &str) -> Vec<&str> {
        let headers = self.seen.as_ref().and_then(|seen| seen["headers"].as_array());
        let named = |pair: &&Value| pair[0].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        headers.into_iter().flatten().filter(named).filter_map(|pair| pair[1].as_str()).collect()
    }

    /// The container that answered.
    pub fn hostname(&self) -> &str {
        self.header("x-served-by").first().copied().unwrap_or_default()
    }
}
