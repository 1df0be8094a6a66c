/* SPDX-License-Identifier: Apache-2.0 */
/* Call: a flow of one request. */
#include "hub/ctl/call.h"

#include <event2/event.h>
#include <string.h>

#include "base/arena.h"
#include "base/flow.h"
#include "base/time.h"

/* A registration is the longest: the hub gives it a minute. */
#define ANSWER_MS SECONDS(70)

/* A list of any length: the hub gives it half an hour. */
#define FILE_MS MINUTES(31)

enum { ANSWER_MAX = 16 * 1024 * 1024, HEADERS_MAX = 3 };

struct calling {
    const struct call *call;
    struct arena *arena; /* of whoever asked: the flow's own goes with the flow */
    struct http_answer *ret;
    struct event_base *loop;
    struct err err;
};

struct call_state {
    struct http_call call;
    struct http_call_header headers[HEADERS_MAX];
    struct http_answer answer;
};

static bool write_file(void *arg, const char *bytes, size_t length)
{
    return fwrite(bytes, 1, length, arg) == length;
}

static void add_header(struct call_state *s, const char *name, const char *value)
{
    s->headers[s->call.header_count++] = (struct http_call_header){name, value};
}

static enum flow_next ask(struct flow *f)
{
    struct call_state *s = f->state;
    const struct calling *calling = f->app;
    const struct call *call = calling->call;

    s->call = (struct http_call){
        .method = call->method,
        .url = arena_printf(f->arena, "%s%s", call->socket ? "http://localhost" : call->url,
                            call->path),
        .body = call->body,
        .body_length = call->body ? strlen(call->body) : 0,
        .connect_ms = SECONDS(5),
        .total_ms = call->csv ? FILE_MS : ANSWER_MS,
        .max_answer = ANSWER_MAX,
        .once_only = true,
        .unix_socket = call->socket,
        .headers = s->headers,
        .sink = call->csv ? write_file : NULL,
        .sink_arg = call->csv,
    };
    if (call->token)
        add_header(s, "Authorization", arena_printf(f->arena, "Bearer %s", call->token));
    if (call->key)
        add_header(s, "Idempotency-Key", call->key);
    if (call->csv)
        add_header(s, "Accept", "text/csv");
    return http_send(f, &s->call, &s->answer);
}

static enum flow_next keep(struct flow *f)
{
    struct call_state *s = f->state;
    const struct calling *calling = f->app;

    *calling->ret = (struct http_answer){
        .outcome = s->answer.outcome,
        .status = s->answer.status,
        .body = arena_bytes(calling->arena, s->answer.body, s->answer.body_length),
        .body_length = s->answer.body_length,
        .error = arena_text(calling->arena, s->answer.error),
        .timed_out = s->answer.timed_out,
    };
    return FLOW_DONE;
}

static const struct flow_step steps[] = {{"ask the hub", ask}, {"keep its answer", keep}, {0}};

static const struct flow_type call_flow = {
    .name = "hubctl",
    .state_size = sizeof(struct call_state),
    .steps = steps,
};

static void on_end(struct flow *f)
{
    struct calling *calling = f->app;

    calling->err = f->err;
    if (failed(f->err))
        calling->err.text = arena_text(calling->arena, err_text(f->err));
    event_base_loopbreak(calling->loop);
}

struct err call_hub(struct arena *a, const struct call *call, struct http_answer *ret)
{
    /* The user named the hub's URL: no address is refused. */
    static const char *const ANYWHERE[] = {"0.0.0.0/0", "::/0", NULL};
    struct http_client_options options = {
        .allow_private_urls = ANYWHERE,
        .user_agent = "hubctl",
    };
    struct calling calling = {
        .call = call,
        .arena = a,
        .ret = ret,
        .loop = event_base_new(),
    };

    *ret = (struct http_answer){.outcome = HTTP_NOT_SENT, .body = "", .error = "no answer"};
    if (!calling.loop)
        return err_new(ERR_INTERNAL);
    struct err e = http_client_open(calling.loop, &options);
    if (!failed(e)) {
        struct flow *f = flow_new(&call_flow, &(struct flow_options){
                                                  .loop = calling.loop,
                                                  .app = &calling,
                                                  .arena_max = 4 * ANSWER_MAX,
                                                  .on_end = on_end,
                                                  .no_log = true,
                                              });
        flow_run(f);
        /* A flow that ended at once has broken a loop that was not running yet. */
        if (flow_running())
            event_base_dispatch(calling.loop);
        e = calling.err;
        http_client_close();
    }
    event_base_free(calling.loop);
    return e;
}
