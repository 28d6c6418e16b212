"""The Python peer: a plain script on HubSpot's own client, batch upsert of a hundred, as its README shows.

It maps as the benchmark's mapping file says, with the library that people take for each job, so that the same values
arrive; the benchmark compares all but the phone numbers, which two libraries may read differently.

usage: upsert.py CSV URL TOKEN
Prints one JSON object: rows, calls, CPU seconds, peak megabytes, seconds.
"""

import csv
import json
import resource
import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import phonenumbers
from hubspot import HubSpot
from hubspot.crm.contacts import BatchInputSimplePublicObjectBatchInputUpsert

BERLIN = ZoneInfo("Europe/Berlin")
COUNTRIES = {
    name.lower(): country
    for country, names in {
        "Germany": ["Germany", "DE", "Deutschland"],
        "France": ["France", "FR"],
        "Netherlands": ["Netherlands", "NL", "Nederland"],
        "Poland": ["Poland", "PL", "Polska"],
        "Denmark": ["Denmark", "DK", "Danmark"],
    }.items()
    for name in names
}
WORDS = {"yes": "true", "ja": "true", "1": "true", "no": "false", "nein": "false", "0": "false"}


def parse(text, formats):
    for form in formats:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            pass
    return None


def phone(text):
    try:
        number = phonenumbers.parse(text, "DE")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def contact(row):
    first_order = parse(row["first_order"], ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"])
    last_visit = parse(row["last_visit"], ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"])
    return {
        "email": row["email"].strip().lower(),
        "salutation": row["salutation"].strip(),
        "firstname": " ".join(row["first_name"].split()),
        "lastname": " ".join(row["last_name"].split()),
        "phone": phone(row["phone"]),
        "mobilephone": phone(row["mobile"]),
        "jobtitle": row["job_title"].strip(),
        "department": row["department"].strip(),
        "address": row["street"].strip(),
        "zip": row["postcode"],
        "city": row["city"],
        "state": row["region"],
        "country": COUNTRIES.get(row["country"].strip().lower()),
        "spoken_language": row["language"],
        "wants_newsletter": WORDS.get(row["newsletter"].strip().lower()),
        "purchase_role": row["role"],
        "first_order_on": first_order.date().isoformat() if first_order else "",
        "last_visit_at": last_visit.replace(tzinfo=BERLIN).astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")
        if last_visit
        else "",
        "loyalty_points": row["points"],
        "internal_note": row["note"].strip(),
    }


def main():
    path, url, token = sys.argv[1:]
    client = HubSpot(access_token=token)
    api = client.crm.contacts.batch_api
    api.api_client.configuration.host = url
    start = time.time()
    rows = calls = 0
    batch = []

    def send():
        nonlocal calls
        answer = api.upsert(
            batch_input_simple_public_object_batch_input_upsert=BatchInputSimplePublicObjectBatchInputUpsert(inputs=batch)
        )
        calls += 1
        assert len(answer.results) == len(batch)
        batch.clear()

    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows += 1
            batch.append({"id": "py-" + row["person_id"], "idProperty": "wholesale_key", "properties": contact(row)})
            if len(batch) == 100:
                send()
    if batch:
        send()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "read": rows,
                "written": rows,
                "calls": calls,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "peak_mb": used.ru_maxrss / 1024,
                "seconds": time.time() - start,
            }
        )
    )


main()
