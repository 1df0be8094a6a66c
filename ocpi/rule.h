/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: what a refusal refers to. Each has the id under which this project knows it, the place in
 * the OCPI text (chapter, section), and one line for people: so that a partner can look up why.
 */
#ifndef OCPI_RULE_H
#define OCPI_RULE_H

#include "base/err.h"

struct arena;

struct rule {
    const char *id;      /* "R-TRANS-12" */
    const char *section; /* "mod_sessions, PATCH Method"; "" where OCPI is silent and we decide */
    const char *text;
};

const struct rule *rule_find(const char *id); /* NULL: not in the list */
const struct rule *rule_at(unsigned index);   /* for tests: NULL past the end */

/* What a partner is told: the error's text, what came and what was expected, the rule and where
 * OCPI says so. The same words go into status_message and into the message log. */
const char *rule_explain(struct arena *a, struct err e);
/* The same into a buffer, cut where it is too long. */
void rule_explain_to(char *buffer, unsigned size, struct err e);

#endif
