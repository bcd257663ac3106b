/* SPDX-License-Identifier: BSD-2-Clause
 *
 * event - something that happens once, and those who wait for it
 *
 * Every outside answer (a DNS answer, a store's reply, a scanner's verdict)
 * is announced by an event. The one who asked goes on working and waits
 * later; in a milter hook only through mfx_wait().
 *
 * Ownership: init/fini by the one who holds the storage; fini only when
 * nobody waits any more. Who has seen it set may free it at once.
 * Errors: none. Threads: any thread may set, any number may wait.
 */
#ifndef MFX_BASE_EVENT_H
#define MFX_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mfx/base/rc.h>

MFX_API_BEGIN

struct mfx_event {
    uint32_t state; /* event.c alone knows what it says */
};

enum {
    MFX_EVENT_ANY_MAX = 100,
};

void mfx_event_init(struct mfx_event *event);
void mfx_event_fini(struct mfx_event *event);
void mfx_event_set(struct mfx_event *event);
bool mfx_event_is_set(struct mfx_event *event);

/* Waits until the event is set or the monotonic clock (mfx_mono_ms) reaches
 * until_ms. True when it is set. */
bool mfx_event_wait(struct mfx_event *event, uint64_t until_ms);
/* Waits until one of the events, at most MFX_EVENT_ANY_MAX, is set; those
 * behind are not looked at. True when one is; false at once for none. */
bool mfx_event_wait_any(struct mfx_event *const *events, size_t count,
                        uint64_t until_ms);

MFX_API_END

#endif
