//! Routers, middlewares and services for tests: the application `wiki` and a sign-in host.

use super::finding::{Finding, Level};
use super::router::Router;
use super::routers::{self, Facts};
use super::rule::Rule;
use super::site::Site;
use crate::model::host::HostPattern;

pub fn router(name: &str, rule: &str, middlewares: &[&str]) -> Router {
    Router {
        name: name.to_owned(),
        provider: name.rsplit('@').next().unwrap_or("file").to_owned(),
        rule: Rule::of(rule),
        entry_points: vec!["websecure".to_owned()],
        middlewares: middlewares.iter().map(ToString::to_string).collect(),
        service: "x".to_owned(),
        status: "enabled".to_owned(),
        ..Router::default()
    }
}

pub fn facts(routers: Vec<Router>) -> Facts {
    let middlewares = [
        ("doorward@file", serde_json::json!({ "chain": { "middlewares": ["doorward.ask"] } })),
        (
            "doorward.ask@file",
            serde_json::json!({ "forwardAuth": { "address": "http://d:9000/auth/traefik" } }),
        ),
        ("other@file", serde_json::json!({ "forwardAuth": { "address": "http://d:9000/verify" } })),
        ("https@docker", serde_json::json!({ "redirectScheme": { "scheme": "https" } })),
    ];
    let host = HostPattern::parse("wiki.example.com").expect("a host");
    let site = Site {
        app: "wiki".into(),
        hosts: vec![host],
        place: "wiki.kdl:2".into(),
        to: None,
        open_paths: false,
    };
    Facts {
        routers: [vec![router("auth@file", "Host(`auth.example.com`)", &[])], routers].concat(),
        middlewares: middlewares.map(|(name, value)| (name.to_owned(), value)).into(),
        services: [
            (
                "x@file",
                serde_json::json!({ "loadBalancer": { "servers": [{ "url": "http://w" }] } }),
            ),
            (
                "y@file",
                serde_json::json!({ "loadBalancer": { "servers": [{ "url": "http://y" }] } }),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        sites: vec![site],
        sign_in: "auth.example.com".into(),
        middleware: "doorward".into(),
    }
}

pub fn bad(facts: &Facts) -> Vec<Finding> {
    routers::judge(facts).into_iter().filter(|each| each.level != Level::Ok).collect()
}

pub const WIKI: &str = "Host(`wiki.example.com`)";
