//! Settings of the process that the files changed since it started: listeners, store and keys are
//! opened once, and only a restart takes up what else the files say of them.

use std::fmt::Display;

use super::options::Options;
use super::places::Places;
use crate::blueprint::settings::Server;
use crate::runtime::health::AwaitsRestart;

/// What differs between the places of this process and those that a restart would find. Where an
/// argument goes before the files, no restart changes anything.
#[must_use]
pub fn awaited(options: &Options, running: &Places, declared: &Server) -> Vec<AwaitsRestart> {
    // An address that cannot be understood is the check's affair.
    let Ok(next) = Places::new(options, declared) else { return Vec::new() };
    let all = [
        listen(running, &next),
        differ("tls", certificate(running), certificate(&next)),
        differ("listen-envoy", one(running.envoy.as_ref()), one(next.envoy.as_ref())),
        differ("metrics", one(running.metrics.as_ref()), one(next.metrics.as_ref())),
        state(running, &next),
        master_key(running, &next),
    ];
    all.into_iter().flatten().collect()
}

fn differ(setting: &'static str, running: String, declared: String) -> Option<AwaitsRestart> {
    let setting = setting.to_owned();
    (running != declared).then_some(AwaitsRestart { setting, running, declared })
}

/// Under `--listen` the declared port still says which `.localhost` addresses move along.
fn listen(running: &Places, next: &Places) -> Option<AwaitsRestart> {
    let all = |places: &Places| {
        let addresses: Vec<String> = places.listen.iter().map(quoted).collect();
        addresses.join(" ")
    };
    let port = |places: &Places| places.addressing.declared_port;
    differ("listen", all(running), all(next)).or_else(|| {
        let (old, new) = (port(running), port(next));
        differ("listen", format!("--listen in the place of port {old}"), format!("port {new}"))
            .filter(|_| old != new)
    })
}

fn certificate(places: &Places) -> String {
    one(places
        .certificate
        .as_ref()
        .map(|files| format!("cert={} key={}", files.cert.display(), files.key.display())))
}

fn quoted(value: impl Display) -> String {
    format!("\"{value}\"")
}

fn one(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), quoted)
}

/// Compared whole, shown without a password.
fn state(running: &Places, next: &Places) -> Option<AwaitsRestart> {
    let (old, new) = (quoted(&running.state), quoted(&next.state));
    let new = if new == old { "another user, password or option".to_owned() } else { new };
    differ("state", old, new).filter(|_| running.state != next.state)
}

fn master_key(running: &Places, next: &Places) -> Option<AwaitsRestart> {
    let shown = |places: &Places| match &places.master_key {
        Some(origin) => origin.shown(),
        None => format!("{}", places.directory.join("master.key").display()),
    };
    let (old, new) = (shown(running), shown(next));
    let new = if new == old { "another one".to_owned() } else { new };
    differ("master-key", old, new).filter(|_| running.master_key != next.master_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::options::Environment;
    use crate::blueprint::load::understand_sources;
    use crate::blueprint::read::Limits;
    use crate::blueprint::source::Sources;
    use crate::blueprint::validate::Mode;

    fn options() -> Options {
        Options {
            roots: Vec::new(),
            state: None,
            listen: None,
            dev: false,
            read_from: Vec::new(),
            write_to: Vec::new(),
            allow_raw_routers: false,
            strict: false,
            revision: None,
            environment: Environment { working_directory: "/srv".into(), ..Environment::default() },
        }
    }

    fn server(text: &str) -> Server {
        let sources = Sources::single("home.kdl", text);
        understand_sources(sources, &Limits::default(), Mode::default()).server
    }

    /// The lines for a process that started with one text and reads another.
    fn lines(options: &Options, old: &str, new: &str) -> Vec<String> {
        let running = Places::new(options, &server(old)).expect("places");
        let awaited = awaited(options, &running, &server(new));
        awaited.iter().map(ToString::to_string).collect()
    }

    const OLD: &str = "server { listen \"127.0.0.1:9000\"; metrics \"127.0.0.1:9300\" }";

    #[test]
    fn each_setting_is_told_with_what_runs_and_what_is_declared() {
        let new = "server { listen \"127.0.0.1:9001\" \n listen \"[::1]:9001\"; listen-envoy \"127.0.0.1:9002\"
            state \"sqlite:///var/lib/doorward/state.db\"; master-key (credential)key }";
        insta::assert_snapshot!(lines(&options(), OLD, new).join("\n"), @r#"
        server listen: this server runs with "127.0.0.1:9000", the files say "127.0.0.1:9001" "[::1]:9001"; a restart takes it up
        server listen-envoy: this server runs with none, the files say "127.0.0.1:9002"; a restart takes it up
        server metrics: this server runs with "127.0.0.1:9300", the files say none; a restart takes it up
        server state: this server runs with "sqlite:///srv/state/doorward.db", the files say "sqlite:///var/lib/doorward/state.db"; a restart takes it up
        server master-key: this server runs with /srv/state/master.key, the files say (credential)key; a restart takes it up
        "#);
        assert!(lines(&options(), OLD, OLD).is_empty());
    }

    #[test]
    fn networks_that_are_trusted_need_no_restart() {
        let new = OLD.replace("metrics", "trusted-proxies \"10.0.0.0/8\"; metrics");
        assert!(lines(&options(), OLD, &new).is_empty());
    }

    /// No restart with the same arguments changes what they decide.
    #[test]
    fn an_argument_goes_before_the_files() {
        let given = Options {
            listen: Some(([127, 0, 0, 1], 9100).into()),
            state: Some("sqlite:///srv/state.db".to_owned()),
            ..options()
        };
        let state = OLD.replace("metrics", "state \"sqlite:///var/other.db\"; metrics");
        assert!(lines(&given, OLD, &state).is_empty());
        let listen = OLD.replace("127.0.0.1:9000", "0.0.0.0:9000");
        assert!(lines(&given, OLD, &listen).is_empty());
        let port = OLD.replace("9000", "9001");
        insta::assert_snapshot!(lines(&given, OLD, &port).join("\n"), @"server listen: this server runs with --listen in the place of port 9000, the files say port 9001; a restart takes it up");
        let dev = Options { dev: true, ..options() };
        assert!(lines(&dev, OLD, &state).is_empty() && lines(&dev, OLD, &listen).is_empty());
    }

    #[test]
    fn a_password_in_the_address_of_the_state_is_never_told() {
        let text = |password| format!("server {{ state \"postgres://door:{password}@db/state\" }}");
        let told = lines(&options(), &text("hunter1"), &text("hunter2")).join("\n");
        assert!(told.contains("db:5432/state") && !told.contains("hunter"), "{told}");
    }
}
