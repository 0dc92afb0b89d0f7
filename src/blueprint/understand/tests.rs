use super::understand;
use crate::blueprint::Blueprint;
use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::sample;
use crate::blueprint::validate::Mode;

fn read(files: &[(&str, &str)], mode: Mode) -> (Option<Blueprint>, String) {
    let (nodes, sources) = sample::expanded(files);
    let mut out = Diagnostics::default();
    let blueprint = understand(&nodes, &sources, mode, &mut out);
    (blueprint, sample::written(out, &sources))
}

#[test]
fn print() {
    let files = sample::homelab();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (b, text) = read(&files, Mode::default());
    println!("homelab {}\n{text}", b.is_some());
    let base = std::fs::read_to_string("tests/mistakes/base.kdl").unwrap();
    for entry in [
        "01-typo-node",
        "02-unknown-group",
        "03-duplicate-slug",
        "04-bad-regex",
        "05-bad-cidr",
        "06-bad-cel",
        "07-missing-redirect",
        "08-http-redirect",
        "09-cycles",
        "10-wrong-type",
        "11-unreachable",
        "12-secret-literal",
        "16-template",
        "17-no-access",
    ] {
        let name = format!("{entry}.kdl");
        let text = std::fs::read_to_string(format!("tests/mistakes/{name}")).unwrap();
        let (_, text) =
            read(&[(name.as_str(), text.as_str()), ("base.kdl", &base)], Mode::default());
        println!("=== {name}\n{text}");
    }
}
