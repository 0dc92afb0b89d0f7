//! Blueprints built by hand, for tests.

use std::time::Duration;

use crate::blueprint::Blueprint;
use crate::blueprint::app::{Access, App, HeaderLine, IdentityHeaders, Preflight, Proxy, Reach};
use crate::blueprint::settings::{
    DefaultFlows, PasswordRules, ReconcileRules, Server, SessionLimits, Settings,
};
use crate::blueprint::source::{FileId, Span, Spanned};
use crate::blueprint::traefik::{Middleware, MiddlewareKind, Tls, Traefik};
use crate::model::host::{Host, HostPattern};
use crate::model::network::Network;
use crate::model::web_url::{SocketAddress, WebUrl};

pub fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(value, span(1))
}

/// A place that differs from others by its number.
pub fn span(number: usize) -> Span {
    Span::new(FileId(0), number * 10, number * 10 + 5)
}

pub fn text(value: &str) -> Spanned<String> {
    at(value.to_owned())
}

pub fn url(value: &str) -> Spanned<WebUrl> {
    at(WebUrl::parse(value).unwrap())
}

pub fn listen(address: &str) -> Spanned<SocketAddress> {
    at(SocketAddress::parse(address).unwrap())
}

pub fn header(name: &str, value: &str) -> HeaderLine {
    HeaderLine { name: text(name), value: text(value) }
}

pub fn proxy(address: &str, to: Option<&str>) -> Proxy {
    Proxy {
        reach: Reach::Address(url(address)),
        to: to.map(url),
        bypass: Vec::new(),
        protect_only: Vec::new(),
        headers: Vec::new(),
        identity_headers: IdentityHeaders::Unsaid,
        preflight: Preflight::Deny,
        at: span(2),
    }
}

pub fn domain(domain: &str, hosts: &[&str], to: Option<&str>) -> Proxy {
    let hosts = hosts.iter().map(|host| at(HostPattern::parse(host).unwrap())).collect();
    let reach = Reach::Domain { domain: at(Host::parse(domain).unwrap()), hosts };
    Proxy { reach, ..proxy("https://unused.example.com", to) }
}

pub fn app(slug: &str, proxies: Vec<Proxy>, middlewares: &[&str]) -> App {
    App {
        slug: text(slug),
        title: None,
        category: None,
        icon: None,
        formerly: None,
        hidden: false,
        protect: false,
        launch_url: None,
        proxies,
        authentication: None,
        authorization: None,
        session: None,
        oidc: None,
        ldap: None,
        scim: None,
        middlewares: middlewares.iter().map(|name| text(name)).collect(),
        access: Access::default(),
        at: span(3),
    }
}

pub fn traefik() -> Traefik {
    Traefik {
        write: None,
        serve: None,
        reach_doorward_at: Some(url("http://127.0.0.1:9000")),
        entrypoints: vec![text("websecure")],
        tls: Some(Tls { resolver: Some(text("letsencrypt")) }),
        forward_auth: Some(text("doorward")),
        middlewares: Vec::new(),
        raw: Vec::new(),
        at: span(4),
    }
}

pub fn middleware(name: &str, kind: MiddlewareKind) -> Middleware {
    Middleware { name: text(name), kind, at: span(5) }
}

/// As small as it gets.
pub fn blueprint(apps: Vec<App>) -> Blueprint {
    Blueprint {
        server: Server::default(),
        settings: settings(),
        email: None,
        traefik: Some(traefik()),
        ldap: None,
        brands: Vec::new(),
        notifies: Vec::new(),
        groups: Vec::new(),
        users: Vec::new(),
        service_accounts: Vec::new(),
        policies: Vec::new(),
        flows: Vec::new(),
        apps,
        sources: Vec::new(),
        personas: Vec::new(),
        tests: Vec::new(),
        invariants: Vec::new(),
        objects: Vec::new(),
        singles: Vec::new(),
    }
}

/// What the homelab example says to a reverse proxy.
pub fn homelab() -> Blueprint {
    let mut grafana = proxy("https://grafana.example.com", Some("http://10.0.20.30:3000"));
    grafana.identity_headers = IdentityHeaders::Remote;
    grafana.headers = vec![header("X-WEBAUTH-USER", "user.username")];
    let pihole = proxy("https://pihole.example.com", Some("http://10.0.20.53:80"));
    let lab = domain("lab.example.com", &["*.lab.example.com"], None);
    let mut blueprint = blueprint(vec![
        app("grafana", vec![grafana], &["secure-headers"]),
        app("pihole", vec![pihole], &["lan-only", "burst"]),
        app("lab", vec![lab], &[]),
    ]);
    blueprint.server.listen_envoy = Some(listen("127.0.0.1:9002"));
    if let Some(traefik) = &mut blueprint.traefik {
        traefik.middlewares = declared_middlewares();
        traefik.raw = vec![text("http:\n  middlewares:\n    compress-all:\n      compress: {}\n")];
    }
    blueprint
}

fn declared_middlewares() -> Vec<Middleware> {
    let networks = ["10.0.0.0/8", "192.168.0.0/16"].map(|net| at(Network::parse(net).unwrap()));
    let response = vec![
        (text("Strict-Transport-Security"), "max-age=31536000; includeSubDomains".to_owned()),
        (text("X-Content-Type-Options"), "nosniff".to_owned()),
    ];
    vec![
        middleware("secure-headers", MiddlewareKind::Headers { request: Vec::new(), response }),
        middleware("lan-only", MiddlewareKind::IpAllow(networks.into())),
        middleware("burst", MiddlewareKind::RateLimit { average: 100, burst: Some(50) }),
    ]
}

fn settings() -> Settings {
    Settings {
        external_host: url("https://auth.example.com"),
        default_token_lifetime: Duration::from_secs(3600),
        session: SessionLimits::default(),
        default_flows: DefaultFlows::default(),
        password: PasswordRules::default(),
        breached_list: None,
        retain_events: None,
        backup: None,
        repository: None,
        trusted_ca: None,
        key_rotation: None,
        reconcile: ReconcileRules::default(),
        runtime_objects: Vec::new(),
        duo: None,
        at: span(6),
    }
}
