/* SPDX-License-Identifier: BSD-2-Clause */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <mfx/base/env.h>

enum {
    TEXT_MAX = 4 * 1024 * 1024,
    WIDTH = 80,
    HEIGHT = 24,
};

#define ENTER "\033[?1049h\033[?25l" /* the other screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME  "\033[H"
#define CLEAR "\033[K" /* to the end of the line */
#define BELOW "\033[J"

static bool
block_signals(struct screen *s)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGWINCH);
    if (sigprocmask(SIG_BLOCK, &set, &s->mask_before) != 0)
        return false;
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0)
        (void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
    return s->signals >= 0;
}

static void
measure(struct screen *s)
{
    struct winsize size = {0};
    s->width = WIDTH;
    s->height = HEIGHT;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_row > 0) {
        s->width = size.ws_col;
        s->height = size.ws_row;
    }
}

bool
screen_open(struct screen *s)
{
    *s = (struct screen){.signals = -1};
    mfx_buf_init(&s->text, TEXT_MAX);
    if (!block_signals(s))
        return false;
    s->is_open = true;
    s->is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
                     tcgetattr(STDIN_FILENO, &s->before) == 0;
    if (!s->is_terminal)
        return true;
    struct termios raw = s->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    (void)fputs(ENTER, stdout);
    measure(s);
    return true;
}

void
screen_close(struct screen *s)
{
    if (s->is_terminal) {
        (void)fputs(LEAVE, stdout);
        (void)fflush(stdout);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
    }
    if (s->is_open) {
        (void)close(s->signals);
        (void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
    }
    mfx_buf_fini(&s->text);
    s->is_terminal = s->is_open = false;
}

/* --- drawing --- */

static size_t
bytes_of_columns(struct mfx_str line, unsigned width)
{
    unsigned columns = 0;
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.p[i] & 0xC0) != 0x80 && columns++ == width)
            return i;
    return line.len;
}

void
screen_fit(struct mfx_str text, unsigned width, unsigned height,
           struct mfx_buf *out)
{
    struct mfx_str line;
    unsigned lines = 0;
    while (lines < height && text.len > 0 && mfx_str_cut(&text, '\n', &line)) {
        if (lines++ > 0)
            mfx_buf_add_byte(out, '\n');
        mfx_buf_add(out, mfx_str_head(line, bytes_of_columns(line, width)));
    }
}

static void
draw(struct screen *s)
{
    struct mfx_buf fitting;
    struct mfx_str rest, line;
    mfx_buf_init(&fitting, TEXT_MAX);
    screen_fit(mfx_buf_str(&s->text), s->width, s->height, &fitting);
    (void)fputs(HOME, stdout);
    rest = mfx_buf_str(&fitting);
    for (bool is_first = true; rest.len > 0 && mfx_str_cut(&rest, '\n', &line);
         is_first = false)
        (void)printf("%s%.*s" CLEAR, is_first ? "" : "\r\n", MFX_STR_ARG(line));
    (void)fputs(BELOW, stdout);
    mfx_buf_fini(&fitting);
}

bool
screen_draw(struct screen *s, struct mfx_str text)
{
    mfx_buf_clear(&s->text);
    mfx_buf_add(&s->text, text);
    if (s->is_terminal)
        draw(s);
    else
        (void)fwrite(mfx_buf_text(&s->text), 1, s->text.len, stdout);
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}

/* --- waiting --- */

/* True when it is a signal that ends us. */
static bool
take_signal(struct screen *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGWINCH)
            return true;
        measure(s);
        if (s->is_terminal) {
            draw(s);
            (void)fflush(stdout);
        }
    }
    return false;
}

static enum screen_event
take_key(void)
{
    char key = 'q'; /* the terminal is gone */
    ssize_t n = read(STDIN_FILENO, &key, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return SCREEN_TIME;
    if (n <= 0 || key == 'q' || key == 'Q' || key == 4)
        return SCREEN_QUIT;
    return key == ' ' || key == 'r' ? SCREEN_ASK : SCREEN_TIME;
}

enum screen_event
screen_wait(struct screen *s, uint64_t until_ms)
{
    for (;;) {
        struct pollfd p[2] = {
            {.fd = s->signals,                         .events = POLLIN},
            {.fd = s->is_terminal ? STDIN_FILENO : -1, .events = POLLIN},
        };
        uint64_t now = mfx_mono_ms();
        if (now >= until_ms)
            return SCREEN_TIME;
        uint64_t left = until_ms - now;
        (void)poll(p, 2, left > 3600000 ? 3600000 : (int)left);
        if (p[0].revents != 0 && take_signal(s))
            return SCREEN_QUIT;
        enum screen_event event = p[1].revents != 0 ? take_key() : SCREEN_TIME;
        if (event != SCREEN_TIME)
            return event;
    }
}
