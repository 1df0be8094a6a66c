/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Supervisor: opens the listening sockets, starts the workers on them, replaces one that dies.
 * SIGHUP: checks the new configuration, starts new workers, drains the old. SIGTERM: drains all.
 */
#ifndef HUB_SUPERVISOR_H
#define HUB_SUPERVISOR_H

#include "hub/settings.h"

/* Returns the exit status of the process. config_path may be NULL. */
int supervisor_run(const char *config_path, const struct settings *settings);

#endif
