/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: everything that can be configured, read once, constant afterwards. The table stands in
 * settings.c; it also prints the commented sample.
 */
#ifndef HUB_SETTINGS_H
#define HUB_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

struct settings {
    /* [hub] */
    int64_t workers;
    const char *public_listen, *internal_listen, *admin_socket;
    const char *public_url, *run_file;
    const char *tls_certificate, *tls_key;
    const char *const *allow_private_urls;
    const char *ca_file;
    int64_t drain_notice_ms;
    const char *log_level;
    int64_t max_connections;
    int64_t max_open_sessions;
    int64_t start_grace_ms;
    const char *default_currency;
    int64_t message_days, message_body_days;
    /* [stores] */
    const char *database_url, *redis_url;
    struct secret database_password, redis_password;
    int64_t writers, readers, statement_timeout_ms;
    /* [ocpi] */
    const char *country_code, *party_id, *name, *website;
    int64_t page_limit;
    int64_t handshake_timeout_ms;
    int64_t probe_silence_ms, probe_every_ms;
    int64_t pull_share;
    /* [finance] */
    const char *issuer_name, *issuer_vat_id, *issuer_contact; /* of receipts */
    const char *const *issuer_address;
    const char *receipt_series;   /* NULL: country_code-party_id */
    const char *receipt_language; /* where the reader asks for none: en, de, fi */
    const char *receipt_pdf;      /* the program that draws; NULL: receipt-pdf beside this one */
    int64_t cancellation_hold_ms;
    int64_t power_tolerance;
    bool collect_increase;
    /* [secrets] */
    struct secret data_key, hash_key, admin_token;
    /* [payments] */
    const char *psp_url; /* NULL: nothing is paid through a PSP */
    struct secret psp_key, psp_webhook_secret;
    int64_t psp_timeout_ms;
    const char *const *hold_amounts; /* "60.00 EUR" */
    const char *refund_limit;
    /* [auth] */
    const char *jwt_issuer, *jwt_audience, *jwt_staff_audience, *jwt_keys, *jwks_url;
    const char *dev_jwt_key;
};

extern const struct setting settings_table[];

/* Reads and checks as a whole. Error text names file, line, setting and reason. */
struct err settings_read(struct arena *a, const char *path, struct settings *ret);

/* "60.00 EUR": false unless it is an amount above 0 in whole minor units of a known currency. */
bool settings_amount(const char *text, char currency[4], int64_t *ret_minor);

/* A 32-byte key from a secret given as 64 hex digits. */
struct err settings_key(struct arena *a, const char *name, struct secret s, unsigned char ret[32]);

#endif
