//! The real binary in a directory of its own, and people who visit it over HTTP.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_doorward");
pub const PASSWORD: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is killed when it goes out of scope.
pub struct Server {
    directory: tempfile::TempDir,
    pub port: u16,
    child: Option<Child>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A browser without scripts: cookies by host, redirects followed.
pub struct Visitor<'a> {
    server: &'a Server,
    cookies: BTreeMap<(String, String), String>,
}

impl Server {
    /// Runs the server; `PORT` in the blueprint becomes the port that it listens on.
    pub fn start(blueprint: &str) -> Self {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("blueprints")).expect("made");
        let mut server = Self { directory, port, child: None };
        server.edit("main.kdl", blueprint);
        server.run();
        server
    }

    /// Starts the process and waits until it answers.
    pub fn run(&mut self) {
        let log = std::fs::File::create(self.path().join("log")).expect("a log");
        let mut command = self.arguments(&["serve", "--log", "json"]);
        command.stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("the server starts"));
        let since = Instant::now();
        while !self.is_ready() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none() && since.elapsed() < PATIENCE, "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the process as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Hands the process over, for somebody who kills it while others visit.
    pub fn take_child(&mut self) -> Child {
        self.child.take().expect("a running server")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    pub fn edit(&self, name: &str, text: &str) {
        let text = text.replace("PORT", &self.port.to_string());
        let draft = self.path().join(format!(".{name}.new"));
        std::fs::write(&draft, text).expect("written");
        std::fs::rename(draft, self.path().join("blueprints").join(name)).expect("renamed");
    }

    pub fn command(&self, words: &[&str]) -> Output {
        self.arguments(words).output().expect("the command runs")
    }

    /// Begins a command and does not wait for it.
    pub fn begin(&self, words: &[&str]) -> Child {
        let mut command = self.arguments(words);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the command starts")
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn host(&self, name: &str) -> String {
        format!("{name}.localhost:{}", self.port)
    }

    /// One request, `Host` and everything else as given; `None` if the connection breaks.
    pub fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Answer::parse(&String::from_utf8_lossy(&answer))
    }

    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, target, headers, "").expect("an answer")
    }

    /// Asks as a proxy does for a GET of `path` at the app `name`.
    pub fn ask(&self, name: &str, path: &str, more: &[(&str, &str)]) -> Answer {
        let (own, host) = (self.authority(), self.host(name));
        let mut headers = vec![
            ("Host", own.as_str()),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", host.as_str()),
            ("X-Forwarded-Uri", path),
        ];
        headers.retain(|(known, _)| !more.iter().any(|(name, _)| name == known));
        headers.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.send("GET", "/auth/traefik", &headers)
    }

    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { server: self, cookies: BTreeMap::new() }
    }

    /// Gives a declared person the common password by a one-time link.
    pub fn set_password(&self, name: &str) {
        let made = self.command(&["user", "link", name]);
        let url = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let at = url.find("/set-password").expect("a link");
        let (host, target) = (self.host("auth"), &url[at..]);
        let mut visitor = self.visitor();
        let page = visitor.open(&host, target).expect("a page");
        let fields = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
        let done = visitor.post(&host, target, &page, &fields).expect("an answer");
        assert_eq!(done.status, 200, "{done:?}");
    }

    fn arguments(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        let state = format!("sqlite://{}", self.path().join("state/state.db").display());
        command.current_dir(self.path()).args(words);
        command.args(["--blueprints", "blueprints", "--state", &state]);
        command.args(["--listen", &self.authority()]);
        command
    }

    fn is_ready(&self) -> bool {
        let own = self.authority();
        let answer = self.try_send("GET", "/healthz", &[("Host", &own)], "");
        answer.is_some_and(|answer| answer.status == 200)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers = pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Some(Self { status, headers: headers.collect(), body: body.to_owned() })
    }

    /// The value of the hidden field that ties a form to its browser.
    fn form_token(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("name=\"csrf\"")?;
        let (_, rest) = rest.split_once("value=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    }
}

impl Visitor<'_> {
    /// Goes to a page and follows redirects.
    pub fn open(&mut self, host: &str, target: &str) -> Option<Answer> {
        let answer = self.step("GET", host, target, "")?;
        self.follow(host, answer)
    }

    /// Signs in on the way to an app; `None` if a connection broke.
    pub fn sign_in(&mut self, app: &str, name: &str, password: &str) -> Option<Answer> {
        let auth = self.server.host("auth");
        let start = format!("http://{}/", self.server.host(app));
        let host = self.server.host(app);
        let mut page = self.step("GET", &host, "/", "")?;
        while let Some(to) = page.header("location").map(str::to_owned) {
            if to.contains("/sign-in?") {
                let target = to.strip_prefix(&format!("http://{auth}")).unwrap_or(&to).to_owned();
                page = self.open(&auth, &target)?;
                page = self.post(&auth, &target, &page, &[("username", name)])?;
                return self.post(&auth, &target, &page, &[("password", password)]);
            }
            page = self.go(&auth, &to)?;
        }
        assert!(page.status == 200, "no sign-in on the way to {start}: {page:?}");
        Some(page)
    }

    /// Posts the form of `page` and follows redirects.
    pub fn post(
        &mut self,
        host: &str,
        target: &str,
        page: &Answer,
        fields: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &page.form_token().unwrap_or_default());
        form.extend_pairs(fields);
        let answer = self.step("POST", host, target, &form.finish())?;
        self.follow(host, answer)
    }

    /// The cookies that this browser sends to an app.
    pub fn cookie(&self, app: &str) -> String {
        self.cookies_of(&self.server.host(app))
    }

    fn follow(&mut self, host: &str, mut answer: Answer) -> Option<Answer> {
        let mut host = host.to_owned();
        for _ in 0..12 {
            let Some(to) = answer.header("location").map(str::to_owned) else { break };
            if let Some((known, _)) = to.strip_prefix("http://").and_then(|to| to.split_once('/')) {
                host = known.to_owned();
            }
            answer = self.go(&host, &to)?;
        }
        Some(answer)
    }

    fn go(&mut self, host: &str, to: &str) -> Option<Answer> {
        match to.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
            Some((host, path)) => self.step("GET", host, &format!("/{path}"), ""),
            None => self.step("GET", host, to, ""),
        }
    }

    fn step(&mut self, method: &str, host: &str, target: &str, body: &str) -> Option<Answer> {
        let cookie = self.cookies_of(host);
        let headers = [
            ("Host", host),
            ("Accept", "text/html"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Cookie", cookie.as_str()),
        ];
        let answer = self.server.try_send(method, target, &headers, body)?;
        for (name, line) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie")
                && let Some((name, value)) = line.split(';').next().and_then(|p| p.split_once('='))
            {
                self.cookies.insert((host.to_owned(), name.to_owned()), value.to_owned());
            }
        }
        Some(answer)
    }

    fn cookies_of(&self, host: &str) -> String {
        let own =
            self.cookies.iter().filter(|((known, _), value)| known == host && !value.is_empty());
        own.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
