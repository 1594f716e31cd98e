"""What the programs share: the clients, and checks that name what they prove."""

import os
import sys

from postgrest import APIError, SyncPostgrestClient

ACME = "00000000-0000-7000-8000-00000000000a"
BETA = "00000000-0000-7000-8000-00000000000b"
TEAM = "00000000-0000-7000-8000-00000000000c"
GAMMA = "00000000-0000-7000-8000-00000000000d"


class Tally:
    """What held and what did not, and the answer that was seen last."""

    passed = 0
    failures = 0
    last = None


def failed(sentence, what):
    Tally.failures += 1
    print(f"FAILED {sentence}: {what}")


def note(answer):
    Tally.last = answer
    # Who is answered so asks again; nothing here passes by itself.
    if answer.status_code in (503, 520):
        failed("no state that passes is told", answer.status_code)


def client(token, **options):
    """A client with a token, or without one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    made = SyncPostgrestClient(os.environ["MEC_COMPAT_URL"], headers=headers, **options)
    made.session.event_hooks["response"].append(note)
    return made


def of_token(**options):
    return client(os.environ["MEC_COMPAT_TOKEN"], **options)


service = of_token()
admin = client(os.environ.get("MEC_COMPAT_ADMIN_TOKEN"))
user = client(os.environ.get("MEC_COMPAT_USER_TOKEN"))
anonymous = client(None)


def last():
    """The answer to the last request."""
    return Tally.last


def equal(sentence, told, expected):
    """Two values are equal, and of the same kind where true and 1 are."""
    if told == expected and repr(type(told)) == repr(type(expected)):
        Tally.passed += 1
    else:
        failed(sentence, f"{told!r} instead of {expected!r}")


def answer(sentence, query):
    try:
        return query.execute()
    except APIError as error:
        failed(sentence, error.json())
        return None


def rows(sentence, query, expected):
    """An answer has exactly these rows, or this one."""
    told = answer(sentence, query)
    if told is not None:
        equal(sentence, told.data, expected)


def counted(sentence, query, count, expected):
    """An answer has a count beside its rows."""
    told = answer(sentence, query)
    if told is not None:
        equal(sentence, (told.count, told.data), (count, expected))


def refused(sentence, query, status, **expected):
    """A request is refused with a status and the error's members."""
    try:
        told = query.execute()
    except APIError as error:
        members = {name: getattr(error, name) for name in expected}
        equal(sentence, (Tally.last.status_code, members), (status, expected))
    else:
        failed(sentence, f"{told!r}")


def done():
    """Tells how it went, and fails the program where anything did not hold."""
    print(f"{Tally.passed} hold, {Tally.failures} fail")
    sys.exit(0 if Tally.failures == 0 and Tally.passed > 0 else 1)
