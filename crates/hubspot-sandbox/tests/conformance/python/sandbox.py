"""Starts the sandbox on a free port for the length of a `with` block, and hands out SDK clients for it."""

import os
import signal
import subprocess

from hubspot import HubSpot

TOKEN = "conformance-token"


class Sandbox:
    """One running portal. Search shows writes at once unless the arguments say otherwise."""

    def __init__(self, *arguments):
        self.arguments = ["--tier", "enterprise", "--token", TOKEN, "--search-lag", "0s", *arguments]

    def __enter__(self):
        command = [os.environ["HUBSPOT_SANDBOX"], "serve", "--listen", "127.0.0.1:0", *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        prefix = "listening on "
        if not line.startswith(prefix):
            self.process.wait()
            raise RuntimeError(f"the sandbox did not start: {line!r}")
        self.url = line.removeprefix(prefix).strip()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f"the sandbox ended with status {status}")

    def client(self, token=TOKEN):
        """HubSpot's SDK as its users build it; only the base URL differs."""
        return HubSpot(access_token=token, host=self.url)
