use super::*;
use crate::blueprint::render::{Format, Style, render};
use crate::blueprint::source::{FileId, SourceFile, Sources};
use crate::blueprint::syntax::parse;

fn expanded(files: &[(&str, &str)]) -> (Sources, Vec<Node>, Diagnostics) {
    let mut out = Diagnostics::default();
    let mut nodes = Vec::new();
    let mut sources = Sources::default();
    for (number, (name, text)) in files.iter().enumerate() {
        sources.files.push(SourceFile { name: (*name).to_owned(), text: (*text).into() });
        nodes.extend(parse(FileId(number as u32), text, &mut out).unwrap_or_default());
    }
    let nodes = expand(nodes, &mut out);
    (sources, nodes, out)
}

fn shown(files: &[(&str, &str)]) -> String {
    let (sources, _, out) = expanded(files);
    render(&out.sorted(), &sources, &Style::default())
}

#[test]
fn scratch() {
    let read = |n: &str| {
        std::fs::read_to_string(format!("/work/shared/examples/mistakes/{n}.kdl")).unwrap()
    };
    for name in ["09-cycles", "13-kdl-habits", "14-kdl-syntax", "16-template"] {
        println!(
            "{}",
            shown(&[("base.kdl", &read("base")), (&format!("{name}.kdl"), &read(name))])
        );
    }
    let mut files = Vec::new();
    for f in [
        "templates.kdl",
        "people.kdl",
        "policies.kdl",
        "tests.kdl",
        "home.kdl",
        "flows.kdl",
        "apps/gitea.kdl",
        "apps/more.kdl",
        "apps/grafana.kdl",
        "apps/pihole.kdl",
        "apps/portainer.kdl",
        "apps/proxmox.kdl",
        "apps/vaultwarden.kdl",
    ] {
        files.push((
            f,
            std::fs::read_to_string(format!("/work/shared/examples/homelab/{f}")).unwrap(),
        ));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    println!("{}", shown(&files));
    println!(
        "{:#?}",
        expanded(&files).1.iter().find(|n| n.is("app") && n.args[0].text() == Some("jellyfin"))
    );
}
