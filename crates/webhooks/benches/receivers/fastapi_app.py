"""The receiver that many would write: FastAPI, sqlite3, a transaction for each request."""

import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import sys
import time

import uvicorn
from fastapi import FastAPI, Request, Response

SECRET = b"bench-secret"
PUBLIC_URL = b"https://hooks.example.com/hubspot/events"

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")

app = FastAPI()


def verify(headers, body):
    signature = headers.get("x-hubspot-signature-v3")
    timestamp = headers.get("x-hubspot-request-timestamp")
    if not signature or not timestamp or abs(time.time() * 1000 - int(timestamp)) > 300_000:
        return False
    mac = hmac.new(SECRET, b"POST" + PUBLIC_URL + body + timestamp.encode(), hashlib.sha256)
    return hmac.compare_digest(base64.b64encode(mac.digest()), signature.encode())


@app.post("/hubspot/events")
async def receive(request: Request):
    body = await request.body()
    if not verify(request.headers, body):
        return Response(status_code=401)
    rows = [(json.dumps(event),) for event in json.loads(body)]
    db.execute("BEGIN")
    db.executemany("INSERT INTO event (body) VALUES (?)", rows)
    db.execute("COMMIT")
    return Response(status_code=200)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(2048)
print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, loop="uvloop", http="httptools")).run([listener])
