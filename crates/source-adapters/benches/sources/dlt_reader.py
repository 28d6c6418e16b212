"""The peer of `cargo xtask bench sources`: dlt reads the same people.

usage: dlt_reader.py extract|pipeline rest|postgres ADDRESS ROWS

`extract` hands over what was read and does nothing with it. `pipeline` is what people run: it also brings the values into
typed rows, as our adapter does, and loads them into a destination that drops them.
"""

import json
import os
import resource
import sys
import tempfile
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


def extracted(people):
    records = 0
    for _ in people:
        records += 1
    return records


def loaded(people):
    import dlt

    with tempfile.TemporaryDirectory() as folder:
        destination = dlt.destinations.dummy(completed_prob=1.0, timeout=600.0)
        pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=destination, dataset_name="bench")
        pipeline.run(people).raise_on_failed_jobs()
        return pipeline.last_trace.last_normalize_info.row_counts["people"]


def main():
    what, kind, address, rows = sys.argv[1:]
    started = time.monotonic()
    people = {"rest": rest, "postgres": postgres}[kind](address)
    records = {"extract": extracted, "pipeline": loaded}[what](people)
    if records != int(rows):
        sys.exit(f"{records} of {rows} records were read")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    figures = {
        "records": records,
        "seconds": time.monotonic() - started,
        "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in used),
        "peak_mb": max(one.ru_maxrss for one in used) / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
