/* SPDX-License-Identifier: BSD-2-Clause
 *
 * screen - a table in a terminal, drawn again and again
 *
 *     screen_open(&screen);
 *     screen_draw(&screen, text);           text of lines
 *     what = screen_wait(&screen, until_ms);
 *     screen_close(&screen);
 *
 * Where stdin or stdout is no terminal, texts are printed one after the other.
 * While it is open, the signals that end a program are waited for by
 * screen_wait; the terminal is given back as it was by screen_close.
 *
 * Ownership: the caller's storage. Errors: open gives false when the system
 * does not let us. Threads: one; open before others are begun.
 */
#ifndef MFX_QUOTA_SCREEN_H
#define MFX_QUOTA_SCREEN_H

#include <signal.h>
#include <termios.h>

#include <mfx/base/buf.h>

struct screen {
    bool is_terminal, is_open;
    int signals; /* a signalfd */
    sigset_t mask_before;
    struct termios before;
    unsigned width, height;
    struct mfx_buf text; /* what is shown */
};

enum screen_event {
    SCREEN_TIME, /* until_ms has come */
    SCREEN_ASK,  /* a key asks for new numbers */
    SCREEN_QUIT,
};

bool screen_open(struct screen *screen);
void screen_close(struct screen *screen);
/* False when nobody reads it any more. */
bool screen_draw(struct screen *screen, struct mfx_str text);
enum screen_event screen_wait(struct screen *screen, uint64_t until_ms);

/* Cuts a text to the lines and columns there are; UTF-8 characters stay
 * whole. */
void screen_fit(struct mfx_str text, unsigned width, unsigned height,
                struct mfx_buf *out);

#endif
