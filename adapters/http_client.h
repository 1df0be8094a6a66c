/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client: how this process talks to other companies' servers. libcurl's multi interface on
 * the loop; one client per process.
 *
 * Every URL passes the guard (adapters/url_guard.h): https and public addresses, or the networks
 * of allow_private_urls; checked again on the socket's address. No redirects, no proxy from the
 * environment, no cookies. once_only calls use a connection of their own, never a reused one:
 * curl repeats a POST by itself when a reused connection dies. One that says `reuses` takes one
 * that was used a moment ago, and is broken off where curl would repeat it: still sent once at
 * most, but where the connection dies at that very moment nobody knows whether it arrived.
 */
#ifndef ADAPTERS_HTTP_CLIENT_H
#define ADAPTERS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"

struct event_base;

struct http_client_options {
    const char *const *allow_private_urls; /* CIDR blocks, NULL-terminated; NULL: none */
    const char *ca_file;                   /* NULL: the system's */
    const char *user_agent;                /* "ocpi-hub/0.1.0" */
    int per_host;                          /* concurrent calls per host: 50 */
};
struct err http_client_open(struct event_base *loop, const struct http_client_options *options);
void http_client_close(void);
unsigned http_client_busy(void); /* calls under way: draining waits for 0 */

struct http_call_header {
    const char *name, *value;
};

struct http_call {
    const char *method, *url;
    const struct http_call_header *headers;
    size_t header_count;
    const char *body; /* NULL: none; Content-Type: application/json is added with a body */
    size_t body_length;
    int64_t connect_ms, total_ms;
    size_t max_answer; /* bytes; 0: 1 MiB */
    bool once_only;
    bool reuses; /* ... over a connection that is there; means something with once_only */
    /* Takes the body of a good answer (2xx) as it comes, however long: max_answer is for the others.
     * false: enough, break off. Not called after the flow has ended. */
    bool (*sink)(void *arg, const char *bytes, size_t length);
    void *sink_arg;
    const char *unix_socket; /* where to connect instead of the URL's host, unguarded; NULL: none */
};

struct http_answer {
    enum {
        HTTP_ANSWERED, /* status, headers and body are complete */
        HTTP_NOT_SENT, /* certain that no byte of the request left: name, connect, TLS, guard */
        HTTP_UNCLEAR,  /* bytes left, no usable answer: it may have been executed */
    } outcome;
    int status;
    struct http_call_header *headers; /* names in lower case */
    size_t header_count;
    const char *body; /* NUL added */
    size_t body_length;
    const char *error; /* why there is no answer, for people */
    bool timed_out;
    bool too_large; /* longer than max_answer */
    int64_t duration_ms;
};
const char *http_answer_header(const struct http_answer *a, const char *lower_case_name);

/* Never fails the flow: what happened is in ret. */
enum flow_next http_send(struct flow *f, const struct http_call *call, struct http_answer *ret);

#endif
