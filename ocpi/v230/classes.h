/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes: the register of all classes of 2.3.0, in alphabetical order. A class that is the same in
 * 2.2.1, with all that it holds, stands here with the table of 2.2.1.
 */
#ifndef OCPI_V230_CLASSES_H
#define OCPI_V230_CLASSES_H

#include <stddef.h>

struct object_type;

extern const struct object_type *const ocpi230_classes[];
extern const size_t ocpi230_class_count;

#endif
