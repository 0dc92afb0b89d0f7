//! A small web server on a real socket that keeps what is posted to it and answers as it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// What was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// `POST /path`.
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Posted {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// The server; it ends with the test.
pub struct Hook {
    pub address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
    answers: Arc<Mutex<Vec<u16>>>,
    body: Arc<Mutex<String>>,
}

impl Hook {
    /// Answers 200, but with these first.
    pub fn answering(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let hook = Self {
            address,
            posted: Arc::default(),
            answers: Arc::new(Mutex::new(answers.to_vec())),
            body: Arc::default(),
        };
        let (posted, answers) = (Arc::clone(&hook.posted), Arc::clone(&hook.answers));
        let body = Arc::clone(&hook.body);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read(&mut BufReader::new(&stream)) else { continue };
                posted.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                let mut left = answers.lock().unwrap_or_else(PoisonError::into_inner);
                let status = if left.is_empty() { 200 } else { left.remove(0) };
                let body = body.lock().unwrap_or_else(PoisonError::into_inner);
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        hook
    }

    /// Answers 200 with this.
    pub fn saying(body: &str) -> Self {
        let hook = Self::answering(&[]);
        hook.say(body);
        hook
    }

    /// Answers with this from now on.
    pub fn say(&self, body: &str) {
        body.clone_into(&mut self.body.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Everything posted, once there is so much.
    pub fn posted(&self, wanted: usize) -> Vec<Posted> {
        for _ in 0..600 {
            let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if posted.len() >= wanted {
                return posted;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        panic!("{wanted} were not posted")
    }
}

fn read(stream: &mut impl BufRead) -> Option<Posted> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Posted { line, headers, body: String::from_utf8(body).ok()? })
}
