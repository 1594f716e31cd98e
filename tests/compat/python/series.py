"""The rows of an RPC, filtered, chosen, ordered and counted as those of a resource."""

from harness import ACME, counted, rows, service
from postgrest import CountMethod

SERIES = {
    "p_account_id": ACME,
    "p_resource_type": "gpu_hours",
    "p_from": "2026-01-01T00:00:00Z",
    "p_to": "2026-02-01T00:00:00Z",
    "p_bucket": "day",
}
FIFTH = {"bucket_start": "2026-01-05T00:00:00+00:00", "group": None, "quantity": 1.75}
SEVENTH = {"bucket_start": "2026-01-07T00:00:00+00:00", "group": None, "quantity": 5}

for how in [{}, {"get": True}]:
    by = "by GET" if how else "by POST"

    def usage(count=None):
        return service.rpc("usage_series", SERIES, count=count, **how)

    rows(f"rows {by}", usage(), [FIFTH, SEVENTH])
    rows(f"filtered rows {by}", usage().gt("quantity", 2), [SEVENTH])
    rows(
        f"chosen columns {by}",
        usage().select("at:bucket_start", "quantity").eq("quantity", 5),
        [{"at": SEVENTH["bucket_start"], "quantity": 5}],
    )
    rows(f"rows in an order and a range {by}", usage().order("quantity", desc=True).range(1, 1), [FIFTH])
    rows(f"one of the rows {by}", usage().lt("quantity", 2).single(), FIFTH)
    rows(f"one of the rows, perhaps {by}", usage().gt("quantity", 2).maybe_single(), SEVENTH)
    counted(f"a count of the rows {by}", usage(CountMethod.exact).limit(1), 2, [FIFTH])
counted("a count of the rows alone", service.rpc("usage_series", SERIES, head=True, count=CountMethod.exact), 2, [])
