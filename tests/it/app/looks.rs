//! Brands: what pages look like, and for which hosts.

use std::fs;

use super::household;
use crate::support::server::{Answer, Browser, EXTERNAL, Server};
use crate::support::walk::{PASSWORD, Walk};

const SHOP: &str = "http://cart.shop.localhost:9000/";

const BRANDS: &str = r##"brand home {
    title "Home Lab"
    logo "assets/logo.svg"
    favicon "assets/icon.png"
    background "assets/sky.jpg"
    color "#7722cc"
    css "assets/more.css"
    footer { link "Status" "https://status.example.com" }
}
brand shop {
    domain "shop.localhost"
    title "Corner Shop"
    templates "shop-pages"
}
app cart "Cart" icon="assets/cart.png" {
    proxy "http://cart.shop.localhost:9000"
    access { allow group:users }
}
app wiki "Wiki" {
    proxy "http://wiki.localhost:9000"
    access { allow group:admins }
}
"##;

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>one</title></svg>";

fn write(server: &Server, name: &str, text: &str) {
    let path = server.path().join("blueprints").join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, text).expect("written");
}

fn branded() -> Server {
    let mut server = Server::stopped(&household(BRANDS), &[]);
    for (name, text) in [
        ("assets/logo.svg", LOGO),
        ("assets/icon.png", "png"),
        ("assets/sky.jpg", "jpg"),
        ("assets/more.css", ".from-the-brand{}"),
        ("assets/cart.png", "cart"),
        ("shop-pages/password.html", SHOP_PASSWORD),
        ("shop-pages/static/own.js", "alert(1)"),
    ] {
        write(&server, name, text);
    }
    server.start();
    server.set_password("alice", PASSWORD);
    server
}

const SHOP_PASSWORD: &str =
    "{% extends \"default/password.html\" %}\n{% block title %}Sesame{% endblock %}";

/// The address of a file in a page, by what stands before its digest.
fn address(page: &str, name: &str) -> String {
    let at = page.find(name).unwrap_or_else(|| panic!("{name}: {page}"));
    page[at..].split('"').next().unwrap_or_default().to_owned()
}

fn file(server: &Server, path: &str) -> Answer {
    let answer = server.get("auth.localhost:9000", path).send();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer
}

#[test]
fn a_brand_gives_pages_its_marks_its_colour_and_its_style() {
    let server = branded();
    let walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let page = &walk.page.body;
    for words in ["Home Lab", "https://status.example.com"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let logo = file(&server, &address(page, "/assets/brand/logo."));
    assert_eq!((logo.body.as_str(), logo.header("content-type")), (LOGO, Some("image/svg+xml")));
    // A picture that is opened by itself runs nothing.
    let policy = logo.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert_eq!(file(&server, &address(page, "/assets/brand/favicon.")).body, "png");
    let style = file(&server, &address(page, "/assets/style.")).body;
    assert!(style.contains("--accent:#7722cc"), "{style}");
    assert_eq!(
        file(&server, &address(&style.replace(')', "\""), "/assets/brand/background.")).body,
        "jpg"
    );
    assert_eq!(file(&server, &address(page, "/assets/brand/brand.")).body, ".from-the-brand{}");
}

#[test]
fn an_icon_stands_on_the_card_of_its_app() {
    let server = branded();
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    walk.password("alice").shows("Cart");
    assert_eq!(file(&server, &address(&walk.page.body, "/assets/icons/cart.")).body, "cart");
}

#[test]
fn the_app_where_a_sign_in_began_chooses_the_look() {
    let server = branded();
    let mut walk = Walk::to(&server, Browser::at(&server), SHOP);
    assert!(walk.page.body.contains("Corner Shop") && !walk.page.body.contains("Home Lab"));
    assert!(!walk.page.body.contains("brand/logo"), "{}", walk.page.body);
    walk.post(&[("username", "alice")]).shows("<title>Sesame · Corner Shop</title>");
    // Whoever may change blueprints may not put scripts beside the password.
    let script = server.get("auth.localhost:9000", "/assets/static/own.js").send();
    assert_eq!(script.status, 404);
    walk.post(&[("password", PASSWORD)]).is_in(SHOP);
    walk.go("/").shows("Home Lab");
    // The address must be an app's: nobody chooses the look by a name of their own.
    let foreign = format!(
        "{EXTERNAL}/sign-in?next=/forward-auth/start%3Fapp%3Dcart%26rd%3Dhttp://x.shop.localhost:9000/"
    );
    let page = Browser::at(&server).open(&server.url(&foreign));
    assert!(page.body.contains("Home Lab"), "{}", page.body);
}

#[test]
fn a_page_on_the_host_of_an_app_carries_the_colour_itself() {
    let server = branded();
    let mut walk = Walk::to(&server, Browser::at(&server), "http://wiki.localhost:9000/");
    walk.password("alice");
    assert_eq!(walk.page.status, 403);
    let page = &walk.page.body;
    assert!(page.contains("--accent:#7722cc") && page.contains("Home Lab"), "{page}");
    assert!(!page.contains("/assets/"), "{page}");
}

#[test]
fn a_file_that_changes_is_shown_and_a_broken_one_is_not() {
    let server = branded();
    write(&server, "assets/logo.svg", &LOGO.replace("one", "two"));
    server.log_with("the look of pages was read again");
    let page = Browser::at(&server).open(&server.url(&format!("{EXTERNAL}/sign-in")));
    assert!(file(&server, &address(&page.body, "/assets/brand/logo.")).body.contains("two"));
    write(&server, "shop-pages/password.html", "{% extends \"default/password.html\" %}{% block");
    server.log_with("brand shop is not used: the last good look stays");
    let mut walk = Walk::to(&server, Browser::at(&server), SHOP);
    walk.post(&[("username", "alice")]).shows("<title>Sesame · Corner Shop</title>");
}

#[test]
fn a_file_that_is_not_there_is_a_warning_at_its_place() {
    let server = branded();
    fs::remove_file(server.path().join("blueprints/assets/logo.svg")).expect("removed");
    fs::remove_file(server.path().join("blueprints/assets/sky.jpg")).expect("removed");
    std::os::unix::fs::symlink("/etc/hostname", server.path().join("blueprints/assets/sky.jpg"))
        .expect("a link");
    let checked = server.command(&["check"]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(0), "{text}");
    for words in [
        "`assets/logo.svg` is not used",
        "cannot be read",
        "leads out of its root",
        "the shipped mark is shown",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
