//! The server of the table: its people and apps, first all good, then what their names say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use doorward::clock::Clock;
use doorward::secret::{MasterKey, Secret};

use super::cell::{App, Asks, Cell, Expiry, Grant, Presented, Reuse, Rule, User};
use super::*;
use crate::support::server::EXTERNAL;
use crate::support::walk::Walk;

const ANOTHERS_SECRET: &str = "another-secret-that-is-long";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const THREADS: usize = 3;

pub struct World {
    pub server: Server,
    pub key: MasterKey,
    /// The cookies of each person's browser, once they are signed in.
    cookies: BTreeMap<User, String>,
    addresses: AtomicU32,
}

/// Something that was given while all was well.
pub struct Given {
    pub what: Presented,
    /// The code, the token or the name of the request.
    pub text: String,
    /// The access token of the first use.
    pub earlier: Option<String>,
}

/// The client id of an app.
pub fn slug(what: &Presented) -> String {
    let rule = format!("{:?}", what.rule).to_lowercase();
    let app = format!("{:?}", what.app).to_lowercase();
    match what.grant {
        Grant::Itself => format!("{app}-{rule}-as-{}", name(what.user)),
        _ => format!("{app}-{rule}"),
    }
}

fn name(user: User) -> String {
    format!("{user:?}").to_lowercase()
}

impl World {
    pub fn new(state: &[&str]) -> Self {
        let mut server = Server::stopped(&household(&files(Time::Before)), state);
        server.tell("DOORWARD_SECRET_APPS", SECRET);
        server.tell("DOORWARD_SECRET_ANOTHER", ANOTHERS_SECRET);
        server.start();
        let key = std::fs::read_to_string(server.path().join("state/master.key")).expect("a key");
        let key = MasterKey::parse(&Secret::new(key.trim())).expect("a key");
        let mut world =
            Self { server, key, cookies: BTreeMap::new(), addresses: AtomicU32::new(0) };
        let signed_in = world.each(&User::ALL, |world, user| vec![(*user, world.sign_in(*user))]);
        world.cookies = signed_in.into_iter().collect();
        world
    }

    fn sign_in(&self, user: User) -> String {
        let server = &self.server;
        server.set_password(&name(user), PASSWORD);
        let browser = match user {
            User::Proven => {
                let mut walk = Walk::at(server, Browser::at(server), "/sign-in");
                walk.password("proven").go("/set-up?flow=builtin.setup").set_up();
                walk.browser
            }
            _ => {
                let mut browser = Browser::at(server);
                browser.sign_in(&name(user), PASSWORD);
                browser
            }
        };
        browser.cookies(&server.url(EXTERNAL))
    }

    /// The browser of somebody who signed in.
    pub fn browser(&self, user: User) -> Browser<'_> {
        let url = self.server.url(EXTERNAL);
        let cookies = self.cookies.get(&user).map(String::as_str);
        Browser::at(&self.server).with_cookies_of(&url, cookies.unwrap_or_default())
    }

    /// Works on several at once.
    pub fn each<T: Sync, R: Send>(
        &self,
        all: &[T],
        work: impl Fn(&Self, &T) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let part = all.len().div_ceil(THREADS).max(1);
        std::thread::scope(|scope| {
            let work = &work;
            let parts = all.chunks(part);
            let begun = parts.map(|part| {
                scope.spawn(move || part.iter().flat_map(|one| work(self, one)).collect::<Vec<_>>())
            });
            let begun: Vec<_> = begun.collect();
            begun.into_iter().flat_map(|part| part.join().expect("done")).collect()
        })
    }

    /// Gives everything that is presented later.
    pub fn give(&self, all: Vec<Presented>) -> Vec<Given> {
        self.each(&all, |world, what| vec![world.given(*what)])
    }

    fn given(&self, what: Presented) -> Given {
        let cell = Cell { what, asks: Asks::Right };
        let text = match what.grant {
            Grant::Itself => String::new(),
            Grant::Code => self.code(&what, "openid"),
            Grant::Pushed => pushed::given(self, &what),
            Grant::Refresh => self.refresh_token(&what, "openid"),
            Grant::Offline => self.refresh_token(&what, "openid offline_access"),
            Grant::Device => self.device_code(&what),
        };
        let is_used =
            what.reuse != Reuse::First && !matches!(what.grant, Grant::Pushed | Grant::Itself);
        let earlier = is_used.then(|| super::text(&self.ask(&cell, &text), "access_token"));
        Given { what, text, earlier }
    }

    fn code(&self, what: &Presented, scope: &str) -> String {
        let changes = [("client_id", slug(what)), ("scope", scope.to_owned())];
        let changes = changes.each_ref().map(|(name, value)| (*name, value.as_str()));
        super::code(&self.server, &mut self.browser(what.user), &changes)
    }

    fn refresh_token(&self, what: &Presented, scope: &str) -> String {
        let code = self.code(what, scope);
        text(&self.exchange(what, Asks::Right, &code), "refresh_token")
    }

    /// A code that its person let in.
    fn device_code(&self, what: &Presented) -> String {
        let begun = self.post("/oauth2/device", what, Asks::Right, &[("scope", "openid")]);
        let (issuer, mut browser) = (issuer(&self.server), self.browser(what.user));
        let url = format!("{issuer}/device");
        let page = browser.open(&url);
        let user_code = text(&begun, "user_code");
        let typed = browser.submit(&url, &page, &[("code", &user_code)]);
        let url = issuer + typed.location();
        let answered = browser.submit(&url, &page, &[("do", "allow")]);
        assert_eq!(answered.status, 200, "{what:?} {}", answered.body);
        text(&begun, "device_code")
    }

    pub fn exchange(&self, what: &Presented, asks: Asks, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post("/oauth2/token", what, asks, &form)
    }

    /// Presents something at the token endpoint.
    pub fn ask(&self, cell: &Cell, text: &str) -> Answer {
        let (what, asks) = (&cell.what, cell.asks);
        let form = match what.grant {
            Grant::Code | Grant::Pushed => return self.exchange(what, asks, text),
            Grant::Refresh | Grant::Offline => {
                vec![("grant_type", "refresh_token"), ("refresh_token", text)]
            }
            Grant::Device => vec![("grant_type", DEVICE_CODE), ("device_code", text)],
            Grant::Itself => vec![("grant_type", "client_credentials")],
        };
        self.post("/oauth2/token", what, asks, &form)
    }

    /// Posts as a client, each time from another address: wrong secrets and open codes are counted.
    pub fn post(&self, path: &str, what: &Presented, asks: Asks, form: &[(&str, &str)]) -> Answer {
        let own = slug(what);
        let secret = match asks {
            Asks::Right if what.app != App::Public => Some(("wiki", SECRET)),
            Asks::WrongSecret => Some(("wiki", ANOTHERS_SECRET)),
            Asks::Another => Some(("another", ANOTHERS_SECRET)),
            Asks::Right | Asks::Nothing => None,
        };
        let mut form = form.to_vec();
        if secret.is_none() {
            form.push(("client_id", &own));
        }
        let [_, a, b, c] = self.addresses.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let request = self.server.request("POST", &host(&self.server), path).form(&form);
        let request = request.with("X-Forwarded-For", format!("100.{a}.{b}.{c}"));
        match secret {
            Some(("another", secret)) => request.with("Authorization", basic("another", secret)),
            Some((_, secret)) => request.with("Authorization", basic(&own, secret)),
            None => request,
        }
        .send()
    }

    /// Makes people and apps what their names say.
    pub fn turn(&self) {
        self.server.edit("home.kdl", &household(&files(Time::After)));
        let mut arguments = vec!["apply".to_owned()];
        for what in ["user:removed".to_owned()].into_iter().chain(gone()) {
            arguments.extend(["--allow-prune".to_owned(), what]);
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let done = self.server.command(&arguments);
        let said = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
        let (url, mut browser) =
            (self.server.url(EXTERNAL) + "/sign-out", self.browser(User::SignedOut));
        let page = browser.open(&url);
        assert_eq!(browser.submit(&url, &page, &[]).status, 303);
        self.server.set_password(&name(User::NewPassword), "another-lantern-43-river");
    }

    /// Times are moved in the store: some of it is over, some was used half a minute ago. What is not over
    /// lasts for an hour, and what was used just now stays so, however long the rest takes.
    pub fn let_time_pass(&self, given: &[Given]) {
        let now = Clock::machine().now().0;
        let (past, later) = (now - 1, now + 3_600_000);
        let digests = |wanted: &dyn Fn(&Presented) -> bool| {
            let found = given.iter().filter(|each| wanted(&each.what));
            let found =
                found.map(|each| self.server.bytes(&self.key.digest(each.text.as_bytes()).0));
            found.chain(["NULL".to_owned()]).collect::<Vec<_>>().join(", ")
        };
        let expired = digests(&|what| what.expiry == Expiry::Expired);
        let unused = digests(&|what| (what.expiry, what.reuse) == (Expiry::Expired, Reuse::First));
        let fresh = digests(&|what| what.expiry == Expiry::Fresh);
        let late = digests(&|what| what.reuse == Reuse::Late);
        let second = digests(&|what| what.reuse == Reuse::Second);
        let set = |table: &str, what: &str, at: i64, digests: &str| {
            format!("UPDATE {table} SET {what} = {at} WHERE digest IN ({digests});\n")
        };
        let grants = |table: &str, at: i64, digests: &str| {
            format!(
                "UPDATE grants SET expires_at = {at} WHERE id IN \
                (SELECT grant_id FROM {table} WHERE digest IN ({digests}));\n"
            )
        };
        let mut sql = String::new();
        for table in ["codes", "refresh_tokens", "device_codes"] {
            sql += &set(table, "expires_at", past, &expired);
            sql += &grants(table, past, &unused);
        }
        for table in ["codes", "device_codes"] {
            sql += &set(table, "expires_at", later, &fresh);
            sql += &grants(table, later, &fresh);
        }
        sql += &set("refresh_tokens", "used_at", now - 30_500, &late);
        sql += &set("refresh_tokens", "used_at", later, &second);
        self.server.tamper(&sql);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Before,
    After,
}

/// The apps of the table, each once.
fn apps() -> Vec<Presented> {
    let mut all: Vec<Presented> = Vec::new();
    for what in Presented::all() {
        if !all.iter().any(|known| slug(known) == slug(&what)) {
            all.push(what);
        }
    }
    all
}

fn gone() -> impl Iterator<Item = String> {
    let gone = apps().into_iter().filter(|what| what.app == App::Gone);
    gone.map(|what| format!("app:{}", slug(&what)))
}

fn files(time: Time) -> String {
    let mut text = String::from(
        "group members \"Members\"\nservice-account as-active \"Active\" { in members }\n",
    );
    let after = time == Time::After;
    text += &format!(
        "service-account as-left \"Left\" {{ {} }}\n",
        if after { "" } else { "in members" }
    );
    for user in User::ALL {
        let (name, groups) = (name(user), "in members");
        text += &match (after, user) {
            (true, User::Removed) => String::new(),
            (true, User::Disabled) => format!("user {name} \"{name}\" disabled {{ {groups} }}\n"),
            (true, User::Left) => format!("user {name} \"{name}\"\n"),
            _ => format!("user {name} \"{name}\" {{ {groups} }}\n"),
        };
    }
    text += &app("another", "client-secret (env)DOORWARD_SECRET_ANOTHER", CODES, OPEN);
    for what in apps() {
        if after && what.app == App::Gone {
            continue;
        }
        text += &declared(&what, time);
    }
    text
}

const CODES: &str = "grants authorization-code device-code";
const OPEN: &str = "allow group:members";

fn declared(what: &Presented, time: Time) -> String {
    let account = match what.user {
        User::Left => "as-left",
        _ => "as-active",
    };
    let itself = format!("grants client-credentials; acts-as {account}");
    let is_lost = what.app == App::Lost && time == Time::After;
    let grants = match (what.grant == Grant::Itself, is_lost) {
        (true, false) | (false, true) => itself.as_str(),
        (true, true) | (false, false) => CODES,
    };
    let rules = match (time, what.rule) {
        (Time::After, Rule::Refuses) => "allow group:admins",
        (Time::After, Rule::Mfa) => "require mfa; allow group:members",
        _ => OPEN,
    };
    let kind = match what.app {
        App::Public => "",
        _ => "client-secret (env)DOORWARD_SECRET_APPS",
    };
    app(&slug(what), kind, grants, rules)
}

fn app(slug: &str, secret: &str, grants: &str, rules: &str) -> String {
    let (public, scopes) = match secret {
        "" => (" public", "openid offline_access"),
        _ => ("", "openid offline_access things"),
    };
    format!(
        "app {slug} \"{slug}\" {{\n oidc{public} {{\n {secret}\n redirect-uri \"{REDIRECT}\"\n {grants}\n \
         scopes {scopes}\n refresh-token days=30\n signing ES256\n }}\n access {{ {rules} }}\n}}\n"
    )
}
