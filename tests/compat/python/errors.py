"""What is refused, and how the client tells it."""

from harness import anonymous, client, equal, last, of_token, refused, rows, service


def accounts(*columns):
    return service.from_("accounts").select(*columns)


refused(
    "an unknown resource",
    service.from_("acounts").select(),
    404,
    code="PGRST205",
    message="Could not find the table 'api.acounts' in the schema cache",
    details=None,
    hint="Perhaps you meant the table 'api.accounts'",
)
refused("an unknown column", accounts("external"), 400, code="42703", details=None)
refused("a filter of an unknown column", accounts().eq("external", "x"), 400, code="42703")
refused("an order by an unknown column", accounts().order("external"), 400, code="42703")
refused(
    "text that is no id",
    accounts().eq("account_id", "acme"),
    400,
    code="22P02",
    message="invalid input syntax for type uuid",
    details="acme",
)
refused(
    "text that is no number",
    service.from_("entitlements").select().gt("quantity_allowed", "many"),
    400,
    code="22P02",
    message="invalid input syntax for type numeric",
    details="many",
)
refused("an operator that is not there", accounts().filter("external_id", "equals", "x"), 400, code="PGRST100")
refused("a relation that is not there", accounts("units(*)"), 400, code="PGRST200")
refused(
    "an aggregate",
    accounts("count()"),
    400,
    code="PGRST123",
    message="Use of aggregate functions is not allowed",
)
refused("a plan of the query", accounts().explain(), 406, code="PGRST107")
refused(
    "an order by related rows that are not told",
    service.from_("entitlements").select().order("plans(plan_id)"),
    400,
    code="PGRST108",
)
refused(
    "an order by many related rows",
    accounts("entitlements(*)").order("entitlements(plan_id)"),
    400,
    code="PGRST118",
)

refused("what wants a token", anonymous.from_("accounts").select(), 401, code="missing_token")
refused("a token that is none", client("nonsense").from_("accounts").select(), 401, hint=None)

refused("HEAD of an unknown column", service.from_("accounts").select("nothing", head=True), 400, code="42703")
refused("HEAD of an unknown resource", service.from_("nothing").select(head=True), 404, code="PGRST205")


def preferring(*preferences):
    query = accounts("external_id").eq("external_id", "beta")
    query.request.headers["Prefer"] = ",".join(preferences)
    return query


refused(
    "a preference that is not known, where all are to be",
    preferring("handling=strict", "speed=light"),
    400,
    code="PGRST122",
    details="Invalid preferences: speed=light",
)
rows("elsewhere it is passed over", preferring("speed=light"), [{"external_id": "beta"}])


def units(api):
    return api.from_("units").select("unit_code").eq("unit_code", "days")


rows("the schema that is sent without a choice is public", units(service), [{"unit_code": "days"}])
equal("it was sent", last().request.headers["accept-profile"], "public")
rows("which is another name of api", units(of_token(schema="api")), [{"unit_code": "days"}])
rows("a client may change to it", units(service.schema("api")), [{"unit_code": "days"}])
refused("no other schema", units(of_token(schema="private")), 406, code="PGRST106")
