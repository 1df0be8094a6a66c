/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker: one process with one event loop that does all the work. The supervisor made its
 * listening sockets.
 */
#ifndef HUB_WORKER_H
#define HUB_WORKER_H

#include "hub/hub.h"

struct worker_options {
    const struct settings *settings;
    unsigned number;       /* 0, 1, ... */
    int fds[LISTEN_COUNT]; /* -1: not configured */
    const char *public_url;
    _Atomic bool *ready; /* shared with the supervisor: set when the doors are open; may be NULL */
};

/* Runs until SIGTERM has been obeyed; returns the exit status of the process. */
int worker_run(const struct worker_options *options);

#endif
