use super::{HOME, edited, plan_of, plan_with};
use crate::clock::Millis;
use crate::reconcile::json::to_json;
use crate::reconcile::render::{Colour, render, summary};
use crate::reconcile::{Confirmations, Plan, sample};

const TWO_DAYS: Millis = Millis(2 * 86_400_000);

fn plan() -> Plan {
    let before = sample::runtime(HOME);
    let vault = HOME.lines().find(|line| line.starts_with("app vault")).expect("vault");
    let after = sample::runtime(&edited(&[
        ("in admins users", "in users"),
        ("days=30", "days=7"),
        ("app wiki {", "app notes formerly=wiki {"),
        (
            vault,
            "app bazarr { proxy \"https://bazarr.example.com\"; access { allow group:users } }",
        ),
    ]));
    let mut stored = sample::stored(&before);
    stored.logins.insert("sign-in".to_owned(), 2);
    stored.app_sessions.insert("app_vault".to_owned(), 3);
    plan_with(&before, &after, &stored, &Confirmations::default())
}

#[test]
fn a_plan_reads_like_this() {
    let text = render(&plan(), TWO_DAYS, Colour::Off);
    let digest = plan().target.source_digest[..12].to_owned();
    insta::assert_snapshot!(text.replace(&digest, "DIGEST"), @r"
    Blueprints  ./blueprints   digest DIGEST   1 file, 48 nodes
    Running     generation 41  rev a1b2c3d   applied 2 days ago by reload

      + app bazarr             home.kdl:30
      → app notes (was wiki)   home.kdl:31
      - app vault              was home.kdl:30   PROTECTED
      ~ flow sign-in           home.kdl:12
          ~ [3].last-validation-threshold   days=30  →  days=7
      ~ user alice             home.kdl:9
          ~ in   admins users  →  users

      Access that changes (declared users, from the internet, MFA taken as given):
        alice  bazarr  absent → allow   by home.kdl:30
        alice  vault    allow → absent  by default
        bob    bazarr  absent → allow   by home.kdl:30
        root   vault    allow → absent  by default

      1 to add, 2 to change, 1 to rename, 1 to remove.
      HELD: app vault is protected (home.kdl:30); confirm with --allow-prune app:vault

      Effects
        new logins only   flow sign-in   (2 logins in progress keep generation 41)
        sessions ended    app vault   (3 sessions)
        traefik           routers: +0 ~0 -0, middlewares unchanged
        restart           none
    ");
    assert_eq!(summary(&plan()), "1 to add, 2 to change, 1 to rename, 1 to remove.");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = render(&plan(), TWO_DAYS, Colour::On);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    assert_eq!(plain + rest, render(&plan(), TWO_DAYS, Colour::Off));
}

#[test]
fn a_plan_for_machines_has_the_shape_it_names() {
    let json = to_json(&plan());
    assert_eq!(json["schema"], "doorward.plan/1");
    assert_eq!(json["result"], "held");
    assert_eq!(json["base"]["generation"], 41);
    let changes = json["changes"].as_array().expect("changes");
    let renamed = changes.iter().find(|change| change["op"] == "rename").expect("renamed");
    assert_eq!((&renamed["slug"], &renamed["was"]), (&"notes".into(), &"wiki".into()));
    assert_eq!(renamed["uid"], "app_wiki");
    let flow = changes.iter().find(|change| change["kind"] == "flow").expect("flow");
    assert_eq!(flow["fields"][0]["path"], "[3].last-validation-threshold");
    assert_eq!(json["held"][0]["reason"], "protected");
    assert_eq!(json["held"][0]["confirm"][0], "--allow-prune app:vault");
    let access = json["access"].as_array().expect("access");
    assert!(access.iter().any(|a| a["subject"] == "user:alice" && a["new"] == "absent"));
}

/// `security.md` R4: whoever confirms a plan sees which files secrets are written to.
#[test]
fn a_new_place_for_a_secret_is_an_effect() {
    let app = |deliver: &str| {
        let redirect = "redirect-uri \"https://git.example.com/callback\"";
        let secret = format!("client-secret generated deliver=\"/run/doorward/{deliver}\"");
        let access = "access { allow group:users }";
        sample::runtime(&format!(
            "{}app gitea {{ oidc {{ {redirect}; {secret} }}; {access} }}\n",
            HOME
        ))
    };
    let moved = plan_of(&app("a"), &app("b"));
    let secret = "oidc.client-secret of app:gitea".to_owned();
    assert_eq!(moved.effects.delivered, [(secret, "/run/doorward/b".to_owned())]);
    let text = render(&moved, TWO_DAYS, Colour::Off);
    let line = "    secret written    /run/doorward/b   (oidc.client-secret of app:gitea)\n";
    assert!(text.contains(line), "{text}");
    assert_eq!(plan_of(&app("a"), &app("a")).effects.delivered, []);
}
