/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before every file by the build. Names what this house does not use: functions that
 * overflow, that depend on the locale, or that block the loop.
 */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets localtime gmtime ctime
#pragma GCC poison gethostbyname usleep

#endif
