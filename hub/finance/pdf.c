/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PDF: the drawing process and those who wait for it.
 *
 *   NONE --first question--> IDLE --question--> DRAWING --answer--> IDLE
 *     ^                       |                    |
 *     +----- a minute of quiet, or many drawn -----+-- it died, spoke nonsense, took too long
 *
 * A question during which the process died is asked once more of the next one, since the process
 * and not the question may have been at fault; one that took too long is not. An answer that nobody
 * waits for any more is read to its end all the same, so that the next one is told apart.
 */
#include "hub/finance/pdf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/finance/pdf_frame.h"

enum {
    WAITING_MAX = 64,
    DRAWING_MS = 5000,
    IDLE_MS = 60000,
    REAP_MS = 50,
    DRAWN_MAX = 1000, /* then the process is replaced: libraries keep things for ever */
    ATTEMPTS = 2,
    LEAVING_MAX = 16, /* processes that have been told to end and have not */
};

struct question {
    struct question *next;
    struct flow_ticket ticket;
    struct pdf_drawn *ret; /* in the flow that waits: not to be touched without the ticket */
    struct text bytes;     /* with its head */
    unsigned attempts;
};

static struct {
    struct event_base *loop;
    char program[512];
    pid_t pid; /* 0: none */
    int fd;
    unsigned drawn;
    struct event *readable, *writable, *timer, *reaper;
    struct question *asked; /* by the process, at the moment */
    size_t written;
    unsigned char head[PDF_HEAD + 1];
    unsigned char *answer; /* NULL while the head is being read */
    size_t got, length;
    struct question *first, **last; /* those who wait */
    unsigned waiting;
    pid_t leaving[LEAVING_MAX];
    bool open;
} pdf;

static void ask_next(void);

static void question_free(struct question *q)
{
    text_done(&q->bytes);
    free(q);
}

/* Frees the question first: the flow that goes on may ask another one. */
static void finish(struct question *q, struct err e)
{
    struct flow_ticket ticket = q->ticket;

    question_free(q);
    flow_resume(ticket, e);
}

static void wait_at_most(int64_t ms)
{
    event_add(pdf.timer, &(struct timeval){ms / 1000, ms % 1000 * 1000});
}

/* ---- the process ---- */

static void reap(evutil_socket_t fd, short what, void *arg)
{
    bool some = false;

    (void)fd;
    (void)what;
    (void)arg;
    for (int i = 0; i < LEAVING_MAX; i++) {
        if (pdf.leaving[i] && waitpid(pdf.leaving[i], NULL, WNOHANG) != 0)
            pdf.leaving[i] = 0;
        some |= pdf.leaving[i] != 0;
    }
    if (some && pdf.reaper)
        event_add(pdf.reaper, &(struct timeval){0, REAP_MS * 1000});
}

static void let_go(void)
{
    if (!pdf.pid)
        return;
    event_free(pdf.readable);
    event_free(pdf.writable);
    event_del(pdf.timer);
    pdf.readable = pdf.writable = NULL;
    close(pdf.fd);
    kill(pdf.pid, SIGKILL);
    int place = 0;
    while (place < LEAVING_MAX && pdf.leaving[place])
        place++;
    if (place < LEAVING_MAX)
        pdf.leaving[place] = pdf.pid;
    else
        waitpid(pdf.pid, NULL, 0); /* it has been killed: this does not take long */
    pdf.pid = 0;
    free(pdf.answer);
    pdf.answer = NULL;
    pdf.got = pdf.written = 0;
    reap(-1, 0, NULL);
}

/* The process is lost; its question is asked again, or was the last straw. */
static void lose(const char *why, enum err_kind kind)
{
    struct question *q = pdf.asked;

    let_go();
    log_line(LOG_WARN, "the drawing of receipts ended", LOG_TEXT("why", why));
    pdf.asked = NULL;
    if (q && kind == ERR_INTERNAL && q->attempts < ATTEMPTS) {
        q->next = pdf.first;
        if (!q->next)
            pdf.last = &q->next;
        pdf.first = q;
        pdf.waiting++;
    } else if (q) {
        finish(q, (struct err){.kind = kind, .text = why});
    }
    ask_next();
}

/* It gets one socket, and nothing of what we have: no file, no variable, no signal set aside. */
static bool spawn(void)
{
    static char name[] = "receipt-pdf", locale[] = "LC_ALL=C.UTF-8", zone[] = "TZ=UTC";
    char *arguments[] = {name, NULL}, *environment[] = {locale, zone, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int why = posix_spawn(&pdf.pid, pdf.program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (why) {
        log_line(LOG_ERROR, "receipts cannot be drawn", LOG_TEXT("program", pdf.program),
                 LOG_TEXT("why", strerror(why)));
        close(pair[0]);
        pdf.pid = 0;
        return false;
    }
    pdf.fd = pair[0];
    fcntl(pdf.fd, F_SETFL, O_NONBLOCK);
    return true;
}

/* ---- talking to it ---- */

static void take_answer(void)
{
    struct question *q = pdf.asked;
    unsigned char *answer = pdf.answer;
    size_t length = pdf.length;
    struct flow *f = flow_ticket_flow(q->ticket);
    struct err e = OK;

    if (f && pdf.head[PDF_HEAD] == PDF_DRAWN)
        *q->ret = (struct pdf_drawn){(const unsigned char *)arena_bytes(f->arena, answer, length),
                                     length};
    else if (f)
        e = err_at(f->arena, ERR_INTERNAL, NULL, "the receipt was not drawn: %.*s",
                   (int)(length < 200 ? length : 200), (const char *)answer);
    free(answer);
    pdf.answer = NULL;
    pdf.asked = NULL;
    pdf.got = 0;
    if (++pdf.drawn >= DRAWN_MAX)
        let_go();
    else
        wait_at_most(IDLE_MS);
    finish(q, e);
    ask_next();
}

static bool take_head(void)
{
    size_t whole = (size_t)pdf.head[0] << 24 | (size_t)pdf.head[1] << 16 |
                   (size_t)pdf.head[2] << 8 | pdf.head[3];

    if (!pdf.asked || pdf.written < pdf.asked->bytes.length || !whole || whole > PDF_ANSWER_MAX)
        return false;
    pdf.length = whole - 1;
    pdf.got = 0;
    pdf.answer = malloc(pdf.length + 1);
    return pdf.answer;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    (void)arg;
    while (pdf.pid) {
        bool in_head = !pdf.answer;
        size_t want = (in_head ? sizeof pdf.head : pdf.length) - pdf.got;
        if (!want) {
            take_answer(); /* which may have let the process go, or asked it again */
            return;
        }
        ssize_t n = recv(fd, (in_head ? pdf.head : pdf.answer) + pdf.got, want, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        if (n <= 0) {
            lose("it closed its socket", ERR_INTERNAL);
            return;
        }
        pdf.got += (size_t)n;
        if (in_head && pdf.got == sizeof pdf.head && !take_head()) {
            lose("it spoke nonsense", ERR_INTERNAL);
            return;
        }
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    const struct text *bytes = pdf.asked ? &pdf.asked->bytes : NULL;

    (void)what;
    (void)arg;
    while (bytes && pdf.written < bytes->length) {
        ssize_t n = send(fd, bytes->bytes + pdf.written, bytes->length - pdf.written, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            event_add(pdf.writable, NULL);
            return;
        }
        if (n <= 0) {
            lose("its socket is closed", ERR_INTERNAL);
            return;
        }
        pdf.written += (size_t)n;
    }
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (pdf.asked)
        lose("a drawing took too long", ERR_DEADLINE);
    else
        let_go();
}

/* ---- who is next ---- */

static struct question *take_first(void)
{
    struct question *q = pdf.first;

    if (!q)
        return NULL;
    pdf.first = q->next;
    if (!pdf.first)
        pdf.last = &pdf.first;
    pdf.waiting--;
    return q;
}

static bool ready(void)
{
    if (pdf.pid)
        return true;
    if (!spawn())
        return false;
    pdf.drawn = 0;
    pdf.readable = event_new(pdf.loop, pdf.fd, EV_READ | EV_PERSIST, on_readable, NULL);
    pdf.writable = event_new(pdf.loop, pdf.fd, EV_WRITE, on_writable, NULL);
    event_add(pdf.readable, NULL);
    return true;
}

static void ask_next(void)
{
    struct question *q;

    while (!pdf.asked && (q = take_first())) {
        if (!flow_ticket_flow(q->ticket)) { /* who asked has left */
            question_free(q);
            continue;
        }
        if (!ready()) {
            finish(q, (struct err){.kind = ERR_INTERNAL, .text = "receipts cannot be drawn"});
            continue;
        }
        pdf.asked = q;
        pdf.written = pdf.got = 0;
        q->attempts++;
        wait_at_most(DRAWING_MS);
        event_active(pdf.writable, EV_WRITE, 0);
    }
}

static void put_question(struct text *t, const struct pdf_document *d)
{
    char issued[TIME_TEXT];
    size_t length;

    text_add_bytes(t, "\0\0\0\0", PDF_HEAD);
    json_begin_object(t, NULL);
    json_put_text(t, "language", receipt_languages[d->language]);
    json_put_text(t, "number", d->number);
    json_put_text(t, "issued", time_print_seconds(issued, d->issued_us));
    json_put_raw(t, "content", d->content);
    json_end_object(t);
    length = t->length - PDF_HEAD;
    for (int i = 0; i < PDF_HEAD; i++)
        t->bytes[i] = (char)(length >> 8 * (PDF_HEAD - 1 - i));
}

enum flow_next pdf_draw(struct flow *f, const struct pdf_document *d, struct pdf_drawn *ret)
{
    struct question *q;

    if (!pdf.open || pdf.waiting >= WAITING_MAX)
        return flow_fail(f, err_at(f->arena, ERR_OVERLOADED, NULL,
                                   "too many receipts are being drawn; try again shortly"));
    q = calloc(1, sizeof *q);
    if (!q)
        abort();
    text_init(&q->bytes, NULL, PDF_QUESTION_MAX);
    put_question(&q->bytes, d);
    if (text_overflowed(&q->bytes)) {
        question_free(q);
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL, "the receipt is too large"));
    }
    q->ret = ret;
    q->ticket = flow_wait(f);
    *pdf.last = q;
    pdf.last = &q->next;
    pdf.waiting++;
    ask_next();
    return FLOW_WAIT;
}

/* ---- life ---- */

void pdf_open(struct event_base *loop, const char *program)
{
    memset(&pdf, 0, sizeof pdf);
    if (!program) {
        ssize_t n = readlink("/proc/self/exe", pdf.program, sizeof pdf.program - 32);
        pdf.program[n > 0 ? n : 0] = '\0';
        char *slash = strrchr(pdf.program, '/');
        strncpy(slash ? slash + 1 : pdf.program, "receipt-pdf", 16);
    } else if (!text_copy(pdf.program, sizeof pdf.program, program)) {
        log_line(LOG_ERROR, "the name of the program that draws receipts is too long");
    }
    pdf.loop = loop;
    pdf.last = &pdf.first;
    pdf.timer = event_new(loop, -1, 0, on_time, NULL);
    pdf.reaper = event_new(loop, -1, 0, reap, NULL);
    pdf.open = true;
}

void pdf_close(void)
{
    struct question *q;

    if (!pdf.open)
        return;
    pdf.open = false;
    let_go();
    event_free(pdf.timer);
    event_free(pdf.reaper);
    pdf.timer = pdf.reaper = NULL;
    for (int i = 0; i < LEAVING_MAX; i++)
        if (pdf.leaving[i])
            waitpid(pdf.leaving[i], NULL, 0);
    if (pdf.asked)
        finish(pdf.asked, err_new(ERR_DEADLINE));
    pdf.asked = NULL;
    while ((q = take_first()))
        finish(q, err_new(ERR_DEADLINE));
}
