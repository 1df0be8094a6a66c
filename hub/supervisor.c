/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Supervisor. It has no event loop: it sleeps until a signal comes or a worker is to be started.
 *
 * A reload starts workers of a new generation beside the old ones. Only when all of them have
 * opened their doors do the old ones drain; if one cannot (a key that is not one, a certificate
 * that does not fit), the new ones go and the old ones stay.
 *
 * Each worker writes its own slot of the shared metrics; a slot is given to the next worker when
 * its owner is gone, so counters go on where they were.
 */
#include "hub/supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/worker.h"

enum {
    MAX_WORKERS = 64,
    SLOTS = 2 * MAX_WORKERS + 1, /* old and new ones during a reload, and ourselves */
    STOP_MS = 29000,             /* workers that still live then are killed */
    RESPAWN_MS = 1000,           /* a worker that died younger than this is started this late */
    RELOAD_MS = 10000,           /* what new workers get to open their doors */
    LOOK_MS = 50,
    SETTINGS_BYTES = 8 * 1024 * 1024,
};

struct child {
    pid_t pid; /* 0: free */
    int64_t started_ms;
    unsigned generation; /* another than the supervisor's: not replaced */
};

struct supervisor {
    const char *config_path;
    const struct settings *settings;
    struct arena *arena, *settings_arena; /* NULL: the first settings, which our caller keeps */
    int fds[LISTEN_COUNT];
    const char *public_url, *internal_url;
    struct child children[SLOTS - 1];
    _Atomic bool *ready; /* by slot; shared with the workers */
    unsigned generation, last_generation;
    struct {
        int64_t until_ms; /* 0: no reload is under way */
        bool failed, again;
        unsigned generation; /* the former ones: what stays if it fails */
        const struct settings *settings;
        struct arena *settings_arena;
        const char *public_url;
    } reload;
    int64_t respawn_at_ms; /* 0: nothing to start */
    bool stopping;
    int64_t stop_began_ms;
};

/* ---- listening ---- */

/* "127.0.0.1:8080", "[::1]:8080" */
static struct err listen_tcp(struct arena *a, const char *name, const char *address, int *ret_fd,
                             int *ret_port)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    const char *colon = strrchr(address, ':');
    char host[64];
    char *end;

    if (!colon || (size_t)(colon - address) >= sizeof host)
        return err_at(a, ERR_BAD_FIELD, name, "%s: \"%s\" is not address:port", name, address);
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port > 65535)
        return err_at(a, ERR_BAD_FIELD, name, "%s: \"%s\" has no valid port", name, address);
    size_t length = strlen(host);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = 0;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
            v6->sin6_family = 0;
    } else {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
            v4->sin_family = 0;
    }
    if (!storage.ss_family)
        return err_at(a, ERR_BAD_FIELD, name, "%s: \"%s\" is not an IP address", name, host);

    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socklen_t size = v4->sin_family == AF_INET ? sizeof *v4 : sizeof *v6;
    if (fd < 0 || bind(fd, (struct sockaddr *)&storage, size) || listen(fd, 4096))
        return err_at(a, ERR_BAD_FIELD, name, "%s: cannot listen on %s: %s", name, address,
                      strerror(errno));
    size = sizeof storage;
    getsockname(fd, (struct sockaddr *)&storage, &size);
    *ret_port = ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    *ret_fd = fd;
    return OK;
}

static struct err listen_unix(struct arena *a, const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!text_copy(address.sun_path, sizeof address.sun_path, path))
        return err_at(a, ERR_BAD_FIELD, "admin_socket",
                      "admin_socket: the path is longer than 107 "
                      "characters");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        close(fd);
        return err_at(a, ERR_BAD_FIELD, "admin_socket",
                      "admin_socket: another hub listens on %s", path);
    }
    unlink(path);
    mode_t before = umask(0177);
    int bad = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 128);
    umask(before);
    if (bad)
        return err_at(a, ERR_BAD_FIELD, "admin_socket", "admin_socket: cannot listen on %s: %s",
                      path, strerror(errno));
    *ret_fd = fd;
    return OK;
}

static const char *url_of(struct arena *a, const char *scheme, const char *address, int port)
{
    const char *colon = strrchr(address, ':');
    int length = (int)(colon - address);

    if (strncmp(address, "0.0.0.0", 7) == 0)
        return arena_printf(a, "%s://127.0.0.1:%d", scheme, port);
    return arena_printf(a, "%s://%.*s:%d", scheme, length, address, port);
}

static struct err listen_all(struct supervisor *s)
{
    const struct settings *c = s->settings;
    int port;

    for (int i = 0; i < LISTEN_COUNT; i++)
        s->fds[i] = -1;
    TRY(listen_tcp(s->arena, "public_listen", c->public_listen, &s->fds[LISTEN_PUBLIC], &port));
    s->public_url = c->public_url ? c->public_url
                                  : url_of(s->arena, c->tls_certificate ? "https" : "http",
                                           c->public_listen, port);
    TRY(listen_tcp(s->arena, "internal_listen", c->internal_listen, &s->fds[LISTEN_INTERNAL],
                   &port));
    s->internal_url = url_of(s->arena, "http", c->internal_listen, port);
    if (c->admin_socket && *c->admin_socket)
        TRY(listen_unix(s->arena, c->admin_socket, &s->fds[LISTEN_ADMIN]));
    return OK;
}

/* Whoever reads it sees a whole file: written beside and renamed. */
static void write_run_file(const struct supervisor *s)
{
    const char *path = s->settings->run_file;
    struct text t;

    if (!path || !*path)
        return;
    text_init(&t, s->arena, 16384);
    json_begin_object(&t, NULL);
    json_put_int(&t, "pid", getpid());
    json_put_text(&t, "hub_url", s->public_url);
    json_put_text(&t, "internal_url", s->internal_url);
    json_put_text(&t, "versions_url",
                  arena_printf(s->arena, "%s/ocpi/emsp/versions", s->public_url));
    json_put_text(&t, "admin_socket", s->settings->admin_socket);
    json_end_object(&t);
    text_add(&t, "\n");
    const char *temporary = arena_printf(s->arena, "%s.%d", path, (int)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, t.bytes, t.length) != (ssize_t)t.length || rename(temporary, path))
        log_line(LOG_WARN, "run_file could not be written", LOG_TEXT("path", path));
    if (fd >= 0)
        close(fd);
}

/* ---- workers ---- */

static void start_worker(struct supervisor *s)
{
    for (unsigned slot = 0; slot < SLOTS - 1; slot++) {
        struct child *c = &s->children[slot];
        if (c->pid)
            continue;
        s->ready[slot] = false;
        pid_t parent = getpid(), pid = fork();
        if (pid < 0) {
            log_line(LOG_ERROR, "cannot start a worker", LOG_TEXT("why", strerror(errno)));
            s->respawn_at_ms = time_monotonic_ms() + RESPAWN_MS;
            return;
        }
        if (pid == 0) {
            sigset_t none;
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() != parent) /* it died before this was said */
                _exit(1);
            signal(SIGINT, SIG_IGN);
            signal(SIGHUP, SIG_IGN);
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, NULL);
            struct worker_options o = {
                .settings = s->settings,
                .number = slot,
                .fds = {s->fds[0], s->fds[1], s->fds[2]},
                .public_url = s->public_url,
                .ready = &s->ready[slot],
            };
            exit(worker_run(&o));
        }
        *c = (struct child){pid, time_monotonic_ms(), s->generation};
        return;
    }
    /* All slots taken by old ones that still drain: tried again when some have gone. */
    s->respawn_at_ms = time_monotonic_ms() + RESPAWN_MS;
}

static bool is_old(const struct supervisor *s, const struct child *c)
{
    return c->generation != s->generation;
}

static int live_workers(const struct supervisor *s, bool old_too)
{
    int n = 0;

    for (unsigned i = 0; i < SLOTS - 1; i++)
        n += s->children[i].pid && (old_too || !is_old(s, &s->children[i]));
    return n;
}

static void start_missing(struct supervisor *s)
{
    s->respawn_at_ms = 0;
    while (live_workers(s, false) < (int)s->settings->workers && !s->respawn_at_ms)
        start_worker(s);
}

static void signal_workers(struct supervisor *s, int signal_number, bool old_only)
{
    for (unsigned i = 0; i < SLOTS - 1; i++)
        if (s->children[i].pid && (!old_only || is_old(s, &s->children[i])))
            kill(s->children[i].pid, signal_number);
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < SLOTS - 1; i++) {
            struct child *c = &s->children[i];
            if (c->pid != pid)
                continue;
            bool wanted = !s->stopping && !is_old(s, c);
            int64_t age = time_monotonic_ms() - c->started_ms;
            c->pid = 0;
            if (!wanted)
                continue;
            log_line(LOG_ERROR, "a worker died and is replaced", LOG_INT("worker_pid", pid),
                     LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
                     LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0));
            metric_add(METRIC_WORKER_RESTARTS, NULL, NULL, NULL, 1);
            s->reload.failed |= s->reload.until_ms && !s->ready[i];
            int64_t at = time_monotonic_ms() + (age < RESPAWN_MS ? RESPAWN_MS : 0);
            if (!s->respawn_at_ms || at < s->respawn_at_ms)
                s->respawn_at_ms = at;
        }
    }
}

static void use_settings(struct supervisor *s, const struct settings *settings,
                         const char *public_url)
{
    enum log_level level = LOG_INFO;

    s->settings = settings;
    s->public_url = public_url;
    log_level_parse(settings->log_level, &level);
    log_setup("ocpi-hub", level);
    write_run_file(s);
}

/* Invalid input keeps the old workers and says so. Sockets stay as they are. */
static void reload_begin(struct supervisor *s)
{
    if (s->reload.until_ms) {
        s->reload.again = true;
        return;
    }
    struct arena *a = arena_new(SETTINGS_BYTES);
    struct settings *fresh = arena_alloc(a, sizeof *fresh);
    struct err e = settings_read(a, s->config_path, fresh);
    if (failed(e)) {
        log_line(LOG_ERROR, "the new configuration is refused; the old one stays",
                 LOG_TEXT("why", err_text(e)));
        arena_free(a);
        return;
    }
    log_line(LOG_INFO, "reloading: new workers start");
    s->reload = (typeof(s->reload)){
        .until_ms = time_monotonic_ms() + RELOAD_MS,
        .generation = s->generation,
        .settings = s->settings,
        .settings_arena = s->settings_arena,
        .public_url = s->public_url,
    };
    s->generation = ++s->last_generation;
    s->settings_arena = a;
    use_settings(s, fresh,
                 fresh->public_url ? arena_text(s->arena, fresh->public_url) : s->public_url);
    start_missing(s);
}

static bool all_ready(const struct supervisor *s)
{
    int n = 0;

    for (unsigned i = 0; i < SLOTS - 1; i++)
        n += s->children[i].pid && !is_old(s, &s->children[i]) && s->ready[i];
    return n >= (int)s->settings->workers;
}

/* Settings that nobody will use again go, with their secrets: workers have copies of their own. */
static void reload_look(struct supervisor *s)
{
    bool over = s->reload.failed || time_monotonic_ms() > s->reload.until_ms;

    if (all_ready(s)) {
        log_line(LOG_INFO, "reloaded: the old workers drain");
        arena_free(s->reload.settings_arena);
    } else if (over) {
        log_line(LOG_ERROR, "the new workers cannot serve; the old configuration stays");
        s->generation = s->reload.generation;
        use_settings(s, s->reload.settings, s->reload.public_url);
        arena_free(s->settings_arena);
        s->settings_arena = s->reload.settings_arena;
    } else {
        return;
    }
    s->reload.settings_arena = NULL;
    s->reload.until_ms = 0;
    signal_workers(s, SIGTERM, true);
    start_missing(s); /* an old one may have died meanwhile */
    if (s->reload.again)
        reload_begin(s);
}

static void begin_stop(struct supervisor *s)
{
    int signal_number = s->stopping ? SIGUSR2 : SIGTERM; /* the second time: no more waits */

    if (!s->stopping)
        s->stop_began_ms = time_monotonic_ms();
    s->stopping = true;
    s->respawn_at_ms = 0;
    s->reload.until_ms = 0;
    signal_workers(s, signal_number, false);
}

static struct timespec next_wait(const struct supervisor *s)
{
    int64_t ms = 1000;

    if (s->respawn_at_ms) {
        ms = s->respawn_at_ms - time_monotonic_ms();
        ms = ms < 0 ? 0 : ms > 1000 ? 1000 : ms;
    }
    if (s->reload.until_ms && ms > LOOK_MS)
        ms = LOOK_MS;
    return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

int supervisor_run(const char *config_path, const struct settings *settings)
{
    struct supervisor s = {
        .config_path = config_path, .settings = settings, .arena = arena_new(64 * 1024 * 1024)};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    struct err e = listen_all(&s);
    if (failed(e)) {
        fprintf(stderr, "ocpi-hub: %s\n", err_text(e));
        arena_free(s.arena);
        return 1;
    }
    s.ready = mmap(NULL, SLOTS * sizeof *s.ready, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.ready == MAP_FAILED) {
        fprintf(stderr, "ocpi-hub: out of memory\n");
        arena_free(s.arena);
        return 1;
    }
    metrics_setup(SLOTS);
    metrics_use_slot(SLOTS - 1);
    start_missing(&s);
    write_run_file(&s);
    log_line(LOG_INFO, "listening", LOG_TEXT("hub_url", s.public_url),
             LOG_TEXT("internal_url", s.internal_url), LOG_INT("workers", settings->workers));

    while (!s.stopping || live_workers(&s, true)) {
        struct timespec wait = next_wait(&s);
        int got = sigtimedwait(&set, NULL, &wait);
        if (got == SIGTERM || got == SIGINT)
            begin_stop(&s);
        else if (got == SIGHUP && !s.stopping)
            reload_begin(&s);
        reap(&s);
        if (s.reload.until_ms)
            reload_look(&s);
        if (s.respawn_at_ms && time_monotonic_ms() >= s.respawn_at_ms)
            start_missing(&s);
        if (s.stopping && time_monotonic_ms() - s.stop_began_ms > STOP_MS)
            signal_workers(&s, SIGKILL, false);
    }
    if (settings->run_file && *settings->run_file)
        unlink(settings->run_file);
    if (settings->admin_socket && *settings->admin_socket)
        unlink(settings->admin_socket);
    log_line(LOG_INFO, "stopped");
    arena_free(s.reload.settings_arena); /* one that the stop broke off */
    arena_free(s.settings_arena);
    arena_free(s.arena);
    return 0;
}
