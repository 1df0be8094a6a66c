# SPDX-License-Identifier: Apache-2.0
"""
The map of the house, held against every #include: who may know whom, which library is spoken to
where, and which calls nobody makes because they block the loop or overflow.
"""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "ocpi", "db", "adapters", "hub")

# Downwards only; db and adapters do not know each other.
MAY_INCLUDE = {
    "base": {"base"},
    "ocpi": {"ocpi", "base"},
    "db": {"db", "ocpi", "base"},
    "adapters": {"adapters", "ocpi", "base"},
    "hub": {"hub", "adapters", "db", "ocpi", "base"},
    # The command line reaches the hub as everybody does, and the simulator is a network of its
    # own: neither may look inside.
    "hub/ctl": {"hub/ctl", "adapters", "ocpi", "base"},
    "hub/server/http": {"hub/server/http", "base"},
    # Money is told about requests, partners and jobs by them; it does not look into their houses.
    "hub/finance": {"hub/finance", "hub/server", "hub/hub.h", "hub/listing.h", "hub/request.h",
                    "hub/settings.h",
                    "adapters", "db", "ocpi", "base"},
    # The program that draws receipts knows what a receipt is, and nothing of the hub.
    "hub/receipt-pdf": {"hub/receipt-pdf", "hub/finance/receipt_content.h",
                        "hub/finance/receipt_words.h", "hub/finance/receipt_view.h",
                        "hub/finance/pdf_frame.h", "ocpi", "base"},
    "tests/sim": {"tests/sim", "hub/server/http", "adapters", "ocpi", "base"},
}

# Library header -> where it may be included.
LIBRARIES = (
    (re.compile(r"libpq-fe\.h|postgres_ext\.h|hiredis/|pg_config"), ("db/",)),
    (re.compile(r"curl/"), ("adapters/",)),
    (re.compile(r"event2/(listener|bufferevent|http|rpc|ws)"), ("hub/server/",)),
    (re.compile(r"openssl/ssl\.h|openssl/err\.h|openssl/bio\.h"), ("hub/server/",)),
    (re.compile(r"cjose/"), ("hub/server/",)),
    (re.compile(r"wslay/"), ("hub/server/",)),
    (re.compile(r"cairo|pango|fontconfig|glib"), ("hub/receipt-pdf/",)),
    (re.compile(r"ini\.h"), ("base/config",)),
    # The lower half of base and all of ocpi know no event loop; their tests need no mock.
    (re.compile(r"event2/"), ("base/flow", "db/", "adapters/", "hub/", "tests/sim/")),
    # No sockets and no files in the protocol.
    (re.compile(r"sys/socket\.h|netinet/|arpa/inet\.h|netdb\.h|sys/un\.h|sys/wait\.h|fcntl\.h"),
     ("base/", "db/", "adapters/", "hub/", "tests/sim/")),
    (re.compile(r"pthread\.h|threads\.h|stdatomic\.h"), ("base/metrics",)),
)

# Calls that block or overflow -> the files that may: programs before or without a loop.
FORBIDDEN = {
    "strcpy": (), "strcat": (), "sprintf": (), "vsprintf": (), "strtok": (), "gets": (),
    "atoi": (), "atol": (), "atof": (), "localtime": (), "gmtime": (), "ctime": (), "asctime": (),
    "setlocale": (), "gethostbyname": (), "getaddrinfo": ("adapters/url_guard",),
    "PQexec": ("db/migrate",), "PQexecParams": ("db/migrate",), "PQprepare": (),
    "PQconnectdb": ("db/migrate",), "PQgetCopyData": (),
    "curl_easy_perform": (), "redisCommand": (), "redisConnect": (), "redisConnectUnix": (),
    "sleep": (), "usleep": (), "nanosleep": (), "system": (), "popen": (), "rand": (), "srand": (),
    "random": (), "pthread_create": (), "select": (),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources(*folders):
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.[ch]"))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def without_comments_and_texts(code):
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), code)


def includes(path):
    """(line, own header or None, library header or None) of each #include outside comments."""
    text = path.read_text(encoding="utf-8")
    bare = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.DOTALL)
    for match in INCLUDE.finditer(bare):
        yield bare.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def rule_for(name):
    """The most special entry of the map that this file falls under."""
    return max((k for k in MAY_INCLUDE if name.startswith(k)), key=len, default=None)


def may(allowed, header):
    return any(header == a or header.startswith(a + "/") or
               (a.endswith("/http") and header.startswith(a + "_")) for a in allowed)


def violations_of_map(name, header):
    rule = rule_for(name)
    if rule is None or may(MAY_INCLUDE[rule], header):
        return None
    return f"{rule} may include {', '.join(sorted(MAY_INCLUDE[rule]))}, not {header}"


def test_includes_point_downwards_only():
    wrong = []
    for path in sources(*FOLDERS, "tests/sim"):
        for line, own, _ in includes(path):
            why = own and violations_of_map(name_of(path), own)
            if why:
                wrong.append(f"{name_of(path)}:{line}: {why}")
    assert not wrong, "\n".join(wrong)


def test_own_headers_are_named_from_the_root():
    wrong = []
    for path in sources(*FOLDERS, "tests"):
        for line, own, _ in includes(path):
            generated = own and (own.startswith(("generated/", "statements.h")) or
                                 own.endswith(("statements.h", "migrations.h")))
            if own and not generated and not (ROOT / own).exists():
                wrong.append(f"{name_of(path)}:{line}: there is no {own}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern,places", LIBRARIES, ids=[p.pattern for p, _ in LIBRARIES])
def test_libraries_are_spoken_to_in_their_place_only(pattern, places):
    wrong = []
    for path in sources(*FOLDERS, "tests/sim"):
        name = name_of(path)
        if name == "base/poison.h":
            continue  # names what it forbids
        for line, _, library in includes(path):
            if library and pattern.match(library) and not name.startswith(places):
                wrong.append(f"{name}:{line}: {library} belongs to {', '.join(places)}")
    assert not wrong, "\n".join(wrong)


def test_db_and_adapters_show_no_library_in_what_others_include():
    """Their headers are in the hub's words; a test may link something else behind them."""
    wrong = []
    inner = ("db/pg.h", "db/pg_connection.h", "db/redis")
    for path in sources("db", "adapters"):
        name = name_of(path)
        if path.suffix != ".h" or name.startswith(inner):
            continue
        for line, _, library in includes(path):
            if library and re.match(r"libpq-fe|hiredis|curl/|event2/", library):
                wrong.append(f"{name}:{line}: {library}")
    assert not wrong, "\n".join(wrong)


def test_nobody_includes_the_inner_headers_of_db():
    wrong = []
    for path in sources("ocpi", "adapters", "hub", "tests/sim"):
        for line, own, _ in includes(path):
            if own and own.startswith(("db/pg", "db/redis")):
                wrong.append(f"{name_of(path)}:{line}: {own}")
    assert not wrong, "\n".join(wrong)


def test_no_call_blocks_the_loop_or_overflows():
    wrong = []
    call = re.compile(r"(?<![\w.>])(" + "|".join(FORBIDDEN) + r")\s*\(")
    for path in sources(*FOLDERS, "tests/sim"):
        name = name_of(path)
        code = without_comments_and_texts(path.read_text(encoding="utf-8"))
        for match in call.finditer(code):
            if not name.startswith(FORBIDDEN[match.group(1)] or ("\0",)):
                line = code.count("\n", 0, match.start()) + 1
                wrong.append(f"{name}:{line}: {match.group(1)}()")
    assert not wrong, "\n".join(wrong)


def test_sql_lives_in_its_own_files():
    wrong = []
    sql = re.compile(r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s+[a-z_*]+[^"]*"')
    for path in sources("base", "ocpi", "adapters", "hub"):
        text = path.read_text(encoding="utf-8")
        for match in sql.finditer(text):
            wrong.append(f"{name_of(path)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()[:60]}")
    assert not wrong, "\n".join(wrong)


def test_every_file_says_what_it_is_for_under_its_licence():
    wrong = []
    for path in sources(*FOLDERS, "tests"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0] != "/* SPDX-License-Identifier: Apache-2.0 */":
            wrong.append(f"{name_of(path)}: no licence in the first line")
        elif len(lines) < 2 or not lines[1].startswith("/*"):
            wrong.append(f"{name_of(path)}: no word on what it is for")
    for path in [*ROOT.glob("tests/**/*.py"), ROOT / "dev", *ROOT.glob("db/*.py")]:
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")[:200]:
            wrong.append(f"{name_of(path)}: no licence at the top")
    assert not wrong, "\n".join(wrong)


def test_no_file_grows_without_end():
    long = {name_of(p): n for p in sources(*FOLDERS, "tests/sim")
            if (n := len(p.read_text(encoding="utf-8").splitlines())) > 800}
    assert not long, f"more than 800 lines: {long}"


@pytest.mark.parametrize("name,header,allowed", [
    ("base/flow.c", "db/session.h", False),
    ("ocpi/session.c", "base/json.h", True),
    ("db/session.c", "adapters/network.h", False),
    ("adapters/ocpi_client.c", "db/partner.h", False),
    ("hub/api/start.c", "db/session.h", True),
    ("hub/finance/intake.c", "db/cdr.h", True),
    ("hub/finance/intake.c", "hub/request.h", True),
    ("hub/finance/intake.c", "hub/partner/intake.h", False),
    ("hub/finance/intake.c", "hub/jobs/jobs.h", False),
    ("hub/partner/cdrs.c", "hub/finance/intake.h", True),
    ("hub/receipt-pdf/main.c", "hub/finance/receipt_view.h", True),
    ("hub/receipt-pdf/main.c", "hub/finance/pdf.h", False),
    ("hub/receipt-pdf/main.c", "db/receipt.h", False),
    ("hub/ctl/main.c", "db/session.h", False),
    ("hub/ctl/main.c", "hub/settings.h", False),
    ("hub/server/http_codec.c", "hub/routes.h", False),
    ("hub/server/http_server.c", "hub/server/http_codec.h", True),
    ("tests/sim/call.c", "hub/server/http_server.h", True),
    ("tests/sim/call.c", "hub/server/authenticate.h", False),
    ("tests/sim/call.c", "hub/hub.h", False),
])
def test_the_map_itself_tells_right_from_wrong(name, header, allowed):
    assert (violations_of_map(name, header) is None) == allowed
