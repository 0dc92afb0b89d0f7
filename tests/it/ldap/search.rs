//! What a search gives, and to whom.

use super::*;

#[test]
fn scopes_are_exact() {
    let directory = Directory::with("", APP);
    let mut searcher = directory.searcher();
    let mut found = |base: &str, scope| {
        let (entries, code) = search(&mut searcher, (base, scope, "(objectClass=*)"), &["1.1"]);
        let names: Vec<String> = entries
            .into_iter()
            .map(|entry| entry.dn.trim_end_matches("dc=example,dc=com").to_owned())
            .collect();
        (names.join(" "), code)
    };
    let people = "ou=people,dc=example,dc=com";
    let is = |text: &str| (text.to_owned(), 0);
    assert_eq!(found(BASE, Scope::Base), is(""));
    assert_eq!(found(BASE, Scope::OneLevel), is("ou=people, ou=groups,"));
    let all = "ou=people, ou=groups, uid=alice,ou=people, uid=carol,ou=people, uid=root,ou=people, cn=users,ou=groups, cn=admins,ou=groups, cn=family,ou=groups, cn=searchers,ou=groups,";
    assert_eq!(found(BASE, Scope::Subtree), is(&format!(" {all}")));
    assert_eq!(found(people, Scope::Base), is("ou=people,"));
    let everybody = "uid=alice,ou=people, uid=carol,ou=people, uid=root,ou=people,";
    assert_eq!(found(people, Scope::OneLevel), is(everybody));
    assert_eq!(found(people, Scope::Subtree), is(&format!("ou=people, {everybody}")));
    assert_eq!(found(ALICE, Scope::Base), is("uid=alice,ou=people,"));
    assert_eq!(found(ALICE, Scope::OneLevel), is(""));
    assert_eq!(found(ALICE, Scope::Subtree), is("uid=alice,ou=people,"));
    for nothing in [
        "uid=nobody,ou=people,dc=example,dc=com",
        "ou=services,dc=example,dc=com",
        "dc=com",
        "cn=alice,ou=people,dc=example,dc=com",
    ] {
        assert_eq!(found(nothing, Scope::Subtree), (String::new(), 32), "{nothing}");
    }
    assert_eq!(found("people", Scope::Subtree), (String::new(), 34));
}

#[test]
fn filters_find_what_they_say() {
    let directory = Directory::with("", APP);
    let mut searcher = directory.searcher();
    let mut found = |filter: &str| {
        let names = names(&mut searcher, BASE, filter);
        let first = |name: &String| name.split([',', '=']).nth(1).unwrap_or("").to_owned();
        names.iter().map(first).collect::<Vec<_>>().join(" ")
    };
    for (filter, is) in [
        ("(uid=ALICE)", "alice"),
        ("(cn=Alice Example)", "alice"),
        ("(mail=alice@example.com)", "alice"),
        ("(mail=*)", "alice root"),
        ("(!(mail=*))", "example people groups carol users admins family searchers"),
        ("(&(objectClass=inetOrgPerson)(!(mail=*)))", "carol"),
        ("(|(uid=alice)(uid=root)(uid=nobody))", "alice root"),
        ("(uid=a*e)", "alice"),
        ("(displayName=*exam*)", "alice"),
        ("(cn=alice*ample)", "alice"),
        ("(cn=*  *)", ""),
        ("(floor=3)", "carol"),
        ("(floor>=2)", "carol"),
        ("(floor<=2)", ""),
        ("(memberOf=cn=users,ou=groups,dc=example,dc=com)", "alice carol family"),
        ("(memberOf=CN=Family, OU=Groups, dc=example,dc=com)", "carol"),
        (
            "(memberOf:1.2.840.113556.1.4.1941:=cn=users,ou=groups,dc=example,dc=com)",
            "alice carol family",
        ),
        ("(memberOf=cn=users,ou=groups,ou=nas,dc=example,dc=com)", "alice carol family"),
        ("(memberOf=cn=nothing,ou=groups,dc=example,dc=com)", ""),
        ("(member=uid=carol,ou=people,dc=example,dc=com)", "users family"),
        ("(&(objectClass=posixGroup)(memberUid=alice))", "users"),
        ("(entryDN=uid=alice,ou=people,dc=example,dc=com)", "alice"),
        ("(nothing=x)", ""),
        ("(&(uid=alice)(!(nsAccountLock=TRUE)))", "alice"),
        ("(uid:1.2.3.4:=alice)", ""),
        ("(!(uid:1.2.3.4:=alice))", ""),
        ("(|(uid:1.2.3.4:=alice)(uid=root))", "root"),
        ("(uid:caseIgnoreMatch:=ALICE)", "alice"),
        ("(uid=root)", "root"),
        ("(floor:1.2.840.113556.1.4.803:=2)", "carol"),
        ("(floor:1.2.840.113556.1.4.803:=4)", ""),
        ("(floor:1.2.840.113556.1.4.804:=6)", "carol"),
    ] {
        assert_eq!(found(filter), is, "{filter}");
    }
}

/// Nobody reads more than their own entry unless the files say so.
#[test]
fn a_person_sees_themselves_and_their_groups_without_the_others() {
    let directory = Directory::inhabited("", APP);
    let (_, mut alice) = directory.bind(ALICE, PASSWORD);
    assert_eq!(
        names(&mut alice, BASE, "(|(objectClass=person)(objectClass=posixGroup))"),
        [ALICE, "cn=users,ou=groups,dc=example,dc=com"]
    );
    let (group, _) =
        search(&mut alice, (BASE, Scope::Subtree, "(cn=users)"), &["member", "memberUid"]);
    assert_eq!(group[0].attrs["member"], [ALICE]);
    assert_eq!(group[0].attrs["memberUid"], ["alice"]);
    for (base, filter) in [
        ("uid=carol,ou=people,dc=example,dc=com", "(objectClass=*)"),
        ("cn=family,ou=groups,dc=example,dc=com", "(objectClass=*)"),
    ] {
        assert_eq!(search(&mut alice, (base, Scope::Base, filter), &[]).1, 32, "{base}");
    }
    assert!(names(&mut alice, BASE, "(member=uid=carol,ou=people,dc=example,dc=com)").is_empty());
    assert!(names(&mut alice, BASE, "(memberUid=carol)").is_empty());
    // A service account without the right sees nothing at all.
    let (code, mut idle) =
        directory.bind("cn=idle,ou=services,dc=example,dc=com", &directory.token_of("idle"));
    assert_eq!(code, 0);
    assert_eq!(search(&mut idle, (BASE, Scope::Subtree, "(objectClass=*)"), &[]).1, 50);
    // Nor does anybody without a bind, but the root of all names and the schema.
    let mut nobody = directory.connect();
    let (root, code) = search(&mut nobody, ("", Scope::Base, "(objectClass=*)"), &["*", "+"]);
    assert_eq!(code, 0);
    assert_eq!(root[0].attrs["namingContexts"], [BASE, "ou=nas,dc=example,dc=com"]);
    assert_eq!(root[0].attrs["supportedControl"], ["1.2.840.113556.1.4.319"]);
    assert!(!root[0].attrs.contains_key("supportedSASLMechanisms"));
    let (schema, _) = search(
        &mut nobody,
        ("cn=subschema", Scope::Base, "(objectClass=subschema)"),
        &["attributeTypes"],
    );
    assert!(schema[0].attrs["attributeTypes"].len() > 20);
    assert_eq!(search(&mut nobody, ("", Scope::Subtree, "(objectClass=*)"), &[]).1, 32);
}

#[test]
fn an_entry_says_what_is_asked_for() {
    let directory = Directory::with("", APP);
    let mut searcher = directory.searcher();
    let mut carol = |attributes: &[&str]| {
        let base = "uid=carol,ou=people,dc=example,dc=com";
        let (mut entries, code) =
            search(&mut searcher, (base, Scope::Base, "(objectClass=*)"), attributes);
        assert_eq!(code, 0);
        entries.pop().expect("an entry").attrs
    };
    let plain = carol(&[]);
    assert_eq!(plain["uid"], ["carol"], "files do not rename anybody");
    assert_eq!(plain["loginShell"], ["/bin/zsh"]);
    assert_eq!(plain["floor"], ["3"]);
    assert_eq!(plain["memberOf"].len(), 2, "nested groups count");
    assert!(!plain.contains_key("entryUUID") && !plain.contains_key("userPassword"));
    let operational = carol(&["+"]);
    assert!(operational.contains_key("entryUUID") && !operational.contains_key("uid"));
    assert_eq!(carol(&["1.1"]).len(), 0);
    let two = carol(&["UID", "mail", "userPassword", "uidnumber"]);
    assert_eq!(two.len(), 2, "{two:?}");
}

/// `uidNumber` and `entryUUID` are for life.
#[test]
fn numbers_stay_whatever_becomes_of_names_and_others() {
    let mut directory = Directory::with("", APP);
    let numbers = |directory: &Directory| {
        let mut searcher = directory.searcher();
        let filter = "(|(uid=carol)(uid=caroline)(cn=family))";
        let (entries, _) =
            search(&mut searcher, (BASE, Scope::Subtree, filter), &["gidNumber", "entryUUID"]);
        entries
            .into_iter()
            .map(|entry| (entry.attrs["gidNumber"].clone(), entry.attrs["entryUUID"].clone()))
            .collect::<Vec<_>>()
    };
    let before = numbers(&directory);
    let text =
        std::fs::read_to_string(directory.server.path().join("blueprints/home.kdl")).expect("text");
    let renamed = text.replace(
        "user carol \"Carol\"",
        "user aaron \"Aaron\"\nuser caroline \"Caroline\" formerly=carol",
    );
    directory.server.edit("home.kdl", &renamed);
    let (code, said) = directory.server.reload();
    assert_eq!(code, 0, "{said}");
    assert_eq!(numbers(&directory), before);
    directory.server.restart();
    assert_eq!(numbers(&directory), before);
}

#[test]
fn limits_are_kept() {
    let directory = Directory::with("", APP);
    let mut searcher = directory.searcher();
    let options = ldap3::SearchOptions::new().sizelimit(2);
    let found = searcher.with_search_options(options).search(
        BASE,
        Scope::Subtree,
        "(objectClass=person)",
        vec!["uid"],
    );
    let found = found.expect("an answer");
    assert_eq!((found.0.len(), found.1.rc), (2, 4));
    let deep = format!("{}(uid=a){}", "(!".repeat(40), ")".repeat(40));
    assert_eq!(search(&mut searcher, (BASE, Scope::Subtree, &deep), &[]).1, 53);
    let wide = format!("(|{})", "(uid=a)".repeat(600));
    assert_eq!(search(&mut searcher, (BASE, Scope::Subtree, &wide), &[]).1, 53);
}

#[test]
fn pages_give_everybody_once() {
    let people: String =
        (0..250).map(|n| format!("user p{n:03} \"Person {n}\" {{ in users }}\n")).collect();
    let directory = Directory::with("", &format!("{APP}\n{people}"));
    let mut searcher = directory.searcher();
    let adapters: Vec<Box<dyn ldap3::adapters::Adapter<_, _>>> = vec![
        Box::new(ldap3::adapters::EntriesOnly::new()),
        Box::new(ldap3::adapters::PagedResults::new(7)),
    ];
    let mut stream = searcher
        .streaming_search_with(adapters, BASE, Scope::Subtree, "(objectClass=person)", vec!["uid"])
        .expect("a search");
    let mut all = Vec::new();
    while let Some(entry) = stream.next().expect("an entry") {
        all.push(SearchEntry::construct(entry).dn);
    }
    assert_eq!(stream.result().rc, 0);
    assert_eq!(all.len(), 253);
    let mut once = all.clone();
    once.dedup();
    assert_eq!(once, all);
}
