//! Traefik's dynamic configuration, as a file and for its HTTP provider (`forward-auth.md` 6).
//!
//! `dynamic` is pure: the same blueprint gives the same bytes. Whatever could load with a warning,
//! open a way around the login or run as a template is a complaint instead.

mod entries;
mod middleware;
mod raw;
mod router;
mod rule;
mod yaml;

use serde_json::{Map, Value};

use self::entries::{Entries, MIDDLEWARES};
use super::Stamp;
use crate::blueprint::Blueprint;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::traefik::Traefik;

/// Whether `raw` may hold routers and services; only the host says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawRouters {
    Refused,
    Allowed,
}

/// Everything that Traefik is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic {
    stamp: Stamp,
    tree: Map<String, Value>,
}

impl Dynamic {
    /// A file for Traefik's file provider.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        self.stamp.first_line() + &yaml::text(&self.tree)
    }

    /// An answer for Traefik's HTTP provider. The stamp travels in response headers.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.tree.clone()).to_string()
    }

    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    #[must_use]
    pub fn tree(&self) -> &Map<String, Value> {
        &self.tree
    }
}

/// Makes Traefik's configuration. `None` if the blueprint has no `traefik`.
pub fn dynamic(
    blueprint: &Blueprint,
    stamp: &Stamp,
    raw_routers: RawRouters,
) -> Result<Option<Dynamic>, Vec<Diagnostic>> {
    let Some(traefik) = &blueprint.traefik else { return Ok(None) };
    let mut entries = Entries::default();
    middleware::check_headers(&mut entries, blueprint);
    match reach(&mut entries, traefik) {
        Some(reach) => {
            router::add_sign_in(&mut entries, blueprint, traefik, &reach);
            router::add_apps(&mut entries, blueprint, traefik);
            middleware::add_chain(&mut entries, blueprint, traefik, &reach);
        }
        None => router::add_apps(&mut entries, blueprint, traefik),
    }
    middleware::add_declared(&mut entries, traefik);
    for block in &traefik.raw {
        raw::add(&mut entries, block, raw_routers);
    }
    check_middlewares(&mut entries, blueprint);
    entries.finish().map(|tree| Some(Dynamic { stamp: stamp.clone(), tree }))
}

/// `http://127.0.0.1:9000`, without a slash.
fn reach(entries: &mut Entries, traefik: &Traefik) -> Option<String> {
    let Some(address) = &traefik.reach_doorward_at else {
        entries.problem(
            Diagnostic::error("traefik::no-address", "Traefik is not told where Doorward is")
                .at(traefik.at, "`reach-doorward-at` is missing")
                .help("add the line: reach-doorward-at \"http://127.0.0.1:9000\""),
        );
        return None;
    };
    router::upstream(entries, address)
}

/// A router that names an unknown middleware is left out by Traefik, and its app goes dark.
fn check_middlewares(entries: &mut Entries, blueprint: &Blueprint) {
    let routed =
        blueprint.apps.iter().filter(|app| app.proxies.iter().any(|each| each.to.is_some()));
    for name in routed.flat_map(|app| &app.middlewares) {
        let elsewhere = name.value.contains('@');
        if !elsewhere && !entries.contains(MIDDLEWARES, &name.value) {
            let message = format!("there is no middleware `{}`", name.value);
            entries.problem(
                Diagnostic::error("traefik::unknown-middleware", message)
                    .at(name.span, "declared neither in `traefik` nor in `raw`")
                    .help(format!("declare it, or write {}@docker for one of Docker", name.value)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::app::IdentityHeaders;
    use crate::blueprint::source::Spanned;
    use crate::blueprint::traefik::{MiddlewareKind, Serve, Tls};
    use crate::model::web_url::WebUrl;
    use crate::proxy_config::fixture::{self, app, domain, middleware, proxy, text};

    fn stamp() -> Stamp {
        Stamp::new("a1b2c3d", "sha256:3f00")
    }

    fn made(blueprint: &Blueprint) -> Dynamic {
        dynamic(blueprint, &stamp(), RawRouters::Refused).unwrap().unwrap()
    }

    fn codes(blueprint: &Blueprint, routers: RawRouters) -> Vec<&'static str> {
        let problems = dynamic(blueprint, &stamp(), routers).unwrap_err();
        problems.iter().map(|problem| problem.code).collect()
    }

    fn with_raw(raw: &str) -> Blueprint {
        let mut blueprint = fixture::homelab();
        blueprint.traefik.as_mut().unwrap().raw = vec![text(raw)];
        blueprint
    }

    fn at<'a>(dynamic: &'a Dynamic, pointer: &str) -> &'a Value {
        let (first, rest) = pointer.split_once('/').unwrap();
        dynamic.tree()[first].pointer(&format!("/{rest}")).unwrap_or(&Value::Null)
    }

    #[test]
    fn a_homelab_gives_this_file() {
        insta::assert_snapshot!(made(&fixture::homelab()).to_yaml(), @r#"
        # Written by Doorward from revision a1b2c3d, digest sha256:3f00; edits are replaced
        http:
          routers:
            doorward:
              rule: "Host(`auth.example.com`) && !PathPrefix(`/auth/`) && !PathPrefix(`/outpost.goauthentik.io/auth/`) && !PathPrefix(`/api/authz/`)"
              priority: 900000
              entryPoints:
                - "websecure"
              service: "doorward"
              tls:
                certResolver: "letsencrypt"
            app-grafana.doorward:
              rule: "Host(`grafana.example.com`) && (PathPrefix(`/.doorward/`) || PathPrefix(`/outpost.goauthentik.io/`)) && !PathPrefix(`/outpost.goauthentik.io/auth/`)"
              priority: 1000000
              entryPoints:
                - "websecure"
              service: "doorward"
              tls:
                certResolver: "letsencrypt"
            app-grafana:
              rule: "Host(`grafana.example.com`)"
              priority: 27
              entryPoints:
                - "websecure"
              middlewares:
                - "doorward"
                - "secure-headers"
              service: "app-grafana"
              tls:
                certResolver: "letsencrypt"
            app-pihole.doorward:
              rule: "Host(`pihole.example.com`) && (PathPrefix(`/.doorward/`) || PathPrefix(`/outpost.goauthentik.io/`)) && !PathPrefix(`/outpost.goauthentik.io/auth/`)"
              priority: 1000000
              entryPoints:
                - "websecure"
              service: "doorward"
              tls:
                certResolver: "letsencrypt"
            app-pihole:
              rule: "Host(`pihole.example.com`)"
              priority: 26
              entryPoints:
                - "websecure"
              middlewares:
                - "doorward"
                - "lan-only"
                - "burst"
              service: "app-pihole"
              tls:
                certResolver: "letsencrypt"
          services:
            doorward:
              loadBalancer:
                servers:
                  - url: "http://127.0.0.1:9000"
            app-grafana:
              loadBalancer:
                servers:
                  - url: "http://10.0.20.30:3000"
            app-pihole:
              loadBalancer:
                servers:
                  - url: "http://10.0.20.53"
          middlewares:
            doorward:
              chain:
                middlewares:
                  - "doorward.delete"
                  - "doorward.ask"
            doorward.delete:
              headers:
                customRequestHeaders:
                  X-Forwarded-Host: ""
                  X-Forwarded-Method: ""
                  X-Forwarded-Uri: ""
                  X-HTTP-Method-Override: ""
                  X-Original-Host: ""
                  X-Original-Method: ""
                  X-Original-URI: ""
                  X-Original-URL: ""
                  X-Rewrite-URL: ""
            doorward.ask:
              forwardAuth:
                address: "http://127.0.0.1:9000/auth/traefik"
                trustForwardHeader: true
                maxResponseBodySize: 65536
                authResponseHeaders:
                  - "Remote-User"
                  - "Remote-Groups"
                  - "Remote-Name"
                  - "Remote-Email"
                  - "X-WEBAUTH-USER"
                  - "Remote_User"
                  - "Remote_Groups"
                  - "Remote_Name"
                  - "Remote_Email"
                  - "X_WEBAUTH_USER"
                  - "Authorization"
                  - "Cookie"
                  - "X-Forwarded-Host"
            burst:
              rateLimit:
                average: 100
                burst: 50
            lan-only:
              ipAllowList:
                sourceRange:
                  - "10.0.0.0/8"
                  - "192.168.0.0/16"
            secure-headers:
              headers:
                customResponseHeaders:
                  Strict-Transport-Security: "max-age=31536000; includeSubDomains"
                  X-Content-Type-Options: "nosniff"
            compress-all:
              compress: {}
        "#);
    }

    #[test]
    fn the_same_blueprint_gives_the_same_bytes_in_any_order_of_files() {
        let mut blueprint = fixture::homelab();
        let before = made(&blueprint);
        assert_eq!(made(&blueprint.clone()).to_yaml(), before.to_yaml());
        blueprint.apps.reverse();
        assert_eq!(made(&blueprint).to_yaml(), before.to_yaml());
        assert_eq!(made(&blueprint).to_json(), before.to_json());
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let dynamic = made(&fixture::homelab());
        let yaml: Value = serde_saphyr::from_str(&dynamic.to_yaml()).unwrap();
        let json: Value = serde_json::from_str(&dynamic.to_json()).unwrap();
        assert_eq!(yaml, json);
    }

    #[test]
    fn without_a_traefik_node_nothing_is_made() {
        let blueprint = Blueprint { traefik: None, ..fixture::homelab() };
        assert_eq!(dynamic(&blueprint, &stamp(), RawRouters::Refused), Ok(None));
    }

    #[test]
    fn no_public_router_leads_to_a_decision_endpoint() {
        let mut blueprint = fixture::homelab();
        let path = text("/traefik/dynamic.json");
        blueprint.traefik.as_mut().unwrap().serve = Some(Serve { path, token: None });
        let dynamic = made(&blueprint);
        let rule = at(&dynamic, "http/routers/doorward/rule").as_str().unwrap();
        for path in
            ["/auth/", "/outpost.goauthentik.io/auth/", "/api/authz/", "/traefik/dynamic.json"]
        {
            assert!(rule.contains(&format!("&& !PathPrefix(`{path}`)")), "{rule}");
        }
        let own = at(&dynamic, "http/routers/app-grafana.doorward/rule").as_str().unwrap();
        assert!(own.ends_with("&& !PathPrefix(`/outpost.goauthentik.io/auth/`)"), "{own}");
        assert_eq!(at(&dynamic, "http/routers/doorward/middlewares"), &Value::Null);
    }

    #[test]
    fn every_app_that_is_routed_passes_the_middleware_first() {
        let dynamic = made(&fixture::homelab());
        let routers = dynamic.tree()["http"]["routers"].as_object().unwrap();
        let mut apps = 0;
        for (name, router) in routers.iter().filter(|(_, each)| each["service"] != "doorward") {
            assert_eq!(router["middlewares"][0], "doorward", "{name}");
            apps += 1;
        }
        assert_eq!(apps, 2);
    }

    #[test]
    fn an_unnamed_middleware_still_guards() {
        let mut blueprint = fixture::homelab();
        blueprint.traefik.as_mut().unwrap().forward_auth = None;
        let dynamic = made(&blueprint);
        assert_eq!(at(&dynamic, "http/routers/app-pihole/middlewares/0"), "doorward");
        assert!(at(&dynamic, "http/middlewares/doorward/chain").is_object());
    }

    #[test]
    fn the_middleware_lists_the_names_of_all_apps_and_their_aliases() {
        let mut blueprint = fixture::homelab();
        let mut wiki = proxy("https://wiki.example.com", None);
        wiki.identity_headers = IdentityHeaders::Authentik;
        blueprint.apps.push(app("wiki", vec![wiki], &[]));
        let dynamic = made(&blueprint);
        let listed = at(&dynamic, "http/middlewares/doorward.ask/forwardAuth/authResponseHeaders");
        let listed: Vec<&str> =
            listed.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        for name in [
            "Remote-User",
            "Remote_User",
            "X-authentik-jwt",
            "X_authentik_meta_app",
            "X-WEBAUTH-USER",
            "X_WEBAUTH_USER",
            "Cookie",
            "Authorization",
            "X-Forwarded-Host",
        ] {
            assert!(listed.contains(&name), "{name} in {listed:?}");
        }
    }

    #[test]
    fn a_domain_with_an_upstream_gets_a_router_for_each_host() {
        let hosts = ["*.lab.example.com", "nas.lab.example.com"];
        let lab = domain("lab.example.com", &hosts, Some("http://10.0.0.9"));
        let dynamic = made(&fixture::blueprint(vec![app("lab", vec![lab], &[])]));
        assert_eq!(at(&dynamic, "http/routers/app-lab/priority"), 4);
        assert_eq!(at(&dynamic, "http/routers/app-lab/tls/domains/0/main"), "*.lab.example.com");
        assert_eq!(at(&dynamic, "http/routers/app-lab.2/rule"), "Host(`nas.lab.example.com`)");
        assert_eq!(at(&dynamic, "http/routers/app-lab.2/service"), "app-lab");
        assert_eq!(at(&dynamic, "http/services/app-lab.2"), &Value::Null);
    }

    #[test]
    fn several_addresses_of_an_app_have_names_and_upstreams_of_their_own() {
        let one = proxy("https://one.example.com", Some("http://10.0.0.1:1"));
        let two = proxy("http://two.example.com:8080", Some("http://10.0.0.2:2"));
        let dynamic = made(&fixture::blueprint(vec![app("x", vec![one, two], &[])]));
        assert_eq!(at(&dynamic, "http/routers/app-x.2/service"), "app-x.2");
        let url = at(&dynamic, "http/services/app-x.2/loadBalancer/servers/0/url");
        assert_eq!(url, "http://10.0.0.2:2");
        assert_eq!(at(&dynamic, "http/routers/app-x.2/rule"), "Host(`two.example.com`)");
        assert!(at(&dynamic, "http/routers/app-x/tls").is_object());
        assert_eq!(at(&dynamic, "http/routers/app-x.2/tls"), &Value::Null, "plain http has no tls");
    }

    /// security.md R2
    #[test]
    fn a_template_in_any_string_is_refused() {
        const T: &str = "{{ env `HOME` }}";
        type Change = fn(&mut Blueprint);
        let changes: [(&str, Change); 10] = [
            ("slug", |b| b.apps[0].slug = text(T)),
            ("app middleware", |b| b.apps[0].middlewares.push(text(&format!("{T}@file")))),
            ("entry point", |b| traefik(b).entrypoints.push(text(T))),
            ("resolver", |b| traefik(b).tls = Some(Tls { resolver: Some(text(T)) })),
            ("forward-auth", |b| traefik(b).forward_auth = Some(text(T))),
            ("serve", |b| traefik(b).serve = Some(Serve { path: text(T), token: None })),
            ("middleware name", |b| {
                traefik(b).middlewares.push(middleware(T, MiddlewareKind::IpAllow(Vec::new())));
            }),
            ("header name", |b| traefik(b).middlewares.push(headers(T, "x"))),
            ("header value", |b| traefik(b).middlewares.push(headers("X-A", T))),
            ("raw", |b| {
                traefik(b).raw.push(text(&format!("http: {{middlewares: {{a: {{b: '{T}'}}}}}}")))
            }),
        ];
        for (what, change) in changes {
            let mut blueprint = fixture::homelab();
            change(&mut blueprint);
            assert!(
                codes(&blueprint, RawRouters::Allowed).contains(&"traefik::template"),
                "{what}"
            );
        }
    }

    #[test]
    fn a_template_spelled_with_escapes_is_refused_all_the_same() {
        let blueprint = with_raw("http: {middlewares: {a: {b: \"\\x7b\\u007b env `X` }}\"}}}");
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::template"]);
        let blueprint = with_raw("http: {middlewares: {a: {b: &x '{{', c: *x}}}");
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::template"]);
    }

    /// security.md R2
    #[test]
    fn raw_routers_and_services_need_the_switch_of_the_host() {
        let raw = "http:\n  routers:\n    mine:\n      rule: Host(`auth.example.com`)\n      service: x\n  \
                   services:\n    x: {loadBalancer: {servers: [{url: 'http://evil'}]}}\n";
        let blueprint = with_raw(raw);
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::raw-routers"; 2]);
        let allowed = dynamic(&blueprint, &stamp(), RawRouters::Allowed).unwrap().unwrap();
        assert_eq!(at(&allowed, "http/routers/mine/service"), "x");
    }

    #[test]
    fn raw_tls_and_transports_are_merged() {
        let raw = "http: {serversTransports: {lax: {insecureSkipVerify: true}}}\n\
                   tls:\n  options: {modern: {minVersion: VersionTLS13}}\n  \
                   certificates: [{certFile: /a, keyFile: /b}]\n";
        let mut blueprint = with_raw(raw);
        let more = "tls: {certificates: [{certFile: /c, keyFile: /d}]}";
        traefik(&mut blueprint).raw.push(text(more));
        let dynamic = made(&blueprint);
        assert_eq!(at(&dynamic, "http/serversTransports/lax/insecureSkipVerify"), true);
        assert_eq!(at(&dynamic, "tls/options/modern/minVersion"), "VersionTLS13");
        assert_eq!(at(&dynamic, "tls/certificates/1/certFile"), "/c");
    }

    #[test]
    fn anything_else_in_raw_is_refused() {
        for raw in ["http: {models: {}}", "providers: {file: {}}", "http: 3", "tls: {options: []}"]
        {
            assert_eq!(
                codes(&with_raw(raw), RawRouters::Allowed),
                ["traefik::raw-section"],
                "{raw}"
            );
        }
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
            + &('b'..='h')
                .map(|c| {
                    let before = char::from(u8::try_from(u32::from(c) - 1).unwrap());
                    format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 10].join(","))
                })
                .collect::<String>();
        let deep = format!("http: {}", "[".repeat(30_000));
        for raw in
            ["http: {", "- a", "http: {}\nhttp: {}", "1: {}", &bomb, &deep, "a: b\n---\nc: d"]
        {
            let code = if raw == "1: {}" { "traefik::raw-section" } else { "traefik::raw-yaml" };
            assert_eq!(codes(&with_raw(raw), RawRouters::Allowed), [code], "{raw:.40}");
        }
    }

    #[test]
    fn taken_names_are_refused() {
        for name in ["doorward", "doorward.ask", "doorward.delete", "burst"] {
            let blueprint =
                with_raw(&format!("http: {{middlewares: {{{name}: {{compress: {{}}}}}}}}"));
            assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::name-taken"], "{name}");
        }
        let raw = "http: {routers: {doorward: {rule: 'Host(`a`)', service: b}}}";
        assert_eq!(codes(&with_raw(raw), RawRouters::Allowed), ["traefik::name-taken"]);
    }

    #[test]
    fn what_traefik_would_ignore_or_drop_is_refused() {
        let mut blueprint = fixture::homelab();
        blueprint.apps[0].middlewares.push(text("missing"));
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::unknown-middleware"]);

        for to in ["http://10.0.0.1/path", "http://10.0.0.1/?q"] {
            let url = Spanned::new(WebUrl::parse(to).unwrap(), fixture::span(8));
            let mut blueprint = fixture::homelab();
            blueprint.apps[0].proxies[0].to = Some(url);
            let problems = dynamic(&blueprint, &stamp(), RawRouters::Refused).unwrap_err();
            assert_eq!(problems.len(), 1, "{to}");
            assert_eq!(problems[0].span(), fixture::span(8), "{to}");
            assert_eq!(problems[0].help.as_deref(), Some("write \"http://10.0.0.1\""));
        }

        let mut blueprint = fixture::homelab();
        traefik(&mut blueprint).reach_doorward_at = None;
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["traefik::no-address"]);

        let mut blueprint = fixture::homelab();
        blueprint.apps[1].proxies[0].headers = vec![fixture::header("Host", "'x'")];
        assert_eq!(codes(&blueprint, RawRouters::Refused), ["proxy::bad-header"]);
    }

    fn traefik(blueprint: &mut Blueprint) -> &mut Traefik {
        blueprint.traefik.as_mut().unwrap()
    }

    fn headers(name: &str, value: &str) -> crate::blueprint::traefik::Middleware {
        let response = vec![(text(name), value.to_owned())];
        middleware("h", MiddlewareKind::Headers { request: Vec::new(), response })
    }
}
