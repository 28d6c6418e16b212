"""The peer of `cargo xtask bench sources`: dlt reads the same people, and nothing is done with them.

usage: sources.py rest|postgres ADDRESS ROWS
"""

import json
import os
import resource
import sys
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"


def rest(address):
    from dlt.sources.rest_api import rest_api_source

    paginator = {"type": "cursor", "cursor_path": "next", "cursor_param": "after"}
    endpoint = {"path": "people", "params": {"limit": 1000}, "data_selector": "data", "paginator": paginator}
    config = {
        "client": {"base_url": address},
        "resources": [{"name": "people", "primary_key": "id", "endpoint": endpoint}],
    }
    return rest_api_source(config).resources["people"]


def postgres(address):
    from dlt.sources.sql_database import sql_table

    said = dict(pair.split("=", 1) for pair in address.split())
    url = "postgresql+psycopg2://{user}:{password}@{host}:{port}/{dbname}".format(**said)
    return sql_table(credentials=url, table="people", chunk_size=1000)


def main():
    kind, address, rows = sys.argv[1:]
    started = time.monotonic()
    records = 0
    for _ in {"rest": rest, "postgres": postgres}[kind](address):
        records += 1
    if records != int(rows):
        sys.exit(f"{records} of {rows} records were read")
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "records": records,
        "seconds": time.monotonic() - started,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
