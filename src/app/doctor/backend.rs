//! The addresses that a service of Traefik leads to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::traefik_api::full_name;

/// Services within services are looked at this deep.
const DEEPEST: usize = 8;

/// Services by full name, such as `wiki@docker`.
pub type Services = BTreeMap<String, Value>;

/// The addresses behind a service, through weights, mirrors and spares.
pub fn addresses(services: &Services, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(services, name, 0, &mut found);
    found
}

/// An address as it is compared: scheme, host and port.
pub fn normal(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    Some(format!("{}://{}:{}", url.scheme(), url.host_str()?, url.port_or_known_default()?))
}

fn gather(services: &Services, name: &str, depth: usize, found: &mut BTreeSet<String>) {
    let Some(service) = services.get(name).filter(|_| depth < DEEPEST) else { return };
    let list = |path: &str| service.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let servers = list("/loadBalancer/servers").filter_map(|each| each.get("url")?.as_str());
    found.extend(servers.filter_map(normal));
    let many = ["/weighted/services", "/highestRandomWeight/services"];
    let many = many.into_iter().flat_map(list).filter_map(|each| each.get("name")?.as_str());
    let one = ["/mirroring/service", "/failover/service", "/failover/fallback"];
    let one = one.into_iter().filter_map(|path| service.pointer(path)?.as_str());
    for inner in many.chain(one) {
        let provider = name.rsplit('@').next().unwrap_or_default();
        gather(services, &full_name(inner, provider), depth.saturating_add(1), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_found_through_services_of_services() {
        let services: Services = [
            ("a@file", json!({ "loadBalancer": { "servers": [{ "url": "http://a/" }, { "url": "https://A:443/x" }] } })),
            ("b@docker", json!({ "weighted": { "services": [{ "name": "a@file" }, { "name": "b" }] } })),
            ("c@file", json!({ "failover": { "service": "b@docker", "fallback": "none" } })),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let both = BTreeSet::from(["http://a:80".to_owned(), "https://a:443".to_owned()]);
        assert_eq!(addresses(&services, "c@file"), both);
        assert!(addresses(&services, "none@file").is_empty());
    }
}
