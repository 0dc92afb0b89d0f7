//! The real server as a process: in a directory of its own, on a port of its own, spoken to over
//! plain sockets so that a test may send what no client library would.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward::clock::Clock;
use doorward::store::{self, Event, EventFilter, Limits, StateUrl, Store};
use tempfile::TempDir;

/// The port that blueprints of tests name; the real one takes its place through `--listen`.
const DECLARED_PORT: &str = ":9000";

/// Where the server's standard output goes.
const GREETING: &str = "greeting.txt";

/// People and their groups, without an app; `more` is added at the end.
pub fn household(more: &str) -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000"; trusted-proxies "127.0.0.1/32" }}
settings {{ external-host "{EXTERNAL}" }}
group users "Users"
group admins "Administrators" {{ console admin; membership declared }}
user alice "Alice Example" email="alice@example.com" {{ in users }}
user root "Root" email="root@example.com" {{ in admins }}
{more}
"#
    )
}

/// A server that ends with the test.
pub struct Server {
    directory: TempDir,
    listen: Ipv4Addr,
    pub port: u16,
    /// Arguments of every command beside the place to listen on.
    arguments: Vec<String>,
    process: Option<Process>,
    /// The soft limit of open files of what is run, if not the one of the tests.
    open_files: Option<u32>,
    /// The environment of what is run.
    environment: Vec<(String, String)>,
}

/// The running process; dropped, it is killed as by a power cut.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts with one file of blueprint text.
    pub fn with(blueprint: &str) -> Self {
        Self::with_arguments(blueprint, &[])
    }

    /// Starts with one file and further arguments, which every command gets as well.
    pub fn with_arguments(blueprint: &str, arguments: &[&str]) -> Self {
        let mut server = Self::stopped(blueprint, arguments);
        server.start();
        server
    }

    /// Starts on all addresses of the machine.
    pub fn listening_everywhere(blueprint: &str) -> Self {
        let mut server = Self::stopped(blueprint, &[]);
        server.listen = Ipv4Addr::UNSPECIFIED;
        server.start();
        server
    }

    /// A place with a file, where no server runs yet.
    pub fn stopped(blueprint: &str, arguments: &[&str]) -> Self {
        let directory = TempDir::new().expect("a directory");
        fs::create_dir(directory.path().join("blueprints")).expect("a directory");
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let (listen, port) = (Ipv4Addr::LOCALHOST, free_port());
        let (process, open_files, environment) = (None, None, Vec::new());
        let server = Self { directory, listen, port, arguments, process, open_files, environment };
        server.edit("home.kdl", blueprint);
        server
    }

    /// Starts the process and waits until it says that it is ready and answers.
    pub fn start(&mut self) {
        self.start_unasked();
        assert_eq!(self.get("127.0.0.1", "/healthz").send().status, 200);
    }

    /// Starts the process and waits until it says that it is ready.
    pub fn start_unasked(&mut self) {
        let mut process = self.spawn(&["serve"]);
        let mut errors = BufReader::new(process.child.stderr.take().expect("standard error"));
        let ready = pass_on(&mut errors, &process.log, |line| line.contains(" ready "));
        assert!(ready, "the server did not start:\n{}", logged(&process.log));
        let log = Arc::clone(&process.log);
        std::thread::spawn(move || pass_on(&mut errors, &log, |_| false));
        self.process = Some(process);
        self.await_control();
    }

    /// A variable of the environment of what is run from now on.
    pub fn tell(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts with arguments that other commands are not given.
    pub fn start_with(&mut self, arguments: &[&str]) {
        let common = self.arguments.clone();
        self.allow(arguments);
        self.start();
        self.arguments = common;
    }

    /// Starts with this soft limit of open files, and gives the one that the server has then.
    pub fn start_with_open_files(&mut self, soft: u32) -> Option<u64> {
        self.open_files = Some(soft);
        self.start();
        let process = self.process.as_ref().expect("a process");
        let pid = rustix::process::Pid::from_child(&process.child);
        let limits = fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()));
        let limits = limits.expect("the limits of the process");
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
    }

    /// Waits until commands reach the server, which is a moment after requests do.
    fn await_control(&self) {
        let (socket, until) =
            (self.path().join("state/control.sock"), Instant::now() + Duration::from_secs(10));
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < until, "commands do not reach the server:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Starts the process and kills it after a while, ready or not.
    pub fn start_and_kill(&self, after: Duration) {
        self.command_and_kill(&["serve"], after);
    }

    /// Runs a command and kills it after a while, done or not.
    pub fn command_and_kill(&self, arguments: &[&str], after: Duration) {
        let process = self.spawn(arguments);
        std::thread::park_timeout(after);
        drop(process);
    }

    fn spawn(&self, arguments: &[&str]) -> Process {
        let mut command = self.prepared(arguments);
        let greeting = fs::File::create(self.path().join(GREETING)).expect("a file");
        command.args(self.place()).stdout(greeting).stderr(Stdio::piped());
        let child = command.spawn().expect("the server's process");
        Process { child, log: Arc::default() }
    }

    /// Kills the process as a power cut would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Tells the process to stop and waits until it has.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let pid = rustix::process::Pid::from_child(&process.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("told");
        process.child.wait().expect("stopped");
    }

    /// Hands the process over, to be killed by dropping it while others still ask.
    pub fn take(&mut self) -> Option<Process> {
        self.process.take()
    }

    /// Further arguments, from the next start on.
    pub fn allow(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
    }

    /// Kills and starts again.
    pub fn restart(&mut self) {
        self.kill();
        self.start();
    }

    /// Everything logged since the start.
    pub fn log(&self) -> String {
        self.process.as_ref().map(|process| logged(&process.log)).unwrap_or_default()
    }

    /// The log, once these words are in it: it arrives a moment after what it tells of.
    pub fn log_with(&self, words: &str) -> String {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let log = self.log();
            if log.contains(words) {
                return log;
            }
            assert!(Instant::now() < until, "no `{words}` in the log:\n{log}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// What the server told the person who started it.
    pub fn greeting(&self) -> String {
        fs::read_to_string(self.path().join(GREETING)).expect("a greeting")
    }

    /// Events of a kind, once the journal has written what it took.
    pub fn events(&self, kind: &str) -> Vec<Event> {
        self.some_events(kind, 1)
    }

    /// Events of a kind, the newest first, once there are so many.
    pub fn some_events(&self, kind: &str, wanted: usize) -> Vec<Event> {
        let filter = EventFilter { kind: Some(kind), ..EventFilter::default() };
        for _ in 0..50 {
            let found = self.look(async |read| read.list_events(filter, 10).await.expect("asked"));
            if found.len() >= wanted {
                return found;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        Vec::new()
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Puts a blueprint file in place by a rename, as editors do.
    pub fn edit(&self, name: &str, text: &str) {
        edit(self.path(), name, text);
    }

    /// Runs a command at the same installation.
    pub fn command(&self, arguments: &[&str]) -> Output {
        self.prepared(arguments).args(self.place()).output().expect("the command's process")
    }

    /// A command with its arguments, ready to run, without the place.
    fn prepared(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_doorward");
        let mut command = match self.open_files {
            None => Command::new(program),
            Some(soft) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("ulimit -Sn {soft}; exec \"$0\" \"$@\""), program]);
                shell
            }
        };
        command.current_dir(self.path()).env_clear().env("NO_COLOR", "1").args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command that is told nothing but the place of the state.
    pub fn command_elsewhere(&self, arguments: &[&str]) -> Output {
        self.prepared(arguments).args(&self.arguments).output().expect("the command's process")
    }

    /// Looks into the state of this installation, past the server.
    pub fn look<T>(&self, look: impl AsyncFnOnce(&store::Read) -> T) -> T {
        let url: StateUrl = match self.postgres() {
            Some(url) => url.parse().expect("an address"),
            None => StateUrl::Sqlite(self.path().join("state/doorward.db")),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let now = Clock::machine().now();
            let opened = Store::open(&url, Limits::default(), now).await;
            let (state, _) = opened.expect("the store opens");
            look(&state.read().await.expect("reading")).await
        })
    }

    /// Writes into the state of this installation, past the server.
    pub fn tamper(&self, sql: &str) {
        match self.postgres() {
            Some(url) => super::stores::tamper(url, sql),
            None => {
                let state = rusqlite::Connection::open(self.path().join("state/doorward.db"));
                let state = state.expect("opened");
                state.busy_timeout(Duration::from_secs(10)).expect("patience");
                state.execute_batch(&format!("BEGIN; {sql} COMMIT;")).expect("written");
            }
        }
    }

    /// Bytes, as the SQL of this installation spells them.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.postgres() {
            Some(_) => format!("'\\x{digits}'::bytea"),
            None => format!("X'{digits}'"),
        }
    }

    /// The address of the state, if it is kept in Postgres.
    fn postgres(&self) -> Option<&str> {
        let state = self.arguments.iter().skip_while(|each| *each != "--state").nth(1);
        state.map(String::as_str)
    }

    fn place(&self) -> Vec<String> {
        let mut place = vec!["--listen".to_owned(), format!("{}:{}", self.listen, self.port)];
        place.extend(self.arguments.iter().cloned());
        place
    }

    /// Has the server read its files and gives the exit code and what was said.
    pub fn reload(&self) -> (i32, serde_json::Value) {
        let done = self.command(&["reload", "--wait", "--json"]);
        let code = done.status.code().unwrap_or(-1);
        let json = serde_json::from_slice(&done.stdout);
        (code, json.unwrap_or_else(|_| serde_json::json!(String::from_utf8_lossy(&done.stderr))))
    }

    /// What `doorward status` tells.
    pub fn status(&self) -> serde_json::Value {
        let done = self.command(&["status", "--json"]);
        serde_json::from_slice(&done.stdout).expect("status as JSON")
    }

    /// Sets somebody's password through a link made on the host.
    pub fn set_password(&self, name: &str, password: &str) {
        let link = self.link(name);
        let mut browser = Browser::at(self);
        let page = browser.open(&link);
        let fields = [("new-password", password), ("new-password-again", password)];
        let done = browser.submit(&link, &page, &fields);
        assert_eq!(done.status, 303, "{}", done.body);
    }

    /// A link to set a password, as `doorward user link` prints it.
    pub fn link(&self, name: &str) -> String {
        let done = self.command(&["user", "link", name]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    }

    /// An address with the port that blueprints name, at the port that is used.
    pub fn url(&self, declared: &str) -> String {
        declared.replacen(DECLARED_PORT, &format!(":{}", self.port), 1)
    }

    /// A request to this server, whatever the host says.
    pub fn request(&self, method: &str, host: &str, path: &str) -> Request {
        Request {
            to: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned().into_bytes())],
            body: Vec::new(),
        }
    }

    pub fn get(&self, host: &str, path: &str) -> Request {
        self.request("GET", host, path)
    }

    /// What Traefik would ask about a request for this address.
    pub fn ask(&self, url: &str) -> Request {
        self.ask_as("GET", url)
    }

    /// What Traefik would ask, for any method.
    pub fn ask_as(&self, method: &str, url: &str) -> Request {
        let (scheme, authority, path) = parts(url);
        self.get(&format!("127.0.0.1:{}", self.port), "/auth/traefik")
            .with("X-Forwarded-Method", method)
            .with("X-Forwarded-Proto", scheme)
            .with("X-Forwarded-Host", authority)
            .with("X-Forwarded-Uri", path)
            .with("X-Forwarded-For", "203.0.113.7")
    }
}

/// Puts a file into `blueprints` below a directory by a rename.
pub fn edit(directory: &Path, name: &str, text: &str) {
    let beside = directory.join(format!("{name}.new"));
    fs::write(&beside, text).expect("written");
    fs::rename(beside, directory.join("blueprints").join(name)).expect("renamed");
}

fn pass_on(lines: &mut impl BufRead, log: &Mutex<String>, enough: impl Fn(&str) -> bool) -> bool {
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        log.lock().expect("the log").push_str(&line);
        if enough(&line) {
            return true;
        }
        line.clear();
    }
    false
}

fn logged(log: &Mutex<String>) -> String {
    log.lock().expect("the log").clone()
}

/// A port below those that outgoing connections are given, free at the moment.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 18_000;
    let mut ports = std::iter::repeat_with(|| {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(10_000 + (first + step * 7) % 20_000).expect("a port")
    });
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.by_ref().take(1_000).find(free).expect("a free port")
}

/// Scheme, authority and the rest of an absolute address.
pub fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").expect("an absolute address");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (scheme, authority, if path.is_empty() { "/" } else { path })
}

/// `Authorization: Basic` (RFC 7617).
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// A request under construction; nothing about it is checked.
#[must_use]
#[derive(Clone)]
pub struct Request {
    to: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// Adds a header, a second time if it is there.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Leaves a header out.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Puts a header in the place of the one that is there.
    pub fn instead(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).with(name, value)
    }

    /// Sends the same, at another port.
    pub fn on_port(mut self, port: u16) -> Self {
        self.to.set_port(port);
        self
    }

    /// Sends the same to another path.
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Asks as a browser does for a page.
    pub fn navigating(self) -> Self {
        self.with("Accept", "text/html,*/*").with("Sec-Fetch-Mode", "navigate")
    }

    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        self.body = form.extend_pairs(fields).finish().into_bytes();
        self.with("Content-Type", "application/x-www-form-urlencoded")
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_owned();
        self
    }

    pub fn send(&self) -> Answer {
        self.try_send().expect("an answer")
    }

    /// Sends; `None` if the connection broke before the answer was whole.
    pub fn try_send(&self) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.to).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        bytes.extend(b"Connection: close\r\n\r\n");
        bytes.extend(&self.body);
        stream.write_all(&bytes).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Answer::parse(&answer)
    }
}

/// An answer as it came.
#[must_use]
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let answer = Self { status, headers: headers.collect(), body: body.to_owned() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        // A body that broke off was not answered.
        (length.is_none_or(|length: usize| body.len() >= length)).then_some(answer)
    }

    /// The only value of a header; `None` if it is not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers(name);
        assert!(values.len() < 2, "{name} came twice");
        values.first().copied()
    }

    pub fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// Where a redirect leads; empty if it leads nowhere.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or("")
    }

    /// The token of the form on a page.
    pub fn csrf(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").expect("a form");
        rest.split('"').next().unwrap_or("").to_owned()
    }

    pub fn is_2xx(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A browser's cookies, kept by host; redirects are followed by hand.
#[derive(Clone)]
pub struct Browser<'a> {
    server: &'a Server,
    jar: BTreeMap<String, BTreeMap<String, String>>,
    /// Whom the proxy names, where one stands before the sign-in host.
    client: Option<String>,
}

impl<'a> Browser<'a> {
    pub fn at(server: &'a Server) -> Self {
        Self { server, jar: BTreeMap::new(), client: None }
    }

    /// A browser whose requests come through a trusted proxy, from this address.
    pub fn through_proxy(server: &'a Server, client: &str) -> Self {
        Self { client: Some(client.to_owned()), ..Self::at(server) }
    }

    /// The same browser with a `Cookie` line that it had for an address.
    pub fn with_cookies_of(mut self, url: &str, cookies: &str) -> Self {
        let pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.jar.entry(host(url).to_owned()).or_default().extend(pairs);
        self
    }

    /// Opens an address at the server itself.
    pub fn open(&mut self, url: &str) -> Answer {
        self.try_open(url).expect("an answer")
    }

    /// Opens an address; `None` if the server went away.
    pub fn try_open(&mut self, url: &str) -> Option<Answer> {
        let (_, authority, path) = parts(url);
        let request = self.with_cookies(self.server.get(authority, path).navigating(), url);
        let answer = request.try_send()?;
        self.keep(url, &answer);
        Some(answer)
    }

    /// Posts the form of a page with these fields, as our own pages do.
    pub fn submit(&mut self, url: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        self.try_submit(url, page, fields).expect("an answer")
    }

    /// Posts a form; `None` if the server went away.
    pub fn try_submit(
        &mut self,
        url: &str,
        page: &Answer,
        fields: &[(&str, &str)],
    ) -> Option<Answer> {
        let request = self.form(url, page, fields).with("Sec-Fetch-Site", "same-origin");
        let answer = request.try_send()?;
        self.keep(url, &answer);
        Some(answer)
    }

    /// The posted form, before anything says where it comes from.
    pub fn form(&self, url: &str, page: &Answer, fields: &[(&str, &str)]) -> Request {
        let (_, authority, path) = parts(url);
        let csrf = page.csrf();
        let fields = [fields, &[("csrf", csrf.as_str())]].concat();
        self.with_cookies(self.server.request("POST", authority, path), url).form(&fields)
    }

    /// What a proxy would ask about this browser's request; cookies in the answer are kept.
    pub fn ask(&mut self, url: &str) -> Answer {
        self.try_ask(url).expect("an answer")
    }

    /// What a proxy would ask; `None` if the server went away.
    pub fn try_ask(&mut self, url: &str) -> Option<Answer> {
        self.try_exchange(url, self.server.ask(url).navigating())
    }

    /// Sends a proxy's question about this browser's request; cookies in the answer are kept.
    pub fn exchange(&mut self, url: &str, question: Request) -> Answer {
        self.try_exchange(url, question).expect("an answer")
    }

    fn try_exchange(&mut self, url: &str, question: Request) -> Option<Answer> {
        let answer = self.with_cookies(question, url).try_send()?;
        self.keep(url, &answer);
        Some(answer)
    }

    /// The `Cookie` line for an address.
    pub fn cookies(&self, url: &str) -> String {
        let jar = self.jar.get(host(url)).cloned().unwrap_or_default();
        let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn with_cookies(&self, request: Request, url: &str) -> Request {
        let request = match &self.client {
            Some(client) => request.instead("X-Forwarded-For", client),
            None => request,
        };
        match self.cookies(url) {
            none if none.is_empty() => request,
            cookies => request.with("Cookie", cookies),
        }
    }

    fn keep(&mut self, url: &str, answer: &Answer) {
        let jar = self.jar.entry(host(url).to_owned()).or_default();
        for line in answer.headers("set-cookie") {
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Signs in on the sign-in host; the last answer is a redirect.
    pub fn sign_in(&mut self, name: &str, password: &str) {
        let done = self.try_sign_in(name, password).expect("an answer");
        assert_eq!(done.status, 303, "{}", done.body);
        assert!(!self.cookies(&self.server.url(EXTERNAL)).is_empty(), "no session");
    }

    /// Signs in; `None` if the server went away on the way.
    pub fn try_sign_in(&mut self, name: &str, password: &str) -> Option<Answer> {
        let url = self.server.url(&format!("{EXTERNAL}/sign-in"));
        let page = self.try_open(&url)?;
        let turned = self.try_submit(&url, &page, &[("username", name)])?;
        assert_eq!(turned.status, 303, "{}", turned.body);
        let page = self.try_open(&url)?;
        let turned = self.try_submit(&url, &page, &[("password", password)])?;
        if turned.status != 303 {
            return Some(turned);
        }
        self.try_open(&url)
    }

    /// Goes from an app through the hand-over back to it; `None` if the server went away.
    pub fn try_enter(&mut self, url: &str) -> Option<Answer> {
        let sent = self.try_ask(url)?;
        assert_eq!(sent.status, 302, "{}", sent.body);
        let start = self.try_open(sent.location())?;
        assert_eq!(start.status, 303, "{}", start.body);
        assert!(start.location().contains("/.doorward/callback?"), "{}", start.location());
        self.try_ask(start.location())
    }

    /// Goes from an app through the hand-over back to it.
    pub fn enter(&mut self, url: &str) {
        let back = self.try_enter(url).expect("an answer");
        assert_eq!((back.status, back.location()), (303, url), "{}", back.body);
    }
}

/// The sign-in host of the blueprints of tests.
pub const EXTERNAL: &str = "http://auth.localhost:9000";

fn host(url: &str) -> &str {
    let authority = parts(url).1;
    authority.split(':').next().unwrap_or(authority)
}
