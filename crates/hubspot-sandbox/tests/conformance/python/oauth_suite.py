"""HubSpot's Python SDK installs an app, renews its token and looks at it, against the sandbox's authorization server."""

import json
import unittest
import urllib.error
import urllib.parse
import urllib.request

from hubspot.crm import contacts
from hubspot.oauth.exceptions import ApiException
from hubspot.utils.oauth import get_auth_url

from sandbox import Sandbox

CONSENT = "https://app.hubspot.com"
REDIRECT = "http://localhost:3000/oauth-callback"
APP = {
    "appId": 4712,
    "name": "Conformance",
    "clientId": "python-client",
    "clientSecret": "python-secret",
    "redirectUris": [REDIRECT],
    "requiredScopes": ["crm.objects.contacts.read"],
    "optionalScopes": ["tickets"],
}


def setUpModule():
    global sandbox, hubspot
    sandbox = Sandbox("--no-limits").__enter__()
    unittest.addModuleCleanup(sandbox.__exit__)
    hubspot = sandbox.client(None)
    control("apps", APP)


def control(path, body=None):
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(f"{sandbox.url}/_sandbox/{path}", data=data, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def consent(answer="allow"):
    """What a person's browser does with the address the SDK makes; only its host differs."""
    link = get_auth_url(
        client_id=APP["clientId"], redirect_uri=REDIRECT, scope=("crm.objects.contacts.read",),
        optional_scope=("tickets",), state="state-1",
    )
    assert link.startswith(CONSENT), link
    url = link.replace(CONSENT, sandbox.url)
    with urllib.request.urlopen(url) as page:
        assert b"Connect app" in page.read()
    try:
        urllib.request.build_opener(NoRedirect).open(url, data=f"answer={answer}".encode())
    except urllib.error.HTTPError as redirect:
        callback = urllib.parse.urlsplit(redirect.headers["location"])
    assert callback.geturl().startswith(REDIRECT + "?"), callback
    query = dict(urllib.parse.parse_qsl(callback.query))
    assert query["state"] == "state-1", query
    return query


def token(grant_type, secret=APP["clientSecret"], **values):
    return hubspot.oauth.tokens_api.create(
        grant_type=grant_type, client_id=APP["clientId"], client_secret=secret, **values
    )


def install():
    return token("authorization_code", code=consent()["code"], redirect_uri=REDIRECT)


def renew(refresh_token):
    return token("refresh_token", refresh_token=refresh_token)


class Case(unittest.TestCase):
    def refused(self, status, call, *arguments, **keywords):
        with self.assertRaises(ApiException) as caught:
            call(*arguments, **keywords)
        self.assertEqual(caught.exception.status, 400)
        self.assertEqual(json.loads(caught.exception.body)["status"], status)


class Install(Case):
    def test_tokens_work_and_can_be_renewed(self):
        first = install()
        self.assertEqual(first.expires_in, 1800)
        self.assertEqual(sandbox.client(first.access_token).crm.contacts.basic_api.get_page().results, [])
        second = renew(first.refresh_token)
        self.assertNotEqual(second.access_token, first.access_token)
        sandbox.client(second.access_token).crm.contacts.basic_api.get_page()

    def test_a_person_can_refuse(self):
        answer = consent("deny")
        self.assertEqual(answer["error"], "access_denied")
        self.assertNotIn("code", answer)

    def test_expiry_is_healed_by_a_renewal_and_an_uninstall_by_nothing(self):
        first = install()
        control(f"apps/{APP['appId']}/expire")
        with self.assertRaises(contacts.exceptions.ApiException) as caught:
            sandbox.client(first.access_token).crm.contacts.basic_api.get_page()
        self.assertEqual(caught.exception.status, 401)
        self.assertEqual(json.loads(caught.exception.body)["category"], "EXPIRED_AUTHENTICATION")
        sandbox.client(renew(first.refresh_token).access_token).crm.contacts.basic_api.get_page()
        control(f"apps/{APP['appId']}/uninstall")
        self.refused("BAD_REFRESH_TOKEN", renew, first.refresh_token)


class TokenEndpoint(Case):
    def test_errors_in_hubspots_words(self):
        code = consent()["code"]
        self.refused("BAD_CLIENT_SECRET", token, "authorization_code", secret="guess", code=code, redirect_uri=REDIRECT)
        other = REDIRECT + "/other"
        self.refused("MISMATCH_REDIRECT_URI_AUTH_CODE", token, "authorization_code", code=code, redirect_uri=other)
        self.refused("BAD_AUTH_CODE", token, "authorization_code", code=code, redirect_uri=REDIRECT)
        self.refused("BAD_REFRESH_TOKEN", renew, "guess")

    def test_what_a_token_is(self):
        tokens = install()
        access = hubspot.oauth.access_tokens_api.get(tokens.access_token)
        self.assertEqual(access.app_id, APP["appId"])
        self.assertEqual(access.scopes, ["crm.objects.contacts.read", "oauth", "tickets"])
        refresh = hubspot.oauth.refresh_tokens_api.get(tokens.refresh_token)
        self.assertEqual(refresh.client_id, APP["clientId"])
        hubspot.oauth.refresh_tokens_api.archive(tokens.refresh_token)
        self.refused("BAD_REFRESH_TOKEN", renew, tokens.refresh_token)


if __name__ == "__main__":
    unittest.main(verbosity=2)
