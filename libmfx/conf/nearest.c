/* SPDX-License-Identifier: BSD-2-Clause */
#include "option_impl.h"

enum {
    LONGEST = 64,
};

static unsigned char
at(struct mfx_str s, size_t i)
{
    return mfx_ascii_lower((unsigned char)s.p[i]);
}

static size_t
least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t
mfx_nearest_distance(struct mfx_str a, struct mfx_str b)
{
    size_t rows[3][LONGEST + 1] = {{0}};
    if (a.len > LONGEST || b.len > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const size_t *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = at(a, i - 1) == at(b, j - 1);
            row[j] = least(row[j - 1] + 1, above[j] + 1,
                           above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && at(a, i - 1) == at(b, j - 2) &&
                at(a, i - 2) == at(b, j - 1) && above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

bool
mfx_nearest_is_near(struct mfx_str wrong, size_t distance)
{
    return distance <= 1 + wrong.len / 4 && distance < wrong.len;
}
