//! One-time links that are worth nothing any more say so when they are opened.

use crate::support::server::{Browser, Server, household};
use crate::support::stores::on_both_servers;

const PASSWORD: &str = "quiet-lantern-42-river";

#[test]
fn a_used_link_says_so_before_anything_is_typed() {
    on_both_servers(|state| {
        let server = Server::with_arguments(&household(""), state);
        let link = server.link("alice");
        let mut browser = Browser::at(&server);
        let page = browser.open(&link);
        let stale = page.clone();
        let fields = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
        assert_eq!(browser.submit(&link, &page, &fields).status, 303);

        let used = browser.open(&link);
        assert_eq!(used.status, 410);
        assert!(
            used.body.contains("already used") && used.body.contains("user link"),
            "{}",
            used.body
        );
        assert!(!used.body.contains("name=\"new-password\""), "{}", used.body);
        let again = browser.submit(&link, &stale, &fields);
        assert_eq!(again.status, 410);
        assert!(again.body.contains("already used"), "{}", again.body);

        // One that a newer one replaced, and one that never was.
        let replaced = server.link("alice");
        server.link("alice");
        for link in [replaced, format!("{link}x")] {
            let expired = browser.open(&link);
            assert_eq!(expired.status, 410);
            assert!(
                expired.body.contains("has expired") && expired.body.contains("user link"),
                "{}",
                expired.body
            );
        }
    });
}
