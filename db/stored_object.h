/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stored document comes out of a result (internal to db/): columns document, ocpi,
 * version, last_updated; no row: not found.
 */
#ifndef DB_STORED_OBJECT_H
#define DB_STORED_OBJECT_H

#include "db/location.h"
#include "db/pg.h"

struct err stored_object_take(struct flow *f, const PGresult *rows, void *ret);

#endif
