use doorward::blueprint::app::{Reach, RequiredFactor};
use doorward::blueprint::diagnostic::Severity;

use super::reading::{complaints, files, read};

#[test]
fn the_homelab_has_no_mistake() {
    let loaded = read(&files("homelab"));
    let errors = loaded.diagnostics.iter().filter(|each| each.severity == Severity::Error).count();
    assert_eq!(errors, 0, "{}", complaints(&loaded));
    assert!(loaded.blueprint.is_some());
    insta::assert_snapshot!(complaints(&loaded));
}

#[test]
fn the_homelab_means_what_its_guide_says() {
    let blueprint = read(&files("homelab")).blueprint.expect("no error");
    let slugs: Vec<&str> = blueprint.apps.iter().map(|app| app.slug.value.as_str()).collect();
    assert_eq!(
        slugs,
        [
            "gitea",
            "grafana",
            "sonarr",
            "radarr",
            "jellyfin",
            "lab",
            "wiki",
            "pihole",
            "portainer",
            "proxmox",
            "vaultwarden"
        ]
    );
    let app = |slug: &str| blueprint.apps.iter().find(|app| app.slug.value == slug).expect(slug);
    let sonarr = app("sonarr");
    assert_eq!(sonarr.title.as_deref(), Some("Sonarr"));
    let to = sonarr.proxies[0].to.as_ref().expect("an upstream");
    assert_eq!(to.value.as_str(), "http://10.0.20.30:8989/");
    assert_eq!(sonarr.access.rules.len(), 1);
    assert_eq!(sonarr.access.rules[0].subjects.len(), 2);

    let vault = app("vaultwarden");
    assert!(vault.protect);
    assert_eq!(vault.access.requires[0].factor, RequiredFactor::Mfa);
    assert_eq!(vault.access.requires[0].within, Some(std::time::Duration::from_secs(12 * 3600)));
    assert_eq!(vault.access.rules.len(), 2);
    assert_eq!(vault.proxies[0].protect_only.len(), 2);

    let lab = app("lab");
    assert!(lab.hidden);
    assert!(matches!(&lab.proxies[0].reach, Reach::Domain { hosts, .. } if hosts.len() == 1));

    let grafana = app("grafana");
    assert_eq!(grafana.category.as_deref(), Some("Monitoring"));
    assert_eq!(grafana.proxies[0].bypass[0].paths.len(), 3);
    assert_eq!(grafana.access.rules[0].path.as_ref().expect("a path").value.as_str(), "/admin/*");
    assert_eq!(grafana.middlewares[0].value, "secure-headers");

    let flow = blueprint.flows.iter().find(|flow| flow.slug.value == "default-authentication");
    assert_eq!(flow.expect("declared").stages.len(), 4);
    assert_eq!(blueprint.tests.iter().map(|test| test.expectations.len()).sum::<usize>(), 17);
    assert_eq!(blueprint.users.len(), 3);
    assert_eq!(blueprint.server.trusted_proxies.len(), 2);
    let kinds: Vec<_> = blueprint.objects.iter().map(|object| object.kind).collect();
    assert!(kinds.is_sorted());
}

#[test]
fn one_file_or_many_mean_the_same() {
    let many = files("homelab");
    let text: String = many.iter().map(|(_, text)| text.replace("/- kdl-version 2", "")).collect();
    let one = read(&[("all.kdl".to_owned(), text)]).blueprint.expect("no error");
    let many = read(&many).blueprint.expect("no error");
    let names = |blueprint: &doorward::blueprint::Blueprint| -> Vec<String> {
        let named = |object: &doorward::blueprint::object::Object| {
            format!("{} {}", object.kind.word(), object.slug.value)
        };
        blueprint.objects.iter().map(named).collect()
    };
    assert_eq!(names(&one), names(&many));
}
