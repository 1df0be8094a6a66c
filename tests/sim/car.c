/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cars and the arithmetic of energy: whole numbers only.
 */
#include "tests/sim/car.h"

/* W * us per 10^-6 kWh: 1e3 W * 3600e6 us * 1e-6. */
#define WUS_PER_MWH INT64_C(3600000)

struct car car_usual(void)
{
    return (struct car){.battery_mwh = INT64_C(60000000),
                        .start_percent = 20,
                        .max_ac_w = 11000,
                        .max_dc_w = 120000,
                        .plugged = true};
}

int64_t car_room_mwh(const struct car *car)
{
    return car->battery_mwh / 100 * (100 - car->start_percent);
}

int64_t car_power_w(const struct car *car, bool dc, int64_t connector_w, int64_t limit_w)
{
    int64_t power = dc ? car->max_dc_w : car->max_ac_w;

    if (connector_w < power)
        power = connector_w;
    if (limit_w >= 0 && limit_w < power)
        power = limit_w;
    return power;
}

int64_t energy_mwh(int64_t power_w, int64_t us, int64_t *carry)
{
    __int128 work = (__int128)power_w * us + *carry;

    *carry = (int64_t)(work % WUS_PER_MWH);
    return (int64_t)(work / WUS_PER_MWH);
}

int64_t energy_us(int64_t power_w, int64_t mwh)
{
    if (power_w <= 0)
        return INT64_MAX;
    return (int64_t)(((__int128)mwh * WUS_PER_MWH + power_w - 1) / power_w);
}
