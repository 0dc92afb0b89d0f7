//! What clients of each kind find.

use super::*;

#[test]
fn each_app_has_the_tree_that_its_client_knows() {
    let apps = ["plain", "sssd", "ad-like", "authentik"].map(|profile| {
        format!("app {profile} \"{profile}\" {{ launch-url \"https://{profile}.example.com/\"; ldap {{ profile {profile} }}; access {{ allow group:users }} }}")
    });
    let directory = Directory::inhabited("", &apps.join("\n"));
    let mut searcher = directory.searcher();
    let mut alice = |app: &str, filter: &str| {
        let base = format!("ou={app},{BASE}");
        let (mut entries, code) = search(&mut searcher, (&base, Scope::Subtree, filter), &[]);
        assert_eq!(code, 0);
        assert!(entries.len() < 2, "{app} {filter}: {entries:?}");
        entries.pop()
    };
    let plain = alice("plain", "(&(objectClass=inetOrgPerson)(uid=alice))").expect("alice");
    assert_eq!(plain.dn, "uid=alice,ou=people,ou=plain,dc=example,dc=com");
    assert_eq!(plain.attrs["cn"], ["Alice Example"]);

    let sssd = alice("sssd", "(&(objectClass=posixAccount)(uid=alice))").expect("alice");
    let number = &sssd.attrs["uidNumber"][0];
    assert_eq!(&sssd.attrs["homeDirectory"][0], "/home/alice");
    let own = alice("sssd", &format!("(&(objectClass=posixGroup)(gidNumber={number}))"))
        .expect("a group of her own");
    assert_eq!(own.dn, "cn=alice,ou=own-groups,ou=sssd,dc=example,dc=com");
    assert!(alice("plain", &format!("(&(objectClass=posixGroup)(gidNumber={number}))")).is_none());

    let ad = alice(
        "ad-like",
        "(&(objectClass=user)(sAMAccountName=alice)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
    );
    let ad = ad.expect("alice");
    assert_eq!(ad.dn, "cn=alice,ou=people,ou=ad-like,dc=example,dc=com");
    assert_eq!(ad.attrs["userPrincipalName"], ["alice@example.com"]);

    let authentik =
        alice("authentik", "(&(objectClass=goauthentik.io/ldap/user)(cn=alice))").expect("alice");
    assert_eq!(authentik.dn, "cn=alice,ou=users,ou=authentik,dc=example,dc=com");
    assert_eq!(authentik.attrs["memberOf"], ["cn=users,ou=groups,ou=authentik,dc=example,dc=com"]);
    assert_eq!(authentik.attrs["ak-active"], ["TRUE"]);
    let own = alice("authentik", "(&(objectClass=posixGroup)(cn=alice))").expect("a virtual group");
    assert_eq!(own.dn, "cn=alice,ou=virtual-groups,ou=authentik,dc=example,dc=com");

    for dn in [plain.dn, sssd.dn, ad.dn, authentik.dn] {
        assert_eq!(directory.code(&dn, PASSWORD), 0, "{dn}");
    }
    // A client of Active Directory binds by the name that it knows.
    assert_eq!(directory.code("alice@example.com", PASSWORD), 0);
    assert_eq!(directory.code("alice@example.org", PASSWORD), 34);
}
