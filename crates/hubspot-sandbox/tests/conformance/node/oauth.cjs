// HubSpot's Node SDK installs an app, renews its token and looks at it, against the sandbox's authorization server.
"use strict";
const assert = require("node:assert/strict");
const { after, before, describe, it } = require("node:test");
const { startSandbox } = require("./sandbox.cjs");

const APP = {
  appId: 4711,
  name: "Conformance",
  clientId: "node-client",
  clientSecret: "node-secret",
  redirectUris: ["http://localhost:3000/oauth-callback"],
  requiredScopes: ["crm.objects.contacts.read"],
  optionalScopes: ["tickets"],
};
const REDIRECT = APP.redirectUris[0];
const CONSENT = "https://app.hubspot.com";

let sandbox;
let hubspot;

before(async () => {
  sandbox = await startSandbox("--no-limits");
  hubspot = sandbox.client(undefined);
  await control("apps", APP);
});
after(() => sandbox?.stop());

async function control(path, body) {
  const answer = await fetch(`${sandbox.url}/_sandbox/${path}`, { method: "POST", body: JSON.stringify(body ?? {}) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// What a person's browser does with the address the SDK makes; only its host differs.
async function consent(answer = "allow") {
  const link = hubspot.oauth.getAuthorizationUrl(APP.clientId, REDIRECT, "crm.objects.contacts.read", "tickets", "state-1");
  assert.ok(link.startsWith(CONSENT), link);
  const url = link.replace(CONSENT, sandbox.url);
  const page = await fetch(url);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Connect app/);
  const answered = await fetch(url, { method: "POST", body: new URLSearchParams({ answer }), redirect: "manual" });
  assert.equal(answered.status, 302);
  const callback = new URL(answered.headers.get("location"));
  assert.equal(callback.origin + callback.pathname, REDIRECT);
  assert.equal(callback.searchParams.get("state"), "state-1");
  return callback.searchParams;
}

const token = (kind, code, redirect, refresh, secret = APP.clientSecret) =>
  hubspot.oauth.tokensApi.create(kind, code, redirect, APP.clientId, secret, refresh);
const install = async () => token("authorization_code", (await consent()).get("code"), REDIRECT);
const renew = (refreshToken) => token("refresh_token", undefined, undefined, refreshToken);

async function refused(status, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.code, 400);
    assert.equal(error.body.status, status);
    return true;
  });
}

describe("the install", () => {
  it("gives tokens that work and can be renewed", async () => {
    const first = await install();
    assert.equal(first.expiresIn, 1800);
    const client = sandbox.client(first.accessToken);
    assert.deepEqual((await client.crm.contacts.basicApi.getPage()).results, []);
    const second = await renew(first.refreshToken);
    assert.notEqual(second.accessToken, first.accessToken);
    client.setAccessToken(second.accessToken);
    await client.crm.contacts.basicApi.getPage();
  });

  it("can be refused by the person", async () => {
    const answer = await consent("deny");
    assert.equal(answer.get("error"), "access_denied");
    assert.equal(answer.get("code"), null);
  });

  it("ends with an expired token, which a renewal heals, and with an uninstall, which none does", async () => {
    const first = await install();
    const client = sandbox.client(first.accessToken);
    await control(`apps/${APP.appId}/expire`);
    await assert.rejects(client.crm.contacts.basicApi.getPage(), (error) => {
      assert.equal(error.code, 401);
      assert.equal(error.body.category, "EXPIRED_AUTHENTICATION");
      return true;
    });
    client.setAccessToken((await renew(first.refreshToken)).accessToken);
    await client.crm.contacts.basicApi.getPage();
    await control(`apps/${APP.appId}/uninstall`);
    await refused("BAD_REFRESH_TOKEN", () => renew(first.refreshToken));
  });
});

describe("the token endpoint", () => {
  it("refuses what is wrong in HubSpot's words", async () => {
    const code = (await consent()).get("code");
    await refused("BAD_CLIENT_SECRET", () => token("authorization_code", code, REDIRECT, undefined, "guess"));
    await refused("MISMATCH_REDIRECT_URI_AUTH_CODE", () => token("authorization_code", code, `${REDIRECT}/other`));
    await refused("BAD_AUTH_CODE", () => token("authorization_code", code, REDIRECT));
    await refused("BAD_REFRESH_TOKEN", () => renew("guess"));
  });

  it("tells what a token is", async () => {
    const tokens = await install();
    const access = await hubspot.oauth.accessTokensApi.get(tokens.accessToken);
    assert.equal(access.appId, APP.appId);
    assert.deepEqual(access.scopes, ["crm.objects.contacts.read", "oauth", "tickets"]);
    assert.equal((await hubspot.oauth.refreshTokensApi.get(tokens.refreshToken)).clientId, APP.clientId);
    await hubspot.oauth.refreshTokensApi.archive(tokens.refreshToken);
    await refused("BAD_REFRESH_TOKEN", () => renew(tokens.refreshToken));
  });
});
