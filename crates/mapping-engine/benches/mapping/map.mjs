// The same mapping by hand in Node: map.mjs FILE PASSES OUT prints one JSON object.

import { readFileSync, writeFileSync } from "node:fs";

const COUNTRIES = { A: "Austria", CH: "Switzerland", D: "Germany", F: "France", I: "Italy", NL: "Netherlands" };
const STATES = { aktiv: "active", gesperrt: "blocked", interessent: "lead", ruhend: "dormant" };

const oneSpace = (text) => text.trim().replace(/\s+/g, " ");

function email(value) {
  const text = value.trim().toLowerCase();
  const at = text.indexOf("@");
  if (at < 1 || !text.includes(".", at)) throw new Error("not an e-mail address");
  return text;
}

function phone(value) {
  const plain = value.replace("(0)", "");
  const digits = plain.replace(/\D/g, "");
  if (plain.startsWith("+")) return "+" + digits;
  if (digits.startsWith("00")) return "+" + digits.slice(2);
  return "+49" + (digits.startsWith("0") ? digits.slice(1) : digits);
}

function domain(value) {
  const text = value.trim().toLowerCase();
  const scheme = text.indexOf("://");
  const host = (scheme < 0 ? text : text.slice(scheme + 3)).split(/[/?#:]/, 1)[0];
  return host.startsWith("www.") ? host.slice(4) : host;
}

function round2(value) {
  // Half away from zero, on the decimal digits.
  const [whole, fraction = ""] = String(value).split(".");
  const digits = Number(fraction.slice(0, 2).padEnd(2, "0")) + (fraction.charCodeAt(2) >= 53 ? 1 : 0);
  return String((Number(whole) * 100 + digits) / 100);
}

function date(text) {
  const [day, month, year] = text.split(".").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCDate() !== day) throw new Error("not a date");
  return date.toISOString().slice(0, 10);
}

function convert(line) {
  const r = JSON.parse(line);
  const a = r.address;
  return JSON.stringify({
    properties: {
      external_id: r.id,
      firstname: r.firstName.trim(),
      lastname: oneSpace(r.lastName),
      sort_name: oneSpace(`${r.lastName}, ${r.firstName}`),
      email: email(r.mail),
      phone: phone(r.phone),
      mobilephone: phone(r.mobile),
      company: oneSpace(r.company),
      domain: domain(r.website),
      address: a.street.trim(),
      zip: a.zip.trim(),
      city: a.city.trim(),
      country: COUNTRIES[a.country],
      customer_status: STATES[r.status],
      credit_limit: String(Number(r.limit.replaceAll(".", "").replace(",", "."))),
      discount: round2(r.discount),
      customer_since: new Date(r.created).toISOString().replace(".000Z", "Z"),
      birthday: date(r.birthday),
      newsletter: r.newsletter.toLowerCase() === "ja" ? "true" : "false",
      tags: r.tags
        .split(";")
        .map((tag) => tag.trim())
        .filter((tag) => tag)
        .sort()
        .join(";"),
    },
  });
}

const [file, passes, out] = process.argv.slice(2);
const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
let records = 0;
let text = "";
const start = process.cpuUsage();
for (let pass = 0; pass < Number(passes); pass += 1) {
  const written = lines.map(convert);
  text = written.join("\n") + "\n";
  records += lines.length;
}
const used = process.cpuUsage(start);
writeFileSync(out, text);
console.log(JSON.stringify({ records, nanoseconds: (used.user + used.system) * 1000 }));
