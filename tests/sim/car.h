/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Car: what stands at an EVSE. Each session is a new arrival with the same settings: its battery
 * begins at start_percent again.
 */
#ifndef TESTS_SIM_CAR_H
#define TESTS_SIM_CAR_H

#include <stdbool.h>
#include <stdint.h>

struct car {
    int64_t battery_mwh; /* 10^-6 kWh, as everywhere */
    int64_t start_percent;
    int64_t max_ac_w, max_dc_w;
    bool plugged;
};

struct car car_usual(void);
/* What fits in on arrival. */
int64_t car_room_mwh(const struct car *car);
/* min(car, connector, limit); limit_w < 0: none. */
int64_t car_power_w(const struct car *car, bool dc, int64_t connector_w, int64_t limit_w);

/* Energy in `us` microseconds; *carry keeps what is below one unit. */
int64_t energy_mwh(int64_t power_w, int64_t us, int64_t *carry);
/* How long that takes, in microseconds, rounded up; INT64_MAX at no power. */
int64_t energy_us(int64_t power_w, int64_t mwh);

#endif
