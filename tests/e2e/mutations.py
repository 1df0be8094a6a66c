# SPDX-License-Identifier: Apache-2.0
"""
Wrong documents made of right ones, by the hub's own field tables (the program ocpi-tables).

A class gets one document that has every field the class and the classes inside it have, taken from
tests/ocpi/examples; from that come documents with one mistake each and the place of the mistake.
"""

import copy
import functools
import json
import subprocess

from harness import BUILD, ROOT

EXAMPLES = ROOT / "tests" / "ocpi" / "examples" / "2.2.1"

# Texts with a form of their own: what is as long as the field allows, or None where every right
# value is (no shorter or longer one exists).
LONGEST = {
    "latitude": "-12.1234567890", "longitude": "-123.1234567890", "country_code": None,
    "party_id": None, "country": None, "currency": None, "language": None, "period_begin": None,
    "period_end": None, "start_time": None, "end_time": None, "start_date": None, "end_date": None,
    "time_zone": "Europe/" + "a" * 248,
}


@functools.lru_cache(None)
def tables():
    return json.loads(subprocess.run([BUILD / "tests" / "ocpi-tables"], stdout=subprocess.PIPE,
                                     check=True).stdout)


@functools.lru_cache(None)
def _full(name):
    document = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    for field in tables()[name]:
        if field["kind"] == "object":
            inner = _full(field["type"])
            document[field["name"]] = [inner] if field["list"] else inner
        assert document.get(field["name"]) not in (None, []), f"{name}.json lacks {field['name']}"
    return document


def full(name, **changes):
    """A right document with every field, lists with one entry or more."""
    return {**copy.deepcopy(_full(name)), **changes}


def pointer(path):
    return "".join(f"/{step}" for step in path)


def places(name, document, path=()):
    """(field, path) of everything that is there, of lists the first entry, parents first."""
    for field in tables()[name]:
        value = document.get(field["name"])
        if value is None:
            continue
        here = (*path, field["name"])
        yield field, here
        if field["kind"] == "object":
            if field["list"]:
                yield from places(field["type"], value[0], (*here, 0))
            else:
                yield from places(field["type"], value, here)


def changed(document, path, value=None, drop=False):
    """A copy in which this place has another value; only what is on the way is copied."""
    head, *rest = path
    result = copy.copy(document)
    if rest:
        result[head] = changed(document[head], rest, value, drop)
    elif drop:
        del result[head]
    else:
        result[head] = value
    return result


class Case:
    """A document, what is special about it, and where."""

    def __init__(self, what, path, document):
        self.what, self.path, self.document = what, path, document

    def __str__(self):
        return f"{pointer(self.path)}: {self.what}"


WRONG_TYPES = {
    "text": (5.5, True, {}, [], ["x"]),
    "url": (5, False, {}, []),
    "time": (1774857600, True, {}, []),
    "number": ("5", True, {}, []),
    "int": ("5", 1.5, False, {}, []),
    "bool": ("true", 1, 0, {}, []),
    "enum": (5, True, {}, []),
    "object": ("x", 5, True, []),
}
MALFORMED = {
    "url": ("", " ", "not a url", "https://partner.example/a\nb"),
    "time": ("", "soon", "2026-03-30", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
             "2026-03-30 08:00:00Z", "2026-03-30T08:00:00+02:00", "2026-03-30T24:00:00Z",
             "1970-1-2T00:00:00Z"),
    "number": (1e300, -1e300, 1e15),
    "int": (1e300, 10**15),
}


def without_required(name, document):
    """(a) R-TRANS-10, R-TYPE-12: a required field is missing, null, or an empty list."""
    for field, path in places(name, document):
        if field["required"]:
            yield Case("missing", path, changed(document, path, drop=True))
            yield Case("null", path, changed(document, path, None))
            if field["list"]:
                yield Case("an empty list", path, changed(document, path, []))
            if field["kind"] == "text" and field["caseless"]:
                yield Case("an empty text", path, changed(document, path, ""))


def with_wrong_types(name, document):
    """(b) every JSON type that is not the field's."""
    for field, path in places(name, document):
        if field["list"]:
            for wrong in ("x", 5, True, {}):
                yield Case(f"{wrong!r} for a list", path, changed(document, path, wrong))
            path = (*path, 0)
            yield Case("null in a list", path, changed(document, path, None))
        for wrong in WRONG_TYPES[field["kind"]]:
            yield Case(f"{wrong!r}", path, changed(document, path, wrong))


def beyond_limits(name, document):
    """(c) one character too many, a word no closed enum knows, what is no time or URL."""
    for field, path in places(name, document):
        if field["list"]:
            path = (*path, 0)
        kind = field["kind"]
        if kind == "text":
            yield Case("one character too long", path, changed(document, path, "x" * (field["limit"] + 1)))
            if field["caseless"]:
                yield Case("not ASCII (R-TYPE-01)", path, changed(document, path, "\u00e9"))
                yield Case("a control character", path, changed(document, path, "a\tb"))
            if field["name"] in LONGEST:
                yield Case("another form", path, changed(document, path, "~"))
        elif kind == "url":
            yield Case("256 characters", path, changed(document, path, url_of(256)))
        elif kind == "enum" and not field["enum"]["open"]:
            for word in ("NO_SUCH_WORD", "", field["enum"]["words"][0].lower()):
                yield Case(f"{word!r} (R-TYPE-15)", path, changed(document, path, word))
        for wrong in MALFORMED.get(kind, ()):
            yield Case(f"{wrong!r}", path, changed(document, path, wrong))


def at_limits(name, document):
    """(e) just what is allowed: the longest texts, unknown words of open enums, whole decimals."""
    for field, path in places(name, document):
        if field["list"]:
            path = (*path, 0)
        kind = field["kind"]
        if kind == "text":
            longest = LONGEST.get(field["name"], ("x" if field["caseless"] else "\u00e9") * field["limit"])
            if longest:
                yield Case(f"{field['limit']} characters", path, changed(document, path, longest))
        elif kind == "url":
            yield Case("255 characters", path, changed(document, path, url_of(255)))
        elif kind == "enum" and field["enum"]["open"]:
            yield Case("an unknown word of an open enum (R-TYPE-14)", path,
                       changed(document, path, "INVENTED_LATER"))
        elif kind == "time":
            for right in ("2026-03-30T08:00:00", "2026-03-30T08:00:00.5", "2026-03-30T08:00:00.123Z",
                          "2026-03-30t08:00:00z", "2026-03-30T08:00:00+00:00"):
                yield Case(f"{right!r} (R-TYPE-04, 05)", path, changed(document, path, right))


def optional_absent(name, document):
    """Optional fields left out, null, and for lists empty: all mean the same (R-TYPE-12)."""
    for field, path in places(name, document):
        if not field["required"]:
            yield Case("absent", path, changed(document, path, drop=True))
            yield Case("null", path, changed(document, path, None))
            if field["list"]:
                yield Case("an empty list", path, changed(document, path, []))


def with_unknown_fields(name, document):
    """(d) R-TRANS-20: one more field in every object."""
    result = copy.deepcopy(document)
    extra = {"a": [1, None, "\u00e4\U0001f50c"], "b": {"c": 0.25}}
    for field, path in places(name, document):
        if field["kind"] == "object":
            at = result
            for step in path:
                at = at[step]
            (at[0] if field["list"] else at)["x_partner_own"] = extra
    result["x_partner_own"] = extra
    result["__proto__"] = {"role": "admin"}
    return result


def url_of(length):
    start = "https://partner.example/"
    return start + "u" * (length - len(start))
