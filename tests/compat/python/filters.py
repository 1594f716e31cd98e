"""Every filter that the client offers for the kinds of columns that there are."""

from uuid import UUID

from harness import ACME, refused, rows, service


def accounts(sentence, narrowed, *expected):
    """The external ids of the accounts that a filter leaves."""
    query = narrowed(service.from_("accounts").select("external_id")).order("external_id")
    rows(sentence, query, [{"external_id": name} for name in expected])


def templates(sentence, narrowed, *expected):
    """The resource types of the templates of the plan `starter` that a filter leaves."""
    query = service.from_("plan_entitlement_templates").select("resource_type_code").eq("plan_id", "starter")
    rows(sentence, narrowed(query).order("resource_type_code"), [{"resource_type_code": name} for name in expected])


accounts("eq of text", lambda all: all.eq("external_id", "beta"), "beta")
accounts("eq of an id", lambda all: all.eq("account_id", UUID(ACME)), "acme")
accounts("eq of text with what the language itself uses", lambda all: all.eq("display_name", "Acme, Inc. (Berlin)"), "acme")
accounts("eq of text with quotes", lambda all: all.eq("display_name", 'the "red" team\\1'), "acme-team")
accounts("eq of text with signs of URLs", lambda all: all.eq("display_name", "Gamma: 50% off"), "gamma")
accounts("eq of nothing holds for nothing", lambda all: all.eq("display_name", None))
accounts("eq of a member of JSON", lambda all: all.eq("metadata->>tier", "silver"), "beta")
accounts("neq leaves nulls out", lambda all: all.neq("email", "it@acme.example"), "gamma")
templates("eq of a quantity", lambda all: all.eq("quantity_allowed", 25), "gpu_hours")
templates("eq of a quantity with places", lambda all: all.eq("quantity_allowed", 25.0), "gpu_hours")
templates("gt", lambda all: all.gt("quantity_allowed", 25), "benchmark_runs")
templates("gte", lambda all: all.gte("quantity_allowed", 25), "benchmark_runs", "gpu_hours")
templates("lt", lambda all: all.lt("quantity_allowed", 3), "server_configs")
templates("lte", lambda all: all.lte("quantity_allowed", 3), "concurrent_users", "server_configs")
templates(
    "two filters of a column",
    lambda all: all.gt("quantity_allowed", 3).lt("quantity_allowed", 100),
    "gpu_hours",
    "server_instances",
)
rows(
    "gte and lt of times",
    service.from_("consumption")
    .select("idempotency_key")
    .gte("occurred_at", "2026-01-05T09:30:00Z")
    .lt("occurred_at", "2026-01-07T12:00:00+00:00")
    .order("occurred_at"),
    [{"idempotency_key": "second"}, {"idempotency_key": "third"}],
)

accounts("like", lambda all: all.like("external_id", "acme%"), "acme", "acme-team")
accounts("like with stars", lambda all: all.like("external_id", "*team"), "acme-team")
accounts("like heeds case", lambda all: all.like("display_name", "ACME%"))
accounts("like of one character", lambda all: all.like("external_id", "_eta"), "beta")
accounts("ilike does not", lambda all: all.ilike("display_name", "ACME%"), "acme")
accounts("like of all", lambda all: all.like_all_of("external_id", "%a%,%team"), "acme-team")
accounts("like of any", lambda all: all.like_any_of("external_id", "be%,ga%"), "beta", "gamma")
accounts("ilike of all", lambda all: all.ilike_all_of("display_name", "%RED%,the%"), "acme-team")
accounts("ilike of any", lambda all: all.ilike_any_of("display_name", "ACME%,gAMMA%"), "acme", "gamma")

accounts("is null", lambda all: all.is_("display_name", None), "beta")
accounts("is not null", lambda all: all.not_.is_("display_name", None), "acme", "acme-team", "gamma")
templates("is false", lambda all: all.is_("per_seat", False).gt("quantity_allowed", 25), "benchmark_runs")
rows("is true", service.from_("plans").select("plan_id").is_("is_trial", True), [{"plan_id": "trial-14d"}])
rows("eq of a boolean", service.from_("plans").select("plan_id").eq("is_trial", True), [{"plan_id": "trial-14d"}])
accounts("in", lambda all: all.in_("external_id", ["beta", "gamma", "nobody"]), "beta", "gamma")
accounts(
    "in with what the language itself uses",
    lambda all: all.in_("display_name", ["Acme, Inc. (Berlin)", 'the "red" team\\1', "Gamma: 50% off"]),
    "acme",
    "acme-team",
    "gamma",
)
accounts("in of nothing", lambda all: all.in_("external_id", []))
accounts("not in", lambda all: all.not_.in_("external_id", ["acme", "gamma"]), "acme-team", "beta")
templates("in of quantities", lambda all: all.in_("quantity_allowed", [2, 3]), "concurrent_users", "server_configs")
accounts("not eq", lambda all: all.not_.eq("status", "active"), "acme-team")

accounts("or", lambda all: all.or_("external_id.eq.beta,status.eq.suspended"), "acme-team", "beta")
accounts("not or", lambda all: all.not_.or_("external_id.eq.beta,status.eq.suspended"), "acme", "gamma")
accounts("or of quoted values", lambda all: all.or_('display_name.eq."Acme, Inc. (Berlin)",email.like.gamma*'), "acme", "gamma")
accounts(
    "and within or, and not",
    lambda all: all.or_("and(external_id.like.acme*,status.eq.active),not.and(email.is.null,status.eq.suspended)"),
    "acme",
    "beta",
    "gamma",
)
accounts("in within or", lambda all: all.or_("external_id.in.(beta,gamma),metadata->>tier.eq.gold"), "acme", "beta", "gamma")
accounts(
    "several alternatives all hold",
    lambda all: all.or_("external_id.eq.acme,external_id.eq.beta").or_("email.is.null,status.eq.suspended"),
    "beta",
)
accounts("any other filter", lambda all: all.filter("external_id", "eq(any)", "{acme,beta}"), "acme", "beta")
accounts("a regular expression", lambda all: all.filter("external_id", "match", "^(beta|gam+a)$"), "beta", "gamma")
accounts("match is eq of several columns", lambda all: all.match({"status": "active", "external_id": "beta"}), "beta")


def types(sentence, narrowed, *expected):
    query = narrowed(service.from_("resource_types").select("resource_type_code").order("resource_type_code"))
    rows(sentence, query, [{"resource_type_code": name} for name in expected])


types("a text search", lambda all: all.text_search("description", "'users' & 'seat'", {"config": "simple"}), "named_users")
types(
    "a text search of plain words",
    lambda all: all.text_search("description", "seat users", {"type": "plain", "config": "simple"}),
    "named_users",
)
types(
    "a text search of a phrase",
    lambda all: all.text_search("description", "language model", {"type": "phrase", "config": "simple"}),
    "llm_tokens",
)
types(
    "a text search as on the web",
    lambda all: all.text_search("description", '"at work" -users', {"type": "web_search", "config": "simple"}),
    "concurrent_jobs",
)
types("a text search without a language", lambda all: all.wfts("description", "models management"), "ai_models")

refused("a filter of arrays on no array", service.from_("accounts").select().contains("external_id", ["a"]), 404, code="42883")
refused("a filter of ranges on no range", service.from_("accounts").select().range_gt("external_id", (1, 2)), 404, code="42883")
