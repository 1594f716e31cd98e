"""Rows that are made, changed and removed. What a program makes bears its name, so that the other one does not meet it."""

from harness import ACME, admin, anonymous, counted, equal, last, refused, rows, service, user
from postgrest import CountMethod, ReturnMethod

TOLD = "rule_name,limit_action_code,priority,is_active"


def rules():
    return admin.from_("control_rules")


def rule(name, **more):
    return {
        "rule_name": f"py-{name}",
        "resource_type_code": "gpu_hours",
        "limit_kind_code": "cumulative",
        "limit_action_code": "warn",
        **more,
    }


def rule_id(number):
    return f"00000000-0000-7000-8000-0000000002{number:02}"


def made(sentence, status, query, expected):
    """A write has a status, and tells these rows."""
    rows(sentence, query, expected)
    equal(f"{sentence}: the status", last().status_code, status)


minimal = ReturnMethod.minimal

# One and many.
made("a row is made without being told", 201, rules().insert(rule("one", rule_id=rule_id(1)), returning=minimal), [])
rows(
    "and is there, with what was not said",
    rules().select(TOLD, "warn_at_percent").eq("rule_name", "py-one").single(),
    {
        "rule_name": "py-one",
        "limit_action_code": "warn",
        "priority": 0,
        "is_active": True,
        "warn_at_percent": None,
    },
)
made(
    "a row is made and told",
    201,
    rules().insert(rule("two", rule_id=rule_id(2), warn_at_percent=62.5)).select("rule_id", "rule_name", "warn_at_percent"),
    [{"rule_id": rule_id(2), "rule_name": "py-two", "warn_at_percent": 62.5}],
)
two = [rule("three", rule_id=rule_id(3)), rule("four", rule_id=rule_id(4), priority=9)]
counted(
    "many rows are made, and told with related ones",
    rules().insert(two, count=CountMethod.exact, default_to_null=False).select("rule_name", "resource_types(description)"),
    2,
    [
        {"rule_name": "py-three", "resource_types": {"description": "Time on a GPU"}},
        {"rule_name": "py-four", "resource_types": {"description": "Time on a GPU"}},
    ],
)
made(
    "rows of different columns, with defaults for what is missing",
    201,
    rules().insert([rule("five", priority=4), rule("six")], default_to_null=False).select(TOLD),
    [
        {"rule_name": "py-five", "limit_action_code": "warn", "priority": 4, "is_active": True},
        {"rule_name": "py-six", "limit_action_code": "warn", "priority": 0, "is_active": True},
    ],
)
made("no rows are no error", 201, rules().insert([]), [])

# What is there already.
made(
    "a row that is there is changed where it is put again",
    200,
    rules().upsert(rule("one", rule_id=rule_id(1), priority=5)).select("rule_id", "priority"),
    [{"rule_id": rule_id(1), "priority": 5}],
)
both = [rule("two", rule_id=rule_id(2), priority=6), rule("seven", rule_id=rule_id(7), priority=7)]
made(
    "rows are changed and made in one call",
    201,
    rules().upsert(both, on_conflict="rule_id").select("rule_name", "priority"),
    [{"rule_name": "py-two", "priority": 6}, {"rule_name": "py-seven", "priority": 7}],
)
both = [rule("changed", rule_id=rule_id(1)), rule("eight", rule_id=rule_id(8))]
made(
    "a row that is there is left where that is asked for",
    201,
    rules().upsert(both, ignore_duplicates=True).select("rule_name"),
    [{"rule_name": "py-eight"}],
)
rows("it was left", rules().select("rule_name").eq("rule_id", rule_id(1)), [{"rule_name": "py-one"}])
refused("a row that is there is refused elsewhere", rules().insert(rule("again", rule_id=rule_id(1))), 409, code="already_exists")

# Changes.
made(
    "rows are changed by a filter",
    204,
    rules().update({"is_active": False}, returning=minimal).in_("rule_id", [rule_id(3), rule_id(4)]),
    [],
)
made(
    "and told",
    200,
    rules().update({"priority": 1}).eq("rule_id", rule_id(3)).select("rule_name", "priority"),
    [{"rule_name": "py-three", "priority": 1}],
)
inactive = rules().update({"priority": 2}, count=CountMethod.exact, returning=minimal).is_("is_active", False)
counted("how many were changed", inactive.like("rule_name", "py-%"), 2, [])
made("a change of none", 200, rules().update({"priority": 3}).eq("rule_name", "py-nobody"), [])
made(
    "a value becomes null",
    200,
    rules().update({"warn_at_percent": None}).eq("rule_id", rule_id(2)).select("warn_at_percent"),
    [{"warn_at_percent": None}],
)
refused(
    "more changes than were allowed",
    rules().update({"priority": 8}).like("rule_name", "py-%").max_affected(1),
    400,
    code="PGRST124",
)
rows("change nothing", rules().select("rule_name").like("rule_name", "py-%").eq("priority", 8), [])

# Refusals.
refused("an unknown column", rules().insert(rule("bad", prio=1)), 400, code="PGRST204")
refused("a resource type that is not there", rules().insert(rule("bad", resource_type_code="nothing")), 422, code="invalid_catalogue")
refused("a missing value", rules().insert({"rule_name": "py-bad"}), 400, code="missing_field")
refused("text that is no number", rules().update({"priority": "high"}).eq("rule_id", rule_id(1)), 400, code="invalid_value")
refused("who may not", service.from_("control_rules").insert(rule("bad")), 403, code="insufficient_role")
refused("nor by a change", user.from_("control_rules").update({"priority": 1}).eq("rule_id", rule_id(1)), 403, code="insufficient_role")
refused("who bears no token", anonymous.from_("control_rules").delete().eq("rule_id", rule_id(1)), 401)
refused(
    "the ledger is not written",
    service.from_("consumption").update({"quantity": 1}).eq("account_id", ACME),
    405,
    code="PGRST117",
)
rows("nothing of it was made", rules().select("rule_name").eq("rule_name", "py-bad"), [])

# Removals.
made("a row is removed", 204, rules().delete(returning=minimal).eq("rule_id", rule_id(1)), [])
made(
    "and told",
    200,
    rules().delete().eq("rule_id", rule_id(2)).select("rule_name", "limit_kinds(limit_kind_code)"),
    [{"rule_name": "py-two", "limit_kinds": {"limit_kind_code": "cumulative"}}],
)
rest = rules().delete(count=CountMethod.exact, returning=minimal).like("rule_name", "py-%")
counted("all of a filter, counted", rest, 6, [])
made("none is left to remove", 200, rules().delete().like("rule_name", "py-%"), [])


# Accounts, which are commands to their trees.
def account(name, **more):
    return {"account_type_code": "organization", "external_id": f"py-{name}", **more}


made(
    "accounts are made, and told",
    201,
    service.from_("accounts")
    .insert([account("a", display_name="A"), account("b", display_name="B")])
    .select("external_id", "display_name", "status"),
    [
        {"external_id": "py-a", "display_name": "A", "status": "active"},
        {"external_id": "py-b", "display_name": "B", "status": "active"},
    ],
)
made(
    "an account is changed",
    200,
    service.from_("accounts")
    .update({"display_name": "A, renamed", "status": "suspended"})
    .eq("external_id", "py-a")
    .select("display_name", "status"),
    [{"display_name": "A, renamed", "status": "suspended"}],
)
made(
    "accounts are named by the ids of the product where they are put again",
    201,
    service.from_("accounts")
    .upsert(
        [account("b", display_name="B, too"), account("c", display_name="C")],
        on_conflict="external_id",
    )
    .select("external_id", "display_name"),
    [
        {"external_id": "py-b", "display_name": "B, too"},
        {"external_id": "py-c", "display_name": "C"},
    ],
)
refused(
    "one row that is refused refuses all of its call",
    service.from_("accounts").insert([account("d"), account("a")]),
    409,
    code="already_exists",
)
rows("none of them was made", service.from_("accounts").select("external_id").eq("external_id", "py-d"), [])

# Entitlements, whose changes are versions.
c = service.from_("accounts").select("account_id").eq("external_id", "py-c").single().execute().data["account_id"]
entitlement = {
    "account_id": c,
    "resource_type_code": "benchmark_runs",
    "limit_kind_code": "cumulative",
    "quantity_allowed": 5,
}
made(
    "an entitlement is made, and told with its account",
    201,
    service.from_("entitlements").insert(entitlement).select("quantity_allowed", "version", "accounts(external_id)"),
    [{"quantity_allowed": 5, "version": 1, "accounts": {"external_id": "py-c"}}],
)
made(
    "an entitlement is changed",
    200,
    service.from_("entitlements").update({"quantity_allowed": 8}).eq("account_id", c).select("quantity_allowed", "version"),
    [{"quantity_allowed": 8, "version": 2}],
)
checked = service.rpc("check_entitlement", {"p_external_id": "py-c", "p_resource_type": "benchmark_runs"}).execute().data
equal("and counts at once", (checked["decision"], checked["quantity_allowed"]), ("allow", 8))

# Rows that are all key.
allowed = {"resource_type_code": "platform_access", "unit_code": "minutes"}


def units():
    return admin.from_("resource_type_allowed_units")


made(
    "a row of two keys is made",
    201,
    units().upsert(allowed).select("unit_code", "units(description)"),
    [{"unit_code": "minutes", "units": {"description": "Minutes"}}],
)
made("again it is no other", 201, units().upsert(allowed, ignore_duplicates=True), [])
made("and removed", 200, units().delete().match(allowed).select("unit_code"), [{"unit_code": "minutes"}])

refused("accounts stay", service.from_("accounts").delete().eq("external_id", "py-a"), 405, code="PGRST117")
