/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-sim: options, the two doors, the first and the last moment.
 *
 * When it is ready it prints one JSON line on standard output; further events are lines of their
 * own. The log goes to standard error.
 */
#include "tests/sim/sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "adapters/http_client.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/cards.h"
#include "tests/sim/check.h"
#include "tests/sim/clock.h"
#include "tests/sim/control.h"
#include "tests/sim/handshake.h"
#include "tests/sim/print.h"
#include "tests/sim/psp.h"
#include "tests/sim/record.h"
#include "tests/sim/session.h"
#include "tests/sim/store.h"
#include "tests/sim/world.h"

enum { BACKLOG = 1024, ARENA_MAX = 128 << 20, PER_HOST = 200, BEHAVE_OPTIONS = 64 };

/* --- what other files use --- */

/* xorshift64*: a run with the same seed repeats itself. */
uint64_t sim_random_below(struct sim *sim, uint64_t limit)
{
    uint64_t x = sim->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    sim->random = x;
    return (x * UINT64_C(2685821657736338717)) % limit;
}

void sim_event(const char *line)
{
    printf("%s\n", line);
    fflush(stdout);
}

const char *sim_endpoint(const struct sim *sim, const char *module, enum ocpi_interface role)
{
    for (size_t i = 0; i < sim->reg.endpoint_count; i++) {
        const struct endpoint *e = &sim->reg.endpoints[i];

        /* The role of credentials does not count (R-VER-03). */
        if (strcmp(e->module, module) == 0 && (e->role == role || e->role == OCPI_INTERFACE_NONE ||
                                               strcmp(module, MODULE_CREDENTIALS) == 0))
            return e->url;
    }
    return 0;
}

bool sim_is_emsp(const struct sim *sim)
{
    return sim->options->role == OCPI_ROLE_EMSP;
}

bool sim_speaks(const struct sim *sim, enum ocpi_version version)
{
    for (size_t i = 0; i < sim->options->version_count; i++) {
        if (sim->options->versions[i] == version)
            return true;
    }
    return false;
}

/* --- the doors --- */

static bool listener_bind(struct listener *l)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)l->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int on = 1;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return false;
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(l->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(l->fd, BACKLOG) < 0 ||
        getsockname(l->fd, (struct sockaddr *)&address, &length) < 0) {
        close(l->fd);
        l->fd = -1;
        return false;
    }
    l->port = ntohs(address.sin_port);
    return true;
}

static bool listener_open(struct sim *sim, struct listener *l, bool control)
{
    struct http_server_options options = {
        .loop = sim->loop,
        .ctx = sim,
        .arena_max_bytes = ARENA_MAX,
        .max_requests = 1000000,
        .body_max = control ? control_body_max : call_body_max,
        .handle = control ? control_handle : call_handle,
    };

    if (!listener_bind(l)) {
        log_line(LOG_ERROR, "cannot listen", LOG_INT("port", l->port),
                 LOG_TEXT("error", strerror(errno)));
        return false;
    }
    options.fd = l->fd;
    struct err e = http_server_new(&options, &l->server);
    if (failed(e))
        log_line(LOG_ERROR, "cannot serve", LOG_TEXT("error", err_text(e)));
    return !failed(e);
}

static void listener_close(struct listener *l)
{
    http_server_free(l->server);
    l->server = 0;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void sim_set_offline(struct sim *sim, bool offline)
{
    if (offline == sim->offline)
        return;
    if (offline)
        listener_close(&sim->ocpi);
    else if (!listener_open(sim, &sim->ocpi, false))
        return;
    sim->offline = offline;
}

/* --- options --- */

static void help(FILE *to)
{
    fprintf(
        to,
        "ocpi-sim [cpo|emsp] [options]: a simulated charging network, or provider of charging\n"
        "services, that speaks OCPI 2.1.1, 2.2.1 and 2.3.0\n"
        "(ocpi-sim psp --help: a payment service provider)\n\n"
        "  --role cpo|emsp     instead of the word in front; usually cpo\n"
        "  --version V         the version it speaks: 2.1.1, 2.2.1 (usual) or 2.3.0\n"
        "  --versions V,V,...  several; when registering it takes the highest of both sides\n"
        "  --register URL      versions URL of the hub: registers there with --token-a\n"
        "  --token-a T         the token for it\n"
        "  --token-a-accept T  the token with which the hub may register here (else random)\n"
        "  --port N            OCPI port on 127.0.0.1; 0 (usual): any free one\n"
        "  --control-port N    port of the control API; 0 (usual): any free one\n"
        "  --party CC*PID      who we are; usually FI*VRT, an eMSP DE*EMS\n"
        "  --name NAME         usually Virta, an eMSP Ladekarte\n"
        "  --world small|N     the three locations tests know, or N of them (also --locations)\n"
        "  --evses N           EVSEs of each location beyond the first three; usually 2\n"
        "  --tokens N          further tokens of an eMSP (it has three)\n"
        "  --client-info       a CPO, too, is told of the hub's clients (2.2.1, 2.3.0)\n"
        "  --no-reservations   EVSEs are not RESERVABLE, RESERVE_NOW is NOT_SUPPORTED\n"
        "  --speed N           one second counts as N for charging and all delays; usually 1\n"
        "  --reading-s N       (virtual) seconds between readings of a session; usually 60\n"
        "  --page N            objects per page of a list at most, up to 1000; usually 50\n"
        "  --seed N            a run repeats exactly\n"
        "  --behave WORD       a misbehaviour: name[:after_s][@evse]; may be repeated\n"
        "  --no-status-pushes  EVSE status changes are not pushed\n"
        "  --ca-file FILE      certificates to trust instead of the system's\n"
        "  --log LEVEL         debug, info, warn (usual) or error\n"
        "  --help\n\n"
        "Timestamps are the wall clock's, the meter is `speed` times as fast. Each session\n"
        "is a new car that arrives with the EVSE's settings (POST /sim/plug).\n\n"
        "Control API, JSON:\n");
    control_help(to);
    fputs("\nMisbehaviours (times follow the virtual clock):\n", to);
    behave_help(to);
}

enum option_id {
    OPTION_ROLE = 256,
    OPTION_VERSIONS,
    OPTION_EVSES,
    OPTION_TOKENS,
    OPTION_CLIENT_INFO,
    OPTION_NO_RESERVATIONS,
    OPTION_REGISTER,
    OPTION_TOKEN_A,
    OPTION_TOKEN_A_ACCEPT,
    OPTION_PORT,
    OPTION_CONTROL_PORT,
    OPTION_PARTY,
    OPTION_NAME,
    OPTION_WORLD,
    OPTION_SPEED,
    OPTION_READING,
    OPTION_PAGE,
    OPTION_SEED,
    OPTION_BEHAVE,
    OPTION_QUIET,
    OPTION_CA_FILE,
    OPTION_LOG,
    OPTION_HELP,
};

/* clang-format off */
static const struct option long_options[] = {
    {"role",             required_argument, 0, OPTION_ROLE},
    {"version",          required_argument, 0, OPTION_VERSIONS}, /* the same */
    {"versions",         required_argument, 0, OPTION_VERSIONS},
    {"evses",            required_argument, 0, OPTION_EVSES},
    {"tokens",           required_argument, 0, OPTION_TOKENS},
    {"client-info",      no_argument,       0, OPTION_CLIENT_INFO},
    {"no-reservations",  no_argument,       0, OPTION_NO_RESERVATIONS},
    {"register",         required_argument, 0, OPTION_REGISTER},
    {"token-a",          required_argument, 0, OPTION_TOKEN_A},
    {"token-a-accept",   required_argument, 0, OPTION_TOKEN_A_ACCEPT},
    {"port",             required_argument, 0, OPTION_PORT},
    {"control-port",     required_argument, 0, OPTION_CONTROL_PORT},
    {"party",            required_argument, 0, OPTION_PARTY},
    {"name",             required_argument, 0, OPTION_NAME},
    {"world",            required_argument, 0, OPTION_WORLD},
    {"locations",        required_argument, 0, OPTION_WORLD}, /* the same */
    {"speed",            required_argument, 0, OPTION_SPEED},
    {"reading-s",        required_argument, 0, OPTION_READING},
    {"page",             required_argument, 0, OPTION_PAGE},
    {"seed",             required_argument, 0, OPTION_SEED},
    {"behave",           required_argument, 0, OPTION_BEHAVE},
    {"no-status-pushes", no_argument,       0, OPTION_QUIET},
    {"ca-file",          required_argument, 0, OPTION_CA_FILE},
    {"log",              required_argument, 0, OPTION_LOG},
    {"help",             no_argument,       0, OPTION_HELP},
    {0},
};
/* clang-format on */

static bool number_read(const char *text, int64_t least, int64_t most, int64_t *ret)
{
    char *end;

    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

static bool role_read(const char *text, enum ocpi_role *ret)
{
    *ret = strcmp(text, "cpo") == 0    ? OCPI_ROLE_CPO
           : strcmp(text, "emsp") == 0 ? OCPI_ROLE_EMSP
                                       : OCPI_ROLE_NONE;
    return *ret != OCPI_ROLE_NONE;
}

/* "2.1.1,2.3.0": each once. */
static bool versions_read(struct sim_options *o, const char *text)
{
    char copy[64], *rest = copy, *word;

    o->version_count = 0;
    if (!text_copy(copy, sizeof(copy), text))
        return false;
    while ((word = strsep(&rest, ","))) {
        enum ocpi_version version = version_parse(word);

        for (size_t i = 0; i < o->version_count; i++) {
            if (o->versions[i] == version)
                return false;
        }
        if (version == OCPI_VERSION_NONE)
            return false;
        o->versions[o->version_count++] = version;
    }
    return o->version_count > 0;
}

static bool option_take(struct sim_options *o, struct behave *behave, int id, const char *value)
{
    enum log_level level;
    int64_t n = 0;

    switch (id) {
    case OPTION_ROLE:
        return role_read(value, &o->role);
    case OPTION_VERSIONS:
        return versions_read(o, value);
    case OPTION_EVSES:
        return number_read(value, 1, 100, &n) && (o->evses = (unsigned)n, true);
    case OPTION_TOKENS:
        return number_read(value, 0, 1000000, &n) && (o->cards = (unsigned)n, true);
    case OPTION_CLIENT_INFO:
        o->client_info = true;
        return true;
    case OPTION_NO_RESERVATIONS:
        o->reservations = false;
        return true;
    case OPTION_REGISTER:
        o->register_url = value;
        return true;
    case OPTION_TOKEN_A:
        o->register_token = value;
        return credentials_token_valid(value);
    case OPTION_TOKEN_A_ACCEPT:
        o->token_a = value;
        return credentials_token_valid(value);
    case OPTION_PORT:
        return number_read(value, 0, 65535, &n) && (o->port = (int)n, true);
    case OPTION_CONTROL_PORT:
        return number_read(value, 0, 65535, &n) && (o->control_port = (int)n, true);
    case OPTION_PARTY:
        return party_id_parse(value, &o->party);
    case OPTION_NAME:
        o->name = value;
        return strlen(value) > 0 && strlen(value) <= 80;
    case OPTION_WORLD:
        if (strcmp(value, "small") == 0)
            return true;
        return number_read(value, 1, 1000000, &n) && (o->locations = (unsigned)n, true);
    case OPTION_SPEED:
        return number_read(value, 1, 1000000, &o->speed);
    case OPTION_READING:
        return number_read(value, 1, 86400, &o->reading_s);
    case OPTION_PAGE:
        return number_read(value, 1, 1000, &o->page);
    case OPTION_SEED:
        o->seeded = true;
        return number_read(value, 0, INT64_MAX, &n) && (o->seed = (uint64_t)n, true);
    case OPTION_BEHAVE:
        return behave_parse(behave, value);
    case OPTION_QUIET:
        o->status_pushes = false;
        return true;
    case OPTION_CA_FILE:
        o->ca_file = value;
        return true;
    case OPTION_LOG:
        return log_level_parse(value, &level) && (log_setup("ocpi-sim", level), true);
    default:
        return false;
    }
}

/* What an eMSP is called, and the version of those who ask for none. */
static void options_complete(struct sim_options *o)
{
    bool emsp = o->role == OCPI_ROLE_EMSP;

    if (!party_id_is_set(&o->party))
        party_id_parse(emsp ? "DE*EMS" : "FI*VRT", &o->party);
    if (!o->name)
        o->name = emsp ? "Ladekarte" : "Virta";
    if (o->version_count == 0)
        o->versions[o->version_count++] = OCPI_2_2_1;
}

/* 0: go on; else the exit status + 1. */
static int options_read(int argc, char **argv, struct sim_options *o, struct behave *behave)
{
    int id, index = 0;

    while ((id = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (id == OPTION_HELP) {
            help(stdout);
            return 1;
        }
        if (id == '?')
            return 3;
        if (!option_take(o, behave, id, optarg)) {
            fprintf(stderr, "ocpi-sim: --%s %s: not usable (see --help)\n",
                    long_options[index].name, optarg ? optarg : "");
            return 3;
        }
    }
    enum ocpi_role role = OCPI_ROLE_CPO;
    if (optind + 1 < argc || (optind < argc && !role_read(argv[optind], &role))) {
        fprintf(stderr,
                "ocpi-sim: say what to simulate: ocpi-sim cpo|emsp [options] (see --help)\n");
        return 3;
    }
    if (o->role == OCPI_ROLE_NONE)
        o->role = role;
    options_complete(o);
    if (!o->register_url != !o->register_token) {
        fprintf(stderr, "ocpi-sim: --register and --token-a belong together\n");
        return 3;
    }
    return 0;
}

/* --- life --- */

struct program {
    struct sim sim;
    struct event *signals[2];
    int status;
};

static void stop(evutil_socket_t fd, short what, void *arg)
{
    struct program *p = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(p->sim.loop);
}

static void ready(struct sim *sim)
{
    struct text line;
    char url[128];

    text_init(&line, 0, 4096);
    json_begin_object(&line, 0);
    snprintf(url, sizeof(url), "%s/ocpi/versions", sim->base_url);
    json_put_text(&line, "versions_url", url);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", sim->control.port);
    json_put_text(&line, "control_url", url);
    json_put_text(&line, "token_a", sim->reg.token_a);
    json_put_int(&line, "pid", getpid());
    json_end_object(&line);
    sim_event(line.bytes);
    text_done(&line);
}

static void registered(struct sim *sim, struct handshake_result result, void *arg)
{
    struct program *p = arg;

    if (result.good)
        return;
    fprintf(stderr, "ocpi-sim: registration at %s failed: %s\n", sim->options->register_url,
            result.text);
    p->status = 1;
    event_base_loopbreak(sim->loop);
}

static bool sim_open(struct sim *sim)
{
    static const char *const networks[] = {"127.0.0.0/8", NULL};
    const struct http_client_options client = {.allow_private_urls = networks,
                                               .ca_file = sim->options->ca_file,
                                               .user_agent = "ocpi-sim/0.1.0",
                                               .per_host = PER_HOST};
    const struct sim_options *o = sim->options;
    struct err e = http_client_open(sim->loop, &client);

    if (failed(e)) {
        log_line(LOG_ERROR, "no HTTP client", LOG_TEXT("error", err_text(e)));
        return false;
    }
    sim->clock = clock_new(sim->loop, o->speed);
    sim->world = world_new(o->party, o->locations, o->evses);
    sim->cards = cards_new(o);
    sim->store = store_new();
    sim->sessions = sessions_new(o);
    sim->record = record_new();
    sim->check = check_new();
    sim->random = o->seed * 2 + 1;
    if (o->token_a)
        text_copy(sim->reg.token_a, sizeof(sim->reg.token_a), o->token_a);
    else
        id_token(sim->reg.token_a, 40);
    sim->ocpi = (struct listener){.fd = -1, .port = o->port};
    sim->control = (struct listener){.fd = -1, .port = o->control_port};
    if (!listener_open(sim, &sim->ocpi, false) || !listener_open(sim, &sim->control, true))
        return false;
    snprintf(sim->base_url, sizeof(sim->base_url), "http://127.0.0.1:%d", sim->ocpi.port);
    return true;
}

static void sim_close(struct sim *sim)
{
    sim->closing = true;
    if (sim->sessions && sim->clock) {
        sessions_reset(sim);
        clock_drain(sim->clock);
    }
    http_client_close();
    call_release_hung(sim);
    listener_close(&sim->ocpi);
    listener_close(&sim->control);
    sessions_free(sim->sessions);
    clock_free(sim->clock);
    world_free(sim->world);
    record_free(sim->record);
    check_free(sim->check);
    cards_free(sim->cards);
    store_free(sim->store);
}

int main(int argc, char **argv)
{
    struct sim_options options = {.speed = 1,
                                  .reading_s = 60,
                                  .page = 50,
                                  .seed = 1,
                                  .evses = 2,
                                  .status_pushes = true,
                                  .reservations = true};
    struct program p = {0};
    struct behave *behave = behave_new();

    log_setup("ocpi-sim", LOG_WARN);
    if (argc > 1 && strcmp(argv[1], "psp") == 0) {
        behave_free(behave);
        return psp_main(argc - 1, argv + 1);
    }
    int end = options_read(argc, argv, &options, behave);
    if (end) {
        behave_free(behave);
        return end - 1;
    }
    signal(SIGPIPE, SIG_IGN);
    p.sim.options = &options;
    p.sim.behave = behave;
    p.sim.loop = event_base_new();
    p.signals[0] = evsignal_new(p.sim.loop, SIGTERM, stop, &p);
    p.signals[1] = evsignal_new(p.sim.loop, SIGINT, stop, &p);
    evsignal_add(p.signals[0], 0);
    evsignal_add(p.signals[1], 0);
    if (!sim_open(&p.sim)) {
        p.status = 1;
    } else {
        ready(&p.sim);
        if (options.register_url)
            handshake_start(&p.sim, options.register_url, options.register_token, registered, &p);
        event_base_dispatch(p.sim.loop);
    }
    sim_close(&p.sim);
    event_free(p.signals[0]);
    event_free(p.signals[1]);
    event_base_free(p.sim.loop);
    behave_free(behave);
    return p.status;
}
