"""RPCs through the client: by POST, GET and HEAD."""

from harness import BETA, equal, last, refused, rows, service, user

RUNS = {"p_external_id": "acme", "p_resource_type": "benchmark_runs"}
JANUARY = {
    "p_external_id": "acme",
    "p_resource_type": "gpu_hours",
    "p_window_start": "2026-01-01T00:00:00Z",
    "p_window_end": "2026-02-01T00:00:00Z",
}
MONTH = {
    "p_window_type": "calendar_month",
    "p_reference_time": "2026-01-15T12:00:00Z",
    "p_timezone": "UTC",
}
BOUNDS = {"window_start": "2026-01-01T00:00:00+00:00", "window_end": "2026-02-01T00:00:00+00:00"}

for how in [{}, {"get": True}]:
    by = "by GET" if how else "by POST"
    checked = service.rpc("check_entitlement", RUNS, **how).execute().data
    told = (checked["decision"], checked["code"], checked["quantity_allowed"])
    equal(f"one record is an object {by}", told, ("allow", "within_entitlement", 100))
    rows(f"a number is a number {by}", service.rpc("get_usage", JANUARY, **how), 6.75)
    rows(f"columns of a record {by}", service.rpc("get_window_boundaries", MONTH, **how), BOUNDS)
    rows(f"one record as one row {by}", service.rpc("get_window_boundaries", MONTH, **how).single(), BOUNDS)
rows("HEAD has no rows", service.rpc("check_entitlement", RUNS, head=True), [])
equal("but the status", last().status_code, 200)

metered = {
    "p_idempotency_key": "python-call",
    "p_account_id": BETA,
    "p_resource_type": "gpu_hours",
    "p_quantity": 0.125,
    "p_occurred_at": "2025-09-01T00:00:00Z",
}
first = service.rpc("meter_consumption", metered).execute().data
rows("a repeated key has the first answer", service.rpc("meter_consumption", metered), first)
september = {
    **JANUARY,
    "p_external_id": "beta",
    "p_window_start": "2025-09-01T00:00:00Z",
    "p_window_end": "2025-10-01T00:00:00Z",
    "p_include_children": False,
}
rows("and counts once", service.rpc("get_usage", september), 0.125)
refused(
    "another call with the key is a conflict",
    service.rpc("meter_consumption", {**metered, "p_quantity": 1}),
    409,
    code="idempotency_conflict",
)

refused("an unknown RPC", service.rpc("chek_entitlement", RUNS), 404, code="PGRST202")
refused("an unknown argument", service.rpc("get_usage", {**JANUARY, "p_what": 1}), 404, code="PGRST202")
refused("a missing argument", service.rpc("get_usage", {}), 404, code="PGRST202")
refused("what writes by GET", service.rpc("meter_consumption", metered, get=True), 405, code="PGRST101")
nobody = {**JANUARY, "p_external_id": "nobody"}
refused("an account that is not there", service.rpc("get_usage", nobody), 404, code="account_not_found")
refused("by HEAD, too", service.rpc("get_usage", nobody, head=True), 404, code="account_not_found")
beta = {**JANUARY, "p_external_id": "beta"}
refused("an account of others", user.rpc("get_usage", beta), 404, code="account_not_found")
