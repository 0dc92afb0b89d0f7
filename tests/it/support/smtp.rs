//! A small mail server on a real socket: plain, with STARTTLS or with TLS, which keeps what it is
//! given and fails as it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::certificate::certificates;
use super::service::Service;

/// How the server protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Plain,
    Starttls,
    Tls,
}

/// Where the server falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    AtOnce,
    AfterMessage,
}

/// What it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub text: String,
    pub encrypted: bool,
    pub user: Option<String>,
}

#[derive(Default)]
struct Manner {
    silent: Option<Silent>,
    /// Replies to the next recipients, instead of 250.
    recipients: VecDeque<String>,
    /// Replies to the next messages, instead of 250.
    messages: VecDeque<String>,
    login: Option<(String, String)>,
    received: Vec<Received>,
    /// Every line that came before TLS.
    in_the_clear: Vec<String>,
    connections: usize,
}

/// The server; it ends with the test.
pub struct Smtp {
    pub address: SocketAddr,
    /// The certificate that its own was issued by.
    pub ca: String,
    manner: Arc<Mutex<Manner>>,
    _service: Service,
}

impl Smtp {
    pub fn speaking(speaks: Speaks) -> Self {
        let (config, ca) = certificates("localhost");
        Self::start(speaks, config, ca)
    }

    /// With a certificate for another name.
    pub fn named(name: &str) -> Self {
        let (config, ca) = certificates(name);
        Self::start(Speaks::Tls, config, ca)
    }

    fn start(speaks: Speaks, config: Arc<ServerConfig>, ca: String) -> Self {
        let manner = Arc::new(Mutex::new(Manner::default()));
        let shared = Arc::clone(&manner);
        let service = Service::start(|_| {
            move |stream| serve(stream, speaks, Arc::clone(&config), Arc::clone(&shared))
        });
        Self { address: service.address, ca, manner, _service: service }
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn falls_silent(&self, silent: Option<Silent>) {
        self.manner().silent = silent;
    }

    pub fn refuses_recipient(&self, reply: &str) {
        self.manner().recipients.push_back(reply.to_owned());
    }

    pub fn refuses_message(&self, reply: &str) {
        self.manner().messages.push_back(reply.to_owned());
    }

    pub fn wants_login(&self, user: &str, password: &str) {
        self.manner().login = Some((user.to_owned(), password.to_owned()));
    }

    pub fn received(&self) -> Vec<Received> {
        self.manner().received.clone()
    }

    pub fn in_the_clear(&self) -> Vec<String> {
        self.manner().in_the_clear.clone()
    }

    pub fn connections(&self) -> usize {
        self.manner().connections
    }

    /// What it was given, once it was given so many.
    pub fn received_all(&self, wanted: usize) -> Vec<Received> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let received = self.received();
            if received.len() >= wanted {
                return received;
            }
            assert!(Instant::now() < until, "{} of {wanted} messages", received.len());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

async fn serve(
    stream: TcpStream,
    speaks: Speaks,
    config: Arc<ServerConfig>,
    manner: Arc<Mutex<Manner>>,
) -> Option<()> {
    manner.lock().ok()?.connections += 1;
    if manner.lock().ok()?.silent == Some(Silent::AtOnce) {
        return std::future::pending().await;
    }
    let acceptor = TlsAcceptor::from(config);
    if speaks == Speaks::Tls {
        let tls = acceptor.accept(stream).await.ok()?;
        let mut talk = Talk { stream: BufReader::new(tls), manner, encrypted: true };
        talk.say("220 here").await?;
        return talk.listen(false).await.map(|_| ());
    }
    let mut talk = Talk { stream: BufReader::new(stream), manner, encrypted: false };
    talk.say("220 here").await?;
    if talk.listen(speaks == Speaks::Starttls).await? == Next::Encrypt {
        let tls = acceptor.accept(talk.stream.into_inner()).await.ok()?;
        let stream = BufReader::new(tls);
        let mut talk = Talk { stream, manner: talk.manner, encrypted: true };
        talk.listen(false).await?;
    }
    Some(())
}

#[derive(PartialEq, Eq)]
enum Next {
    Encrypt,
    Goodbye,
}

struct Talk<S> {
    stream: BufReader<S>,
    manner: Arc<Mutex<Manner>>,
    encrypted: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.get_mut().flush().await.ok()
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.ok()?;
        let line = line.trim_end().to_owned();
        if !self.encrypted {
            self.manner.lock().ok()?.in_the_clear.push(line.clone());
        }
        (read > 0).then_some(line)
    }

    async fn listen(&mut self, starttls: bool) -> Option<Next> {
        let (mut from, mut to, mut user) = (String::new(), String::new(), None);
        loop {
            let line = self.line().await?;
            let word = line.split([' ', ':']).next().unwrap_or("").to_uppercase();
            match word.as_str() {
                "EHLO" => {
                    self.say("250-mail.test").await?;
                    if starttls {
                        self.say("250-STARTTLS").await?;
                    }
                    if self.manner.lock().ok()?.login.is_some() {
                        self.say("250-AUTH PLAIN LOGIN").await?;
                    }
                    self.say("250 SIZE 1000000").await?;
                }
                "STARTTLS" if starttls => {
                    self.say("220 go on").await?;
                    return Some(Next::Encrypt);
                }
                "AUTH" => {
                    let given = line.rsplit(' ').next().and_then(|text| STANDARD.decode(text).ok());
                    let given = String::from_utf8(given?).ok()?;
                    let wanted = self.manner.lock().ok()?.login.clone()?;
                    if given == format!("\0{}\0{}", wanted.0, wanted.1) {
                        user = Some(wanted.0);
                        self.say("235 welcome").await?;
                    } else {
                        self.say("535 5.7.8 bad credentials").await?;
                    }
                }
                "MAIL" if user.is_none() && self.manner.lock().ok()?.login.is_some() => {
                    self.say("530 5.7.0 log in first").await?;
                }
                "MAIL" => {
                    from = address_in(&line);
                    self.say("250 fine").await?;
                }
                "RCPT" => {
                    to = address_in(&line);
                    let reply = self.manner.lock().ok()?.recipients.pop_front();
                    self.say(reply.as_deref().unwrap_or("250 fine")).await?;
                }
                "DATA" => {
                    self.say("354 go on").await?;
                    let text = self.message().await?;
                    let message = Received {
                        from: from.clone(),
                        to: to.clone(),
                        text,
                        encrypted: self.encrypted,
                        user: user.clone(),
                    };
                    self.took(message).await?;
                }
                "QUIT" => {
                    self.say("221 bye").await?;
                    return Some(Next::Goodbye);
                }
                _ => self.say("502 what?").await?,
            }
        }
    }

    async fn took(&mut self, message: Received) -> Option<()> {
        let (reply, silent) = {
            let mut manner = self.manner.lock().ok()?;
            let reply = manner.messages.pop_front();
            if reply.is_none() {
                manner.received.push(message);
            }
            (reply, manner.silent)
        };
        if silent == Some(Silent::AfterMessage) {
            return std::future::pending().await;
        }
        self.say(reply.as_deref().unwrap_or("250 2.0.0 queued as T3ST")).await
    }

    async fn message(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                return Some(text);
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text.push('\n');
        }
    }
}

fn address_in(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
