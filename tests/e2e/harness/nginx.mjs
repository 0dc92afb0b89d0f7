// A real nginx with the printed snippet of each app and a plain route to the sign-in host.
import { writeFile } from "node:fs/promises";
import { Program } from "./program.mjs";
import { send } from "./wire.mjs";
import { until } from "./wait.mjs";

const BINARY = process.env.NGINX_BIN ?? "nginx";

export class Nginx {
  /** `snippets` maps a host to what `doorward snippet nginx app:NAME` printed for it. */
  static async start(scratch, { port, doorward, certificate, snippets, authHost }) {
    const nginx = new Nginx();
    const dir = await scratch.folder("nginx");
    const servers = [...snippets].map(([host, text]) => serverBlock(host, text, port));
    await writeFile(`${dir}/nginx.conf`, `
daemon off;
pid ${dir}/nginx.pid;
error_log stderr warn;
worker_processes 1;
${process.getuid() === 0 ? "user root;" : ""}
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi; uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    server { listen 127.0.0.1:${port} ssl default_server; server_name _; return 421; }
    server {
        listen 127.0.0.1:${port} ssl;
        server_name ${authHost};
        location / {
            proxy_pass http://${doorward};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
        }
    }
${servers.join("\n")}
}
`);
    nginx.program = Program.start("nginx", BINARY, ["-p", dir, "-e", "stderr", "-c", `${dir}/nginx.conf`]);
    await until("nginx to be ready", async () => {
      nginx.program.mustRun();
      return (await send({ port, tls: true, servername: authHost, headers: [["Host", authHost], ["Connection", "close"]] })).status > 0;
    });
    return nginx;
  }

  async stop() {
    await this.program?.stop("SIGQUIT");
  }
}

/** A snippet may be a whole server block, with or without `listen` lines, or what belongs inside one. */
function serverBlock(host, text, port) {
  const listen = `listen 127.0.0.1:${port} ssl;`;
  if (!/^\s*server\s*\{/m.test(text)) return `server {\n ${listen}\n server_name ${host};\n${text}\n}`;
  return text
    .replace(/^\s*(listen|ssl_certificate(_key)?|http2)\s[^;]*;/gm, "")
    .replace(/^(\s*server\s*\{)/gm, `$1\n    ${listen}`);
}
