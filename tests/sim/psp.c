/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-sim psp: options, the two doors, misbehaviours, the first and the last moment.
 */
#include "tests/sim/psp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/http_client.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/sim/sim.h"

enum { BACKLOG = 256, ARENA_MAX = 16 << 20, BODY_MAX = 1 << 20, PER_HOST = 50, SECRET_MAX = 512 };

/* ---- what the other files use ---- */

void *psp_grow(void *items, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 16;
        items = realloc(items, *room * size);
        if (!items)
            abort();
    }
    memset((char *)items + *count * size, 0, size);
    (*count)++;
    return items;
}

size_t psp_body_max(void *ctx, const struct http_head *head)
{
    (void)ctx;
    (void)head;
    return BODY_MAX;
}

static const struct {
    const char *name, *help;
} behaviours[PSP_BEHAVE_COUNT] = {
#define X(constant, word, help) [PSP_BEHAVE_##constant] = {word, help},
    PSP_BEHAVIOURS(X)
#undef X
};

void psp_behave_help(FILE *to)
{
    for (size_t i = 0; i < PSP_BEHAVE_COUNT; i++)
        fprintf(to, "  %-22s %s\n", behaviours[i].name, behaviours[i].help);
}

static void rule_drop(struct psp_sim *sim, size_t i)
{
    sim->rules.items[i] = sim->rules.items[--sim->rules.count];
}

bool psp_acts(struct psp_sim *sim, enum psp_behaviour what, const char *customer,
              int64_t *ret_after_ms)
{
    for (size_t i = 0; i < sim->rules.count; i++) {
        struct psp_behave_rule *r = &sim->rules.items[i];
        if (r->what != what || (*r->customer && strcmp(r->customer, customer) != 0))
            continue;
        if (ret_after_ms)
            *ret_after_ms = r->after_ms;
        if (r->times > 0 && --r->times == 0)
            rule_drop(sim, i);
        return true;
    }
    return false;
}

bool psp_behave(struct psp_sim *sim, const char *name, const char *customer, bool on, int64_t times,
                int64_t after_ms)
{
    size_t what = 0;

    if (strcmp(name, "none") == 0) {
        sim->rules.count = 0;
        return true;
    }
    while (what < PSP_BEHAVE_COUNT && strcmp(behaviours[what].name, name) != 0)
        what++;
    if (what == PSP_BEHAVE_COUNT)
        return false;
    for (size_t i = sim->rules.count; i-- > 0;)
        if (sim->rules.items[i].what == what && strcmp(sim->rules.items[i].customer, customer) == 0)
            rule_drop(sim, i);
    if (!on)
        return true;
    struct psp_behave_rule *r = PSP_ADD(sim->rules);
    r->what = (enum psp_behaviour)what;
    r->times = times;
    r->after_ms = after_ms;
    return text_copy(r->customer, sizeof r->customer, customer);
}

/* ---- later ---- */

struct later {
    LIST_ENTRY(later) entry;
    struct psp_sim *sim;
    void (*run)(struct psp_sim *sim, void *arg);
    void *arg;
};

static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct later *l = arg;

    (void)fd;
    (void)what;
    LIST_REMOVE(l, entry);
    l->run(l->sim, l->arg);
    free(l);
}

static void let_go_of_all(struct psp_sim *sim)
{
    struct later *l;

    while ((l = LIST_FIRST(&sim->laters)))
        on_later(-1, 0, l);
}

void psp_after(struct psp_sim *sim, int64_t ms, void (*run)(struct psp_sim *sim, void *arg),
               void *arg)
{
    struct later *l = malloc(sizeof *l);

    if (!l)
        abort();
    *l = (struct later){.sim = sim, .run = run, .arg = arg};
    LIST_INSERT_HEAD(&sim->laters, l, entry);
    event_base_once(sim->loop, -1, EV_TIMEOUT, on_later, l,
                    &(struct timeval){ms / 1000, ms % 1000 * 1000});
}

/* ---- the doors ---- */

static bool door_open(struct psp_sim *sim, struct psp_door *d, bool control)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)d->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct http_server_options options = {
        .loop = sim->loop,
        .ctx = sim,
        .arena_max_bytes = ARENA_MAX,
        .max_requests = 1000000,
        .body_max = psp_body_max,
        .handle = control ? psp_control_handle : psp_api_handle,
    };
    socklen_t length = sizeof address;
    int on = 1;

    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return false;
    setsockopt(d->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(d->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(d->fd, BACKLOG) < 0 ||
        getsockname(d->fd, (struct sockaddr *)&address, &length) < 0) {
        log_line(LOG_ERROR, "cannot listen", LOG_INT("port", d->port),
                 LOG_TEXT("error", strerror(errno)));
        return false;
    }
    d->port = ntohs(address.sin_port);
    options.fd = d->fd;
    return !failed(http_server_new(&options, &d->server));
}

static void door_close(struct psp_door *d)
{
    http_server_free(d->server);
    if (d->fd >= 0)
        close(d->fd);
}

/* ---- options ---- */

static void help(FILE *to)
{
    fputs("ocpi-sim psp [options]: a simulated payment service provider\n\n"
          "  --webhook URL               where its events go\n"
          "  --webhook-secret-file FILE  signs them\n"
          "  --key-file FILE             the key that callers must show\n"
          "  --port N, --control-port N  on 127.0.0.1; 0 (usual): any free one\n"
          "  --behave WORD               a misbehaviour; may be repeated\n"
          "  --log LEVEL                 debug, info, warn (usual) or error\n"
          "  --help\n\nControl API, JSON:\n",
          to);
    psp_control_help(to);
    fputs("\nMisbehaviours:\n", to);
    psp_behave_help(to);
}

/* The first line of a file, on the heap. */
static char *secret_of(const char *path)
{
    char line[SECRET_MAX];
    FILE *file = fopen(path, "re");
    char *ret = NULL;

    if (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        ret = strdup(line);
    }
    if (file)
        fclose(file);
    return ret;
}

static bool port_read(const char *text, int *ret)
{
    char *end;
    long value = strtol(text, &end, 10);

    *ret = (int)value;
    return end != text && !*end && value >= 0 && value <= 65535;
}

static bool option_take(struct psp_sim *sim, int id, const char *value)
{
    enum log_level level;

    switch (id) {
    case 'w':
        sim->webhook_url = value;
        return true;
    case 's':
        free(sim->webhook_secret);
        return (sim->webhook_secret = secret_of(value)) != NULL;
    case 'k':
        free(sim->key);
        return (sim->key = secret_of(value)) != NULL;
    case 'p':
        return port_read(value, &sim->api.port);
    case 'c':
        return port_read(value, &sim->control.port);
    case 'b':
        return psp_behave(sim, value, "", true, -1, 1000);
    case 'l':
        return log_level_parse(value, &level) && (log_setup("ocpi-sim", level), true);
    default:
        return false;
    }
}

/* 0: go on; else the exit status + 1. */
static int options_read(struct psp_sim *sim, int argc, char **argv)
{
    static const struct option options[] = {
        {"webhook", required_argument, 0, 'w'},
        {"webhook-secret-file", required_argument, 0, 's'},
        {"key-file", required_argument, 0, 'k'},
        {"port", required_argument, 0, 'p'},
        {"control-port", required_argument, 0, 'c'},
        {"behave", required_argument, 0, 'b'},
        {"log", required_argument, 0, 'l'},
        {"help", no_argument, 0, 'h'},
        {0},
    };
    int id;

    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (id == 'h') {
            help(stdout);
            return 1;
        }
        if (id == '?' || !option_take(sim, id, optarg)) {
            fprintf(stderr, "ocpi-sim psp: %s: not usable (see --help)\n", optarg ? optarg : "");
            return 3;
        }
    }
    if (optind < argc || !sim->key || !sim->webhook_secret) {
        fputs("ocpi-sim psp: --key-file and --webhook-secret-file are needed (see --help)\n",
              stderr);
        return 3;
    }
    return 0;
}

/* ---- life ---- */

static void stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static void ready(const struct psp_sim *sim)
{
    printf("{\"url\":\"http://127.0.0.1:%d\",\"control_url\":\"http://127.0.0.1:%d\",\"pid\":%d}\n",
           sim->api.port, sim->control.port, getpid());
    fflush(stdout);
}

static void psp_free(struct psp_sim *sim)
{
    for (size_t i = 0; i < sim->payments.count; i++)
        free(sim->payments.items[i]);
    for (size_t i = 0; i < sim->keys.count; i++) {
        free(sim->keys.items[i].key);
        free(sim->keys.items[i].hash);
        free(sim->keys.items[i].body);
    }
    for (size_t i = 0; i < sim->requests.count; i++) {
        free(sim->requests.items[i].path);
        free(sim->requests.items[i].key);
        free(sim->requests.items[i].body);
    }
    for (size_t i = 0; i < sim->events.count; i++)
        free(sim->events.items[i].body);
    free(sim->payments.items);
    free(sim->keys.items);
    free(sim->requests.items);
    free(sim->events.items);
    free(sim->moves.items);
    free(sim->rules.items);
    free(sim->key);
    free(sim->webhook_secret);
}

static int serve(struct psp_sim *sim)
{
    static const char *const networks[] = {"127.0.0.0/8", NULL};
    const struct http_client_options client = {
        .allow_private_urls = networks, .user_agent = "ocpi-sim/0.1.0", .per_host = PER_HOST};
    struct event *signals[2];
    int status = 1;

    signal(SIGPIPE, SIG_IGN);
    signals[0] = evsignal_new(sim->loop, SIGTERM, stop, sim->loop);
    signals[1] = evsignal_new(sim->loop, SIGINT, stop, sim->loop);
    evsignal_add(signals[0], 0);
    evsignal_add(signals[1], 0);
    if (!failed(http_client_open(sim->loop, &client))) {
        if (door_open(sim, &sim->api, false) && door_open(sim, &sim->control, true)) {
            ready(sim);
            event_base_dispatch(sim->loop);
            status = 0;
        }
        sim->closing = true;
        http_client_close();
        let_go_of_all(sim);
    }
    door_close(&sim->api);
    door_close(&sim->control);
    event_free(signals[0]);
    event_free(signals[1]);
    return status;
}

int psp_main(int argc, char **argv)
{
    struct psp_sim sim = {.api.fd = -1, .control.fd = -1};

    int end = options_read(&sim, argc, argv);
    if (!end) {
        sim.loop = event_base_new();
        end = serve(&sim) + 1;
        event_base_free(sim.loop);
    }
    psp_free(&sim);
    return end - 1;
}
