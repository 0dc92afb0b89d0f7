// The programs of OpenLDAP against the directory.
import assert from "node:assert/strict";
import { BASE, Directory, NAS, READER, group, person } from "./harness/directory.mjs";
import { suite } from "./harness/suite.mjs";
import { PASSWORD } from "./harness/world.mjs";

/** Result codes (RFC 4511, appendix A); what the programs end with. */
const CODE = { protocolError: 2, sizeLimitExceeded: 4, compareFalse: 5, compareTrue: 6, noSuchObject: 32, invalidSyntax: 34, invalidCredentials: 49, insufficientRights: 50, unwilling: 53 };
const IN_CHAIN = "1.2.840.113556.1.4.1941";

const start = async () => {
  const directory = await Directory.start("ldap");
  await Promise.all(["alice", "mallory"].map((name) => directory.hasPassword(name)));
  return directory;
};

const values = (ldif, name) => [...ldif.matchAll(new RegExp(`^${name}: (.+)$`, "gm"))].map(([, value]) => value);
const sorted = (list) => [...list].sort();
const people = (...names) => sorted(names.map((name) => person(name)));

suite("ldap", start, (test) => {
  test("the root of all names is read before a bind, and nothing else is", async (directory) => {
    const root = await directory.search(["-b", "", "-s", "base", "+"], { as: null });
    assert.equal(root.code, 0, root.stderr);
    assert.deepEqual(values(root.stdout, "namingContexts"), [BASE, NAS]);
    assert.deepEqual(values(root.stdout, "supportedControl"), ["1.2.840.113556.1.4.319"]);
    assert.deepEqual(values(root.stdout, "supportedExtension"), ["1.3.6.1.4.1.1466.20037", "1.3.6.1.4.1.4203.1.11.3"]);
    const [schema] = values(root.stdout, "subschemaSubentry");
    const told = await directory.search(["-b", schema, "-s", "base", "objectClasses", "attributeTypes"], { as: null });
    assert.match(told.stdout, /NAME 'inetOrgPerson'/);
    for (const base of [BASE, NAS, person("alice")]) {
      const refused = await directory.search(["-b", base], { as: null });
      assert.deepEqual([refused.code, refused.names], [CODE.insufficientRights, []], base);
    }
  });

  test("scopes are exact", async (directory) => {
    const branches = [`ou=people,${NAS}`, `ou=groups,${NAS}`];
    const found = async (base, scope) => (await directory.search(["-b", base, "-s", scope, "1.1"])).names;
    assert.deepEqual(await found(NAS, "base"), [NAS]);
    assert.deepEqual(await found(NAS, "one"), branches);
    const everything = await found(NAS, "sub");
    assert.deepEqual(everything.slice(0, 3), [NAS, ...branches]);
    assert.deepEqual(await found(NAS, "children"), everything.slice(1));
    assert.deepEqual(await found(branches[0], "one"), people("alice", "bob", "carol", "mallory", "zoe"));
    assert.deepEqual(await found(branches[0], "sub"), [branches[0], ...people("alice", "bob", "carol", "mallory", "zoe")]);
    assert.deepEqual(await found(person("alice"), "sub"), [person("alice")]);
    assert.deepEqual(await found(person("alice"), "one"), []);
    const absent = await directory.search(["-b", person("nobody"), "-s", "base"]);
    assert.deepEqual([absent.code, absent.names], [CODE.noSuchObject, []]);
    assert.match(absent.stderr, new RegExp(`Matched DN: ou=people,${NAS}`));
  });

  test("an entry bears what it was asked for", async (directory) => {
    const alice = await directory.search(["-b", person("alice"), "-s", "base"]);
    for (const [name, value] of Object.entries({ uid: "alice", cn: "Alice Example", sn: "Example", givenName: "Alice", mail: "alice@example.com", homeDirectory: "/home/alice" })) {
      assert.deepEqual(values(alice.stdout, name), [value], name);
    }
    assert.deepEqual(values(alice.stdout, "entryUUID"), []);
    const two = await directory.search(["-b", person("ALICE"), "-s", "base", "MAIL", "entryUUID"]);
    assert.match(two.stdout, /^dn: .+\nmail: alice@example\.com\nentryUUID: [0-9a-f-]{36}\n\n$/);
    const types = await directory.search(["-b", person("alice"), "-s", "base", "-A", "mail", "absent"]);
    assert.equal(types.stdout, `dn: ${person("alice")}\nmail:\n\n`);
  });

  test("filters find whom they mean", async (directory) => {
    const found = async (filter) => sorted((await directory.search(["-b", `ou=people,${NAS}`, filter, "1.1"])).names);
    const all = people("alice", "bob", "carol", "mallory", "zoe");
    const users = people("alice", "bob", "carol", "zoe");
    for (const [filter, names] of [
      ["(uid=alice)", people("alice")], ["(UID=ALICE)", people("alice")], ["(cn=alice example)", people("alice")],
      ["(mail=BOB@example.com)", people("bob")], ["(uidNumber=4711)", people("carol")], ["(gidNumber=4711)", people("carol")], ["(uidNumber=4712)", []], ["(department=toys)", people("carol")],
      ["(&(objectClass=person)(|(uid=zoe)(mail=bob@example.com)(cn=carol example)(uid=nobody)))", people("bob", "carol", "zoe")],
      ["(mail=*@example.com)", all], ["(mail=*)", all], ["(uid=*l*l*)", people("mallory")], ["(telephoneNumber=*)", []],
      [`(memberOf=${group("users")})`, users], [`(memberOf:${IN_CHAIN}:=${group("users")})`, users],
      [`(memberOf:${IN_CHAIN}:=${group("family")})`, people("carol")],
      [`(&(objectClass=posixAccount)(memberOf=${group("users")})(!(uid=bob)))`, people("alice", "carol", "zoe")],
      ["(|(uid=bob)(mail=carol@example.com))", people("bob", "carol")],
      [String.raw`(cn=Zoë M\c3\bc\2aller \28Jr.\29)`, people("zoe")], [String.raw`(cn=*\2a*)`, people("zoe")], ["(&)", [`ou=people,${NAS}`, ...all].sort()],
      ["(&(objectClass=person)(!(telephoneNumber=*)))", all], ["(objectClass=computer)", []],
    ]) assert.deepEqual(await found(filter), names, filter);
    const named = async (base, scope) => (await directory.search(["-b", base, "-s", scope, "(|(cn=family)(uid=alice))", "1.1"])).names;
    assert.deepEqual(await named(NAS, "sub"), [person("alice"), group("family")]);
    assert.deepEqual(await named(`ou=groups,${NAS}`, "one"), [group("family")]);
    assert.deepEqual([await named(NAS, "one"), await named(NAS, "base"), await named(person("bob"), "sub")], [[], [], []]);
    assert.deepEqual(await named(person("alice"), "base"), [person("alice")]);
    const groups = await directory.search(["-b", `ou=groups,${NAS}`, `(member=${person("carol")})`, "cn"]);
    assert.deepEqual(sorted(values(groups.stdout, "cn")), ["children", "family", "users"]);
  });

  test("pages hold everything once", async (directory) => {
    const whole = await directory.search(["-b", NAS, "1.1"]);
    for (const size of [1, 2, 5, 1000]) {
      const paged = await directory.search(["-b", NAS, "-E", `!pr=${size}/noprompt`, "1.1"]);
      assert.deepEqual([paged.code, paged.names], [0, whole.names], `pages of ${size}`);
    }
  });

  test("a limit ends a search, with what was found until then", async (directory) => {
    const few = await directory.search(["-b", `ou=people,${NAS}`, "-s", "one", "-z", "3", "1.1"]);
    assert.deepEqual([few.code, few.names.length], [CODE.sizeLimitExceeded, 3]);
    const enough = await directory.search(["-b", `ou=people,${NAS}`, "-s", "one", "-z", "5", "1.1"]);
    assert.deepEqual([enough.code, enough.names.length], [0, 5]);
  });

  test("StartTLS and TLS from the first byte, by an authority that is trusted", async (directory) => {
    for (const [args, url] of [[["-ZZ"], directory.url], [[], directory.secureUrl]]) {
      const found = await directory.search([...args, "-b", person("bob"), "-s", "base", "1.1"], { url });
      assert.deepEqual([found.code, found.names], [0, [person("bob")]], found.stderr);
      const stranger = await directory.search([...args, "-b", "", "-s", "base"], { url, env: { LDAPTLS_CACERT: "/dev/null" } });
      assert.notEqual(stranger.code, 0, url);
    }
  });

  test("people bind with their password or an app password, and see themselves alone", async (directory) => {
    for (const secret of [PASSWORD, await directory.appPassword("alice")]) {
      const who = await directory.tool("ldapwhoami", ["-x", "-H", directory.url, "-D", person("alice"), "-w", secret]);
      assert.equal(who.code, 0, who.stderr);
      assert.match(who.stdout, /^dn:uid=alice,ou=people,/);
      const seen = await directory.search(["-b", `ou=people,${NAS}`, "-s", "one", "1.1"], { as: person("alice"), secret });
      assert.deepEqual([seen.code, seen.names], [0, [person("alice")]]);
    }
    const reader = await directory.tool("ldapwhoami", ["-x", "-H", directory.url, "-D", READER, "-w", directory.token]);
    assert.equal(reader.stdout.trim(), `dn:${READER}`);
    const nobody = await directory.tool("ldapwhoami", ["-x", "-H", directory.url]);
    assert.deepEqual([nobody.code, nobody.stdout.trim()], [0, "anonymous"]);
  });

  test("whoever is wrong or not let in is refused", async (directory) => {
    const bind = (as, secret) => directory.tool("ldapwhoami", ["-x", "-H", directory.url, "-D", as, "-w", secret]).then((done) => done.code);
    assert.equal(await bind(person("alice"), `${PASSWORD}!`), CODE.invalidCredentials);
    assert.equal(await bind(person("nobody"), PASSWORD), CODE.invalidCredentials);
    assert.equal(await bind(`cn=alice,ou=groups,${NAS}`, PASSWORD), CODE.invalidCredentials);
    assert.equal(await bind(READER, PASSWORD), CODE.invalidCredentials);
    assert.equal(await bind(person("alice"), ""), CODE.unwilling);
    assert.equal(await bind("alice", PASSWORD), CODE.invalidSyntax);
    assert.equal(await bind(person("mallory"), PASSWORD), CODE.insufficientRights);
  });

  test("values are compared", async (directory) => {
    const compare = (dn, assertion) => directory.tool("ldapcompare", ["-x", "-H", directory.url, "-D", READER, "-w", directory.token, dn, assertion]).then((done) => done.code);
    assert.equal(await compare(person("alice"), "mail:ALICE@example.com"), CODE.compareTrue);
    assert.equal(await compare(person("alice"), "mail:bob@example.com"), CODE.compareFalse);
    assert.equal(await compare(group("users"), `member:${person("carol")}`), CODE.compareTrue);
    assert.equal(await compare(group("family"), `member:${person("alice")}`), CODE.compareFalse);
    assert.equal(await compare(person("nobody"), "uid:nobody"), CODE.noSuchObject);
  });

  test("nothing is written", async (directory) => {
    const bound = ["-x", "-H", directory.url, "-D", READER, "-w", directory.token];
    assert.equal((await directory.tool("ldapdelete", [...bound, person("alice")])).code, CODE.unwilling);
    assert.equal((await directory.tool("ldapmodrdn", [...bound, person("alice"), "uid=eve"])).code, CODE.unwilling);
    assert.notEqual((await directory.tool("ldappasswd", [...bound, "-s", "another", person("alice")])).code, 0);
    const still = await directory.search(["-b", person("alice"), "-s", "base", "1.1"]);
    assert.deepEqual(still.names, [person("alice")]);
  });
});
