/* SPDX-License-Identifier: BSD-2-Clause */
#include "zones.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    UNITS = QUOTA_CALENDAR_MONTH + 1,
};

struct unit {
    const struct quota_calendar *calendar;
    enum quota_calendar_unit unit;
};

struct quota_zone {
    struct quota_zone *next;
    struct quota_calendar *calendar;
    struct unit units[UNITS];
    size_t name_len;
    char name[];
};

struct quota_zones {
    atomic_size_t holds;
    pthread_mutex_t mutex;
    struct quota_zone *first;
};

struct quota_zones *
quota_zones_new(void)
{
    struct quota_zones *zones = calloc(1, sizeof *zones);
    if (zones == NULL)
        return NULL;
    atomic_init(&zones->holds, 1);
    (void)pthread_mutex_init(&zones->mutex, NULL);
    return zones;
}

struct quota_zones *
quota_zones_hold(struct quota_zones *zones)
{
    atomic_fetch_add(&zones->holds, 1);
    return zones;
}

void
quota_zones_release(struct quota_zones *zones)
{
    if (zones == NULL || atomic_fetch_sub(&zones->holds, 1) > 1)
        return;
    for (struct quota_zone *z = zones->first, *next; z != NULL; z = next) {
        next = z->next;
        quota_calendar_free(z->calendar);
        free(z);
    }
    (void)pthread_mutex_destroy(&zones->mutex);
    free(zones);
}

bool
quota_zone_is_outdated(const struct quota_zone *zone)
{
    return quota_calendar_is_outdated(zone->calendar);
}

/* The newest of that name comes first. */
static struct quota_zone *
find(const struct quota_zones *zones, struct mfx_str name)
{
    for (struct quota_zone *z = zones->first; z != NULL; z = z->next)
        if (mfx_str_eq(mfx_str(z->name, z->name_len), name))
            return quota_zone_is_outdated(z) ? NULL : z;
    return NULL;
}

static enum mfx_rc
make(struct mfx_str name, struct quota_zone **made, struct mfx_err *err)
{
    struct quota_zone *z = calloc(1, sizeof *z + name.len + 1);
    if (z == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = quota_calendar_new(name, &z->calendar, err);
    if (rc != MFX_OK) {
        free(z);
        return rc;
    }
    z->name_len = name.len;
    if (name.len > 0)
        memcpy(z->name, name.p, name.len);
    for (size_t i = 0; i < UNITS; i++)
        z->units[i] = (struct unit){z->calendar, (enum quota_calendar_unit)i};
    *made = z;
    return MFX_OK;
}

enum mfx_rc
quota_zones_get(struct quota_zones *zones, struct mfx_str name,
                const struct quota_zone **zone, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    (void)pthread_mutex_lock(&zones->mutex);
    struct quota_zone *z = find(zones, name);
    if (z == NULL && (rc = make(name, &z, err)) == MFX_OK) {
        z->next = zones->first;
        zones->first = z;
    }
    (void)pthread_mutex_unlock(&zones->mutex);
    *zone = z;
    return rc;
}

const void *
quota_zone_unit(const struct quota_zone *zone, enum quota_calendar_unit unit)
{
    return &zone->units[unit];
}

void
quota_zone_period(const void *arg, uint64_t now_s, uint64_t *begin_s,
                  uint64_t *end_s)
{
    const struct unit *u = arg;
    quota_calendar_period(u->calendar, u->unit, now_s, begin_s, end_s);
}
