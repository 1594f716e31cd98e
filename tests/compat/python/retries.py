"""A state that passes is told as one, so that the client asks again by itself. It says when it was refused, and
goes on when it is told to."""

import sys

from harness import equal, of_token, rows

refusals = []
retries = []


def wait(answer):
    retries.append(answer.request.headers.get("x-retry-count"))
    if answer.status_code == 503:
        answer.read()
        refusals.append((answer.json()["code"], "retry-after" in answer.headers))
        if len(refusals) == 1:
            print("refused", flush=True)
            sys.stdin.readline()


api = of_token()
api.session.event_hooks["response"] = [wait]
rows("the rows are told in the end", api.from_("units").select("unit_code").eq("unit_code", "days"), [{"unit_code": "days"}])
equal("the first answer was that it passes", refusals[0], ("store_unavailable", True))
equal("the client asked again", retries[:2], [None, "1"])
