"""In which order and how many rows are told, and how many there are."""

from harness import counted, equal, last, refused, rows, service
from postgrest import CountMethod


def accounts(**options):
    return service.from_("accounts").select("external_id", **options)


def ids(*names):
    return [{"external_id": name} for name in names]


rows("ascending", accounts().order("external_id"), ids("acme", "acme-team", "beta", "gamma"))
rows("descending", accounts().order("external_id", desc=True), ids("gamma", "beta", "acme-team", "acme"))
rows("nulls are last", accounts().order("email").order("external_id"), ids("gamma", "acme", "acme-team", "beta"))
rows(
    "nulls are first where it descends",
    accounts().order("email", desc=True).order("external_id"),
    ids("acme-team", "beta", "acme", "gamma"),
)
rows(
    "nulls first",
    accounts().order("email", nullsfirst=True).order("external_id"),
    ids("acme-team", "beta", "gamma", "acme"),
)
rows(
    "nulls last",
    accounts().order("email", desc=True, nullsfirst=False).order("external_id"),
    ids("acme", "gamma", "acme-team", "beta"),
)
rows("by a member of JSON", accounts().order("metadata->>tier").limit(2), ids("acme", "beta"))
rows(
    "by a column of a related row",
    service.from_("entitlements")
    .select("plans(plan_id)")
    .eq("resource_type_code", "gpu_hours")
    .order("plans(plan_id)", desc=True),
    [{"plans": {"plan_id": "starter"}}, {"plans": {"plan_id": "pro"}}],
)

rows("a limit", accounts().order("external_id").limit(1), ids("acme"))
rows("a limit of none", accounts().limit(0), [])
rows("an offset", accounts().order("external_id").offset(3), ids("gamma"))
rows("a range", accounts().order("external_id").range(1, 2), ids("acme-team", "beta"))
equal("the range is told", last().headers["content-range"], "1-2/*")
rows("a range beyond the end", accounts().order("external_id").range(3, 9), ids("gamma"))
rows("a range behind the end", accounts().range(10, 19), [])

for count in CountMethod:
    every = ids("acme", "acme-team", "beta", "gamma")
    counted(f"an {count} count", accounts(count=count).order("external_id"), 4, every)
    counted(f"an {count} count of a part", accounts(count=count).order("external_id").range(1, 2), 4, every[1:3])
    equal("which is told as one", last().status_code, 206)
    counted(f"an {count} count alone", accounts(count=count, head=True).eq("status", "active"), 3, [])
    equal("HEAD has the head of GET", last().headers["content-range"], "0-2/3")
counted("a count of nothing", accounts(count=CountMethod.exact).eq("external_id", "nobody"), 0, [])
counted(
    "a count with an inner relation",
    service.from_("accounts")
    .select("external_id", "entitlements!inner(plan_id)", count=CountMethod.exact, head=True)
    .eq("entitlements.resource_type_code", "gpu_hours"),
    2,
    [],
)
counted("no count is told without being asked for", accounts().order("external_id").limit(1), None, ids("acme"))
refused(
    "a counted range behind the end",
    accounts(count=CountMethod.exact).range(10, 19),
    416,
    code="PGRST103",
    message="Requested range not satisfiable",
    details="An offset of 10 was requested, but there are only 4 rows.",
    hint=None,
)

one = accounts().eq("external_id", "beta")
rows("one row", one.single(), {"external_id": "beta"})
for sentence, number, query in [
    ("one row of none", 0, accounts().eq("external_id", "nobody")),
    ("one row of two", 2, accounts().like("external_id", "acme%")),
]:
    details = f"The result contains {number} rows"
    refused(sentence, query.single(), 406, code="PGRST116", details=details, hint=None)
rows(
    "one row of two with a limit",
    accounts().like("external_id", "acme%").order("external_id").limit(1).single(),
    {"external_id": "acme"},
)
rows("one row, perhaps", accounts().eq("external_id", "beta").maybe_single(), {"external_id": "beta"})
equal("perhaps one row of none", accounts().eq("external_id", "nobody").maybe_single().execute(), None)
refused("perhaps one row of two", accounts().like("external_id", "acme%").maybe_single(), 200, code="406")
counted(
    "one row and how many there are",
    accounts(count=CountMethod.exact).eq("external_id", "beta").single(),
    1,
    {"external_id": "beta"},
)
