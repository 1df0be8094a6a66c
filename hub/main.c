/* SPDX-License-Identifier: Apache-2.0 */
/* ocpi-hub: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "db/db.h"
#include "hub/settings.h"
#include "hub/supervisor.h"

static const char HELP[] =
    "ocpi-hub - a roaming hub for electric vehicle charging (OCPI)\n"
    "\n"
    "  ocpi-hub serve [--config FILE]         run the hub\n"
    "  ocpi-hub migrate [--config FILE]       bring the database schema up to date\n"
    "  ocpi-hub check-config [--config FILE]  read and check the configuration\n"
    "  ocpi-hub check-config --sample         print every setting with its default and help\n"
    "  ocpi-hub --version\n"
    "\n"
    "FILE is /etc/ocpi-hub/ocpi-hub.ini unless given. Each setting can be overridden by the\n"
    "environment variable OCPI_HUB_<SETTING>. Signals: HUP reloads, TERM drains and ends.\n";

static const char DEFAULT_CONFIG[] = "/etc/ocpi-hub/ocpi-hub.ini";

static int serve(struct arena *a, const char *path, struct settings *settings)
{
    enum log_level level = LOG_INFO;

    (void)a;
    log_level_parse(settings->log_level, &level);
    log_setup("ocpi-hub", level);
    return supervisor_run(path, settings);
}

static int migrate(struct arena *a, const char *path, struct settings *settings)
{
    (void)path;
    struct err e = db_migrate(a, settings->database_url);

    if (failed(e))
        fprintf(stderr, "ocpi-hub migrate: %s\n", err_text(e));
    return failed(e);
}

static int check(struct arena *a, const char *path, struct settings *settings)
{
    (void)a;
    (void)settings;
    printf("%s: the configuration is valid\n", path);
    return 0;
}

static const struct command {
    const char *name;
    int (*run)(struct arena *a, const char *path, struct settings *settings);
} commands[] = {{"serve", serve}, {"migrate", migrate}, {"check-config", check}};

static int usage(const char *why)
{
    fprintf(stderr, "ocpi-hub: %s\n\n%s", why, HELP);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"config", required_argument, NULL, 'c'},
                                            {"sample", no_argument, NULL, 's'},
                                            {"print-sample", no_argument, NULL, 's'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *path = DEFAULT_CONFIG;
    int c;

    while ((c = getopt_long(argc, argv, "c:hV", OPTIONS, NULL)) != -1) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 's':
            config_print_sample(settings_table, stdout);
            return 0;
        case 'V':
            puts("ocpi-hub " HUB_VERSION);
            return 0;
        case 'h':
            fputs(HELP, stdout);
            return 0;
        default:
            return usage("unknown option");
        }
    }
    if (optind != argc - 1)
        return usage(optind == argc ? "what shall it do?" : "one command at a time");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[optind], commands[i].name) != 0)
            continue;
        struct arena *a = arena_new(16 * 1024 * 1024);
        struct settings settings = {0};
        struct err e = settings_read(a, path, &settings);
        if (failed(e)) {
            fprintf(stderr, "ocpi-hub: %s\n", err_text(e));
            arena_free(a);
            return 1;
        }
        int status = commands[i].run(a, path, &settings);
        arena_free(a);
        return status;
    }
    fprintf(stderr, "ocpi-hub: there is no command \"%s\"\n\n%s", argv[optind], HELP);
    return 2;
}
