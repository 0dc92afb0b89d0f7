// The bare axum handler that everything is measured beside: `examples/bare.rs`.
import { Program } from "../e2e/harness/program.mjs";
import { freePorts } from "../e2e/harness/scratch.mjs";
import { until } from "../e2e/harness/wait.mjs";
import { send } from "../e2e/harness/wire.mjs";
import { SERVER_CORE } from "./wrk.mjs";

/** Starts it on the server's core; it knows one cookie. */
export async function startBare(token) {
  const [port] = await freePorts(1);
  const program = Program.start("bare", "taskset", ["-c", SERVER_CORE, process.env.BARE_BIN, `127.0.0.1:${port}`, token]);
  await until("the bare handler to listen", async () => {
    program.mustRun();
    return (await send({ port, target: "/auth/traefik", headers: [["Host", `127.0.0.1:${port}`]] })).status === 401;
  });
  return { program, url: `http://127.0.0.1:${port}/auth/traefik` };
}
