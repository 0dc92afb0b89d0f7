// Clients made with ldap3 (Python) and go-ldap, in a directory of ten thousand people.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { BASE, Directory, NAS, READER, client, crowd, person } from "./harness/directory.mjs";
import { suite } from "./harness/suite.mjs";

const CROWD = 10_000;
/** The common blueprint's people and the directory's own. */
const DECLARED = 5;

const start = () => Directory.start("ldap-libraries", { people: crowd(CROWD) });
const python = (directory, action) => directory.ask(client("ldap3", "bin", "python"), [fileURLToPath(new URL("./clients/ldap3/client.py", import.meta.url)), action]);
const go = (directory, action) => directory.ask(client("go"), [action]);
const everybody = { entries: CROWD + DECLARED, names: CROWD + DECLARED };

suite("ldap-libraries", start, (test) => {
  test("ldap3 reads the schema, and values by it", async (directory) => {
    const known = await python(directory, "schema");
    assert.deepEqual([known.contexts, known.vendor, known.controls], [[BASE, NAS], ["Doorward"], ["1.2.840.113556.1.4.319"]]);
    for (const name of ["inetOrgPerson", "posixAccount", "groupOfNames"]) assert.ok(known.classes.includes(name), name);
    assert.deepEqual([known.number, known.time, known.single, known.groups], ["int", "datetime", true, 2]);
    assert.match(known.uuid, /^\{?[0-9a-f-]{36}\}?$/);
  });

  test("ldap3 asks by the schema for what the files declare and for what nobody bears", async (directory) => {
    assert.deepEqual(await python(directory, "names"), [{ department: ["Toys"], telephoneNumber: [], distinguishedName: [person("carol")] }]);
  });

  test("ldap3 finds objects by what the schema says of their classes", async (directory) => {
    assert.deepEqual(await python(directory, "objects"), [["Alice Example", "alice@example.com", "/bin/bash"]]);
  });

  test("ldap3 goes through the pages of ten thousand people", async (directory) => {
    assert.deepEqual(await python(directory, "pages"), everybody);
  });

  test("ldap3 goes on over TLS, or begins with it", async (directory) => {
    assert.deepEqual(await python(directory, "starttls"), [[true, `dn:${READER}`], [true, `dn:${READER}`]]);
  });

  test("ldap3 is refused NTLM and SASL", async (directory) => {
    const said = await python(directory, "others");
    for (const [way, answer] of Object.entries(said)) assert.equal(answer, "authMethodNotSupported", way);
  });

  test("ldap3 escapes what it searches for", async (directory) => {
    assert.deepEqual(await python(directory, "filters"), [[person("zoe")], [person("alice"), person("bob")], []]);
  });

  test("go-ldap binds, and is told what is wrong", async (directory) => {
    assert.deepEqual(await go(directory, "bind"), { wrong: 49, missing: 53, right: 0 });
  });

  test("go-ldap asks who it is", async (directory) => {
    assert.deepEqual(await go(directory, "whoami"), ["", `dn:${READER}`]);
  });

  test("go-ldap goes through the pages of ten thousand people", async (directory) => {
    assert.deepEqual(await go(directory, "pages"), everybody);
  });

  test("go-ldap compares", async (directory) => {
    assert.deepEqual(await go(directory, "compare"), [true, false]);
  });

  test("go-ldap goes on over TLS, or begins with it", async (directory) => {
    assert.deepEqual(await go(directory, "starttls"), { version: "TLS 1.3", mail: ["alice@example.com"] });
    assert.equal(await go(directory, "ldaps"), 2);
    await assert.rejects(go(directory, "stranger"), /certificate signed by unknown authority/);
  });

  test("go-ldap writes nothing", async (directory) => {
    assert.deepEqual(await go(directory, "write"), { add: 53, password: 2 });
  });
});
