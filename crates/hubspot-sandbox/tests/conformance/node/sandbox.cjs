// Starts the sandbox on a free port and hands out SDK clients for it.
"use strict";
const { spawn } = require("node:child_process");
const { createInterface } = require("node:readline");
const { Client } = require("@hubspot/api-client");

const TOKEN = "conformance-token";
const PREFIX = "listening on ";

// One running portal. Search shows writes at once unless the arguments say otherwise.
async function startSandbox(...settings) {
  const fixed = ["serve", "--listen", "127.0.0.1:0", "--tier", "enterprise", "--token", TOKEN, "--search-lag", "0s"];
  const child = spawn(process.env.HUBSPOT_SANDBOX, [...fixed, ...settings], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", (status) => resolve(status)));
  let url;
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith(PREFIX)) url = line.slice(PREFIX.length);
    break;
  }
  if (!url) throw new Error(`the sandbox did not start, status ${await ended}`);
  return {
    url,
    // HubSpot's SDK as its users build it; only the base path differs.
    client: (accessToken = TOKEN) => new Client({ accessToken, basePath: url }),
    async stop() {
      child.kill("SIGTERM");
      const status = await ended;
      if (status !== 0) throw new Error(`the sandbox ended with status ${status}`);
    },
  };
}

module.exports = { startSandbox };
