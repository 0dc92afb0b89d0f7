// One self-signed certificate for every name that the tests use.
import { run } from "./program.mjs";

const NAMES = ["example.com", "*.example.com", "*.e.example.com", "*.lab.example.com", "*.example.org", "example.org", "example.net", "auth.localhost", "wiki.localhost"];

export async function makeCertificate(scratch) {
  const cert = scratch.path("cert.pem");
  const key = scratch.path("key.pem");
  const made = await run("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7",
    "-subj", "/CN=doorward tests", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=${NAMES.map((name) => `DNS:${name}`).join(",")}`,
    "-keyout", key, "-out", cert,
  ]);
  if (made.code !== 0) throw new Error(`openssl could not make a certificate: ${made.stderr}`);
  return { cert, key };
}

/** An authority of the tests' own, and a certificate by it for 127.0.0.1 in `folder`: paths of `ca`, `cert` and `key`. */
export async function makeAuthority(scratch, folder) {
  const [ca, caKey] = [scratch.path("ca.pem"), scratch.path("ca-key.pem")];
  const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const openssl = async (...args) => {
    const made = await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7", ...args]);
    if (made.code !== 0) throw new Error(`openssl could not make a certificate: ${made.stderr}`);
  };
  await openssl("-subj", "/CN=doorward tests authority", "-addext", "keyUsage=critical,keyCertSign", "-keyout", caKey, "-out", ca);
  await openssl(
    "-subj", "/CN=127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
    "-CA", ca, "-CAkey", caKey, "-keyout", key, "-out", cert);
  return { ca, cert, key };
}
