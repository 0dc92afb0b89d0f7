//! A provider whose certificate an authority of one's own issued.

use super::*;

fn stopped(provider: &Provider) -> Server {
    let text = household(&format!(
        "source there \"There\" {{
            oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}
            may-reach \"id.localhost:{}\"; link verified-email
        }}
        {FLOWS}",
        provider.issuer(),
        provider.address.port(),
    ));
    let defaults = "settings { default-flows { authentication front }; ";
    let mut server = Server::stopped(&text.replacen("settings { ", defaults, 1), &[]);
    server.tell("DOORWARD_SECRET_THERE", SECRET);
    std::fs::create_dir(server.path().join("ca")).expect("a directory");
    let authority = server.path().join("ca/lan.pem");
    std::fs::write(&authority, provider.authority()).expect("written");
    let directory = server.path().join("ca").display().to_string();
    server.allow(&["--read-from", &directory]);
    server
}

fn comes(server: &Server, provider: &Provider, signer: &Signer) -> Option<String> {
    let changes = json!({ "email": "alice@example.com" });
    who(&mut come(server, provider, signer, &changes))
}

#[test]
fn an_authority_that_the_files_name_is_trusted_from_the_next_call_on() {
    let signer = Signer::new("k1");
    let provider = Provider::secure_openid(&signer, "id.localhost");
    let mut server = stopped(&provider);
    server.start();
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    walk.post(&[("source", "there")]).shows("cannot be reached right now");
    assert!(server.log_with("invalid peer certificate").contains("did not sign anybody in"));
    let text = std::fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    let path = server.path().join("ca/lan.pem").display().to_string();
    let trusted = format!("settings {{ trusted-ca {path:?}; ");
    server.edit("home.kdl", &text.replacen("settings { ", &trusted, 1));
    let (code, said) = server.reload();
    assert_eq!(code, 0, "{said}");
    // A provider that could not be found is left alone for a moment.
    std::thread::park_timeout(std::time::Duration::from_millis(5_100));
    assert_eq!(comes(&server, &provider, &signer).as_deref(), Some("alice"));
}

#[test]
fn an_authority_that_the_system_names_is_trusted() {
    let signer = Signer::new("k1");
    let provider = Provider::secure_openid(&signer, "id.localhost");
    let mut server = stopped(&provider);
    let path = server.path().join("ca/lan.pem").display().to_string();
    server.tell("SSL_CERT_FILE", &path);
    server.start();
    assert_eq!(comes(&server, &provider, &signer).as_deref(), Some("alice"));
    let asked = server.command(&["doctor"]);
    let told = String::from_utf8_lossy(&asked.stdout);
    assert!(told.contains("✓ source there answers as https://id.localhost"), "{told}");
}
