// A real Caddy with the printed snippet of each app and a plain route to the sign-in host.
import { writeFile } from "node:fs/promises";
import { Program } from "./program.mjs";
import { send } from "./wire.mjs";
import { until } from "./wait.mjs";

const BINARY = process.env.CADDY_BIN ?? "caddy";

export class Caddy {
  /** `snippets` maps a host to what `doorward snippet caddy app:NAME` printed for it. */
  static async start(scratch, { port, doorward, certificate, snippets, authHost }) {
    const caddy = new Caddy();
    const dir = await scratch.folder("caddy");
    const sites = [...snippets].map(([host, text]) => siteBlock(host, text, port, certificate));
    await writeFile(`${dir}/Caddyfile`, `
{
	admin off
	auto_https off
	servers {
		protocols h1
	}
}
https://${authHost}:${port} {
	bind 127.0.0.1
	tls ${certificate.cert} ${certificate.key}
	reverse_proxy ${doorward}
}
${sites.join("\n")}
`);
    const env = { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    caddy.program = Program.start("caddy", BINARY, ["run", "--config", `${dir}/Caddyfile`, "--adapter", "caddyfile"], { env });
    await until("Caddy to be ready", async () => {
      caddy.program.mustRun();
      return (await send({ port, tls: true, servername: authHost, headers: [["Host", authHost], ["Connection", "close"]] })).status > 0;
    });
    return caddy;
  }

  async stop() {
    await this.program?.stop();
  }
}

/** A snippet may be a whole site block or what belongs inside one. */
function siteBlock(host, text, port, { cert, key }) {
  const inside = `\tbind 127.0.0.1\n\ttls ${cert} ${key}`;
  const head = new RegExp(`^(?:https://)?${host.replaceAll(".", "\\.")}(?::\\d+)?\\s*\\{`, "m");
  if (!head.test(text)) return `https://${host}:${port} {\n${inside}\n${text}\n}`;
  return text.replace(head, `https://${host}:${port} {\n${inside}`);
}
