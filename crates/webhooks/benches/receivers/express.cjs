// The receiver that many would write: Express, better-sqlite3, a transaction for each request.
const crypto = require("node:crypto");
const express = require("express");
const Database = require("better-sqlite3");

const SECRET = "bench-secret";
const PUBLIC_URL = "https://hooks.example.com/hubspot/events";

const db = new Database(process.argv[2]);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
const insert = db.prepare("INSERT INTO event (body) VALUES (?)");
const store = db.transaction((events) => {
  for (const event of events) insert.run(JSON.stringify(event));
});

function verify(request) {
  const signature = request.get("x-hubspot-signature-v3");
  const timestamp = request.get("x-hubspot-request-timestamp");
  if (!signature || !timestamp || Math.abs(Date.now() - Number(timestamp)) > 300_000) return false;
  const mac = crypto.createHmac("sha256", SECRET);
  mac.update("POST").update(PUBLIC_URL).update(request.body).update(timestamp);
  const expected = mac.digest();
  const given = Buffer.from(signature, "base64");
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

const app = express();
app.disable("x-powered-by");
app.post("/hubspot/events", express.raw({ type: "application/json", limit: "1mb" }), (request, response) => {
  if (!verify(request)) return response.status(401).end();
  store(JSON.parse(request.body));
  response.status(200).end();
});

const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
