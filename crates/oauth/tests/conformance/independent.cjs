// Our client against an authorization server that is not ours: oidc-provider, certified for OpenID Connect, set to ask
// for proof keys and to rotate refresh tokens.
"use strict";
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");
const { after, before, it } = require("node:test");
const { pathToFileURL } = require("node:url");

const REDIRECT = "http://localhost:3000/oauth/callback";
const SCOPES = ["contacts.read", "contacts.write"];
const CLIENT = { CLIENT_ID: "kit", CLIENT_SECRET: "kit-secret" };

let server;
let issuer;

before(async () => {
  // An ECMAScript module, which NODE_PATH finds for `require` only.
  const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
  const http = require("node:http").createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  issuer = `http://127.0.0.1:${http.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.CLIENT_ID,
        client_secret: CLIENT.CLIENT_SECRET,
        redirect_uris: [REDIRECT],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_post",
        scope: SCOPES.join(" "),
      },
    ],
    cookies: { keys: ["of tests alone"] },
    features: { clientCredentials: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true } },
    pkce: { required: () => true, methods: ["S256"] },
    scopes: SCOPES,
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    // What a server of HubSpot's says of whose a token is.
    extraTokenClaims: async () => ({ hub_id: 4242 }),
    ttl: { AccessToken: 1800, ClientCredentials: 1800, RefreshToken: 86400, Grant: 86400, Session: 3600, Interaction: 3600 },
  });
  http.on("request", provider.callback());
  server = http;
});
after(() => {
  server?.closeAllConnections();
  server?.close();
});

// Follows redirects and presses the first button of every page, with the server's cookies, until the callback.
async function browse(address) {
  const cookies = new Map();
  const visit = async (url, form) => {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const body = form && new URLSearchParams(form);
    const answer = await fetch(url, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split("=");
      cookies.set(name, value);
    }
    return answer;
  };
  let url = address;
  let answer = await visit(url);
  for (let step = 0; step < 20; step += 1) {
    const location = answer.headers.get("location");
    if (location?.startsWith(REDIRECT)) return new URL(location).search.slice(1);
    if (location) {
      url = new URL(location, url).href;
      answer = await visit(url);
      continue;
    }
    const page = await answer.text();
    const action = page.match(/<form[^>]* action="([^"]+)"/)?.[1];
    assert.ok(action, `a page without a form, status ${answer.status}: ${page}`);
    const prompt = page.match(/name="prompt" value="([^"]+)"/)[1];
    url = new URL(action, url).href;
    answer = await visit(url, { prompt, login: "ada", password: "any" });
  }
  assert.fail("no end of pages");
}

it("our client installs, renews, looks and revokes", async () => {
  const places = ["auth", "token", "token/introspection", "token/revocation"].map((path) => `${issuer}/${path}`);
  const child = spawn(process.env.OAUTH_FLOW, [...places, REDIRECT, ...SCOPES], {
    env: { ...process.env, ...CLIENT },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const lines = [];
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line);
    lines.push(said);
    if (said.open) child.stdin.end(`${await browse(said.open)}\n`);
  }
  assert.deepEqual(await ended, [0, null]);
  const [, installed, second, renewals, active, app, revoked] = lines;
  assert.deepEqual(installed, { installed: 4242, surplus: [] });
  assert.match(second["second callback"], /finished already/);
  assert.deepEqual(renewals, { renewals: 3 });
  assert.deepEqual(active, { active: true, client: CLIENT.CLIENT_ID, scopes: SCOPES });
  assert.deepEqual(app, { "app token": true });
  assert.equal(revoked.active, false);
  assert.match(revoked["after revocation"], /needs re-authorisation/);
});
