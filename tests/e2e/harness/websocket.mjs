// A WebSocket handshake as a browser would send it.
import { randomBytes } from "node:crypto";

/** Headers of a handshake; `origin` is what the page's own address would be. */
export function handshake({ origin } = {}) {
  const headers = [
    ["Connection", "Upgrade"], ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", randomBytes(16).toString("base64")],
    ["Sec-Fetch-Mode", "websocket"], ["Sec-Fetch-Dest", "empty"],
  ];
  if (origin) headers.push(["Origin", origin]);
  return headers;
}
