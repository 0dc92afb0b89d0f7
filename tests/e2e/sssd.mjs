// A machine's logins by SSSD: people and groups by name and number, and PAM.
import assert from "node:assert/strict";
import { Directory, NAS, READER } from "./harness/directory.mjs";
import { Sssd, lacksForSssd } from "./harness/sssd.mjs";
import { suite } from "./harness/suite.mjs";
import { until } from "./harness/wait.mjs";
import { PASSWORD } from "./harness/world.mjs";

class Machine {
  static async start() {
    const machine = new Machine();
    machine.directory = await Directory.start("sssd", { profile: "sssd" });
    try {
      await Promise.all(["alice", "mallory"].map((name) => machine.directory.hasPassword(name)));
      machine.sssd = await machine.join();
      // Its parts begin one after the other.
      await until("SSSD to know people", async () => (await machine.getent("passwd", "alice")).length > 0);
      return machine;
    } catch (error) {
      error.stack += `\n${machine.report()}`;
      await machine.stop();
      throw error;
    }
  }

  join() {
    const { world, url, certificate, token } = this.directory;
    return Sssd.start(world.scratch, {
      ca: certificate.ca,
      domain: {
        ldap_uri: url, ldap_id_use_start_tls: true, ldap_search_base: NAS, ldap_schema: "rfc2307bis",
        ldap_default_bind_dn: READER, ldap_default_authtok: token,
        // Everybody is fetched, in pages that are too small for them.
        enumerate: true, ldap_enumeration_refresh_offset: 0, ldap_page_size: 2,
      },
    });
  }

  /** The lines that `getent` prints, in fields. */
  async getent(base, ...keys) {
    const done = await this.sssd.within("getent", ["-s", "sss", base, ...keys]);
    return done.stdout.split("\n").filter(Boolean).map((line) => line.split(":"));
  }

  report() {
    return [this.directory?.report(), `--- sssd\n${this.sssd?.program.tail(20)}`].join("\n");
  }

  async stop() {
    await this.sssd?.stop();
    await this.directory?.stop();
  }
}

const ALL = ["alice", "bob", "carol", "mallory", "zoe"];

function declare(test) {
  test("people are found by name and by number", async (machine) => {
    const [alice] = await machine.getent("passwd", "alice");
    const [, , uid, gid] = alice;
    assert.deepEqual(alice, ["alice", "*", uid, uid, "Alice Example", "/home/alice", "/bin/bash"]);
    assert.ok(Number(uid) >= 100_000, uid);
    assert.equal(gid, uid);
    assert.deepEqual(await machine.getent("passwd", uid), [alice]);
    assert.deepEqual(await machine.getent("passwd", "nobody-here"), []);
  });

  test("groups are found with everybody in them, by nesting too", async (machine) => {
    const members = async (name) => (await machine.getent("group", name))[0][3].split(",").sort();
    assert.deepEqual(await members("family"), ["carol"]);
    assert.deepEqual(await members("users"), ["alice", "bob", "carol", "zoe"]);
    const [family] = await machine.getent("group", "family");
    assert.deepEqual(await machine.getent("group", family[2]), [family]);
    const [own] = await machine.getent("group", "carol");
    assert.equal(own[2], (await machine.getent("passwd", "carol"))[0][3]);
  });

  test("id knows all groups of somebody", async ({ sssd }) => {
    const told = await sssd.within("id", ["-Gn", "carol"]);
    assert.deepEqual(told.stdout.trim().split(" ").sort(), ["carol", "children", "family", "users"]);
  });

  test("everybody is told, from pages", async (machine) => {
    const names = (lines) => lines.map(([name]) => name).sort();
    await until("SSSD to know everybody", async () => (await machine.getent("passwd")).length >= ALL.length, { limit: 30_000, every: 250 });
    assert.deepEqual(names(await machine.getent("passwd")), ALL);
    await until("SSSD to know every group", async () => names(await machine.getent("group")).includes("family"), { limit: 30_000, every: 250 });
  });

  test("PAM lets in whom the app's rules let in, by password or app password", async ({ sssd, directory }) => {
    for (const secret of [PASSWORD, await directory.appPassword("alice")]) {
      const alice = await sssd.login("alice", secret);
      assert.ok(alice.in, alice.says);
    }
    for (const [name, secret] of [["alice", `${PASSWORD}!`], ["alice", ""], ["mallory", PASSWORD], ["bob", PASSWORD]]) {
      const refused = await sssd.login(name, secret);
      assert.ok(!refused.in, `${name}: ${refused.says}`);
    }
  });

  test("whoever is taken out of the files is gone from the machine", async (machine) => {
    const { doorward } = machine.directory.world;
    await doorward.write("guest.kdl", 'user guest "Guest" email="guest@example.com" { in users }\n');
    await until("the guest to be known", async () => (await machine.getent("passwd", "guest")).length === 1, { every: 250 });
    await doorward.erase("guest.kdl");
    const gone = async () => {
      assert.equal((await machine.sssd.within("sss_cache", ["-E"])).code, 0);
      return (await machine.getent("passwd", "guest")).length === 0;
    };
    await until("the guest to be gone", gone, { every: 250 });
  });
}

const lacks = await lacksForSssd();
if (lacks) console.log(`\nsssd\n  SKIPPED: ${lacks}`);
else suite("sssd", Machine.start, declare);
