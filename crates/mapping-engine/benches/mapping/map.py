"""The same mapping by hand in Python: map.py FILE PASSES OUT prints one JSON object."""

import json
import re
import sys
import time
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal

COUNTRIES = {"A": "Austria", "CH": "Switzerland", "D": "Germany", "F": "France", "I": "Italy", "NL": "Netherlands"}
STATES = {"aktiv": "active", "gesperrt": "blocked", "interessent": "lead", "ruhend": "dormant"}
NO_DIGIT = re.compile(r"\D")
HOST_END = re.compile(r"[/?#:]")


def one_space(text):
    return " ".join(text.split())


def email(text):
    text = text.strip().lower()
    local, _, host = text.partition("@")
    if not local or "." not in host:
        raise ValueError("not an e-mail address")
    return text


def phone(text):
    plain = text.replace("(0)", "", 1)
    digits = NO_DIGIT.sub("", plain)
    if plain.startswith("+"):
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+49" + (digits[1:] if digits.startswith("0") else digits)


def domain(text):
    text = text.strip().lower()
    host = HOST_END.split(text.split("://", 1)[-1], maxsplit=1)[0]
    return host[4:] if host.startswith("www.") else host


def number(value):
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text


def convert(line):
    r = json.loads(line, parse_float=Decimal)
    a = r["address"]
    created = datetime.fromisoformat(r["created"].replace("Z", "+00:00")).astimezone(timezone.utc)
    properties = {
        "external_id": r["id"],
        "firstname": r["firstName"].strip(),
        "lastname": one_space(r["lastName"]),
        "sort_name": one_space(r["lastName"] + ", " + r["firstName"]),
        "email": email(r["mail"]),
        "phone": phone(r["phone"]),
        "mobilephone": phone(r["mobile"]),
        "company": one_space(r["company"]),
        "domain": domain(r["website"]),
        "address": a["street"].strip(),
        "zip": a["zip"].strip(),
        "city": a["city"].strip(),
        "country": COUNTRIES[a["country"]],
        "customer_status": STATES[r["status"]],
        "credit_limit": number(Decimal(r["limit"].replace(".", "").replace(",", "."))),
        "discount": number(Decimal(r["discount"]).quantize(Decimal("0.01"), ROUND_HALF_UP)),
        "customer_since": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "birthday": datetime.strptime(r["birthday"], "%d.%m.%Y").strftime("%Y-%m-%d"),
        "newsletter": "true" if r["newsletter"].lower() == "ja" else "false",
        "tags": ";".join(sorted(tag.strip() for tag in r["tags"].split(";") if tag.strip())),
    }
    return json.dumps({"properties": properties}, ensure_ascii=False, separators=(",", ":"))


def main():
    file, passes, out = sys.argv[1:]
    with open(file, encoding="utf-8") as source:
        lines = source.read().splitlines()
    records = 0
    start = time.process_time_ns()
    for _ in range(int(passes)):
        written = [convert(line) for line in lines]
        text = "\n".join(written) + "\n"
        records += len(lines)
    used = time.process_time_ns() - start
    with open(out, "w", encoding="utf-8") as target:
        target.write(text)
    print(json.dumps({"records": records, "nanoseconds": used}))


main()
