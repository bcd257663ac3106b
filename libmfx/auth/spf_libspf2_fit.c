/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sizes of libspf2's compiled form (its spf_record.h): 4 octets for each
 * mechanism, macro, pair of prefix lengths and piece of text; modifiers with
 * their names; everything aligned to 4.
 */
#include <mfx/auth/spf_libspf2_lib.h>

enum {
    UNIT = 4,
    IPV4 = 4,
    IPV6 = 16,
};

static size_t
aligned(size_t len)
{
    return (len + UNIT - 1) / UNIT * UNIT;
}

struct measure {
    size_t total, literal;
    bool fits;
};

static void
end_literal(struct measure *m)
{
    if (m->literal > 0)
        m->total += aligned(UNIT + m->literal);
    if (m->literal > MFX_SPF_LIBSPF2_LITERAL_MAX)
        m->fits = false;
    m->literal = 0;
}

/* Reversed and then escaped, as "%{Dr}": 1.2.10 as released takes its room for
 * the part it reversed last, and writes all of them. */
static bool
is_overrunning(struct mfx_str macro)
{
    return macro.len > 2 && macro.p[2] >= 'A' && macro.p[2] <= 'Z' &&
           (mfx_str_has(mfx_str_from(macro, 3), 'r') ||
            mfx_str_has(mfx_str_from(macro, 3), 'R'));
}

/* "%%", "%_" and a blank become one octet, "%-" three. */
static size_t
measure_escape(struct measure *m, struct mfx_str rest)
{
    if (rest.len > 1 && rest.p[1] == '{') {
        size_t end = mfx_str_find(rest, '}');
        end_literal(m);
        m->total += UNIT;
        if (is_overrunning(mfx_str_head(rest, end)))
            m->fits = false;
        return end + 1;
    }
    m->literal += rest.len > 1 && rest.p[1] == '-' ? 3 : 1;
    return 2;
}

/* What a macro string takes; false when it is more than `max` on the way:
 * libspf2 writes first and looks then. */
static bool
measure_string(struct mfx_str s, size_t max, size_t *size)
{
    struct measure m = {.fits = true};
    for (size_t at = 0; at < s.len && m.fits;) {
        if (s.p[at] == '%')
            at += measure_escape(&m, mfx_str_from(s, at));
        else {
            m.literal++;
            at++;
        }
        if (m.total + aligned(UNIT + m.literal) > max)
            m.fits = false;
    }
    end_literal(&m);
    *size += m.total;
    return m.fits && m.total <= max;
}

static bool
measure_mechanism(const struct mfx_spf_term *term, size_t *size)
{
    size_t max = MFX_SPF_LIBSPF2_COMPILED_MAX - 2 * UNIT;
    *size += UNIT;
    if (term->kind == MFX_SPF_IP4)
        *size += IPV4;
    if (term->kind == MFX_SPF_IP6)
        *size += IPV6;
    if ((term->kind == MFX_SPF_A || term->kind == MFX_SPF_MX) &&
        (term->cidr4 != 32 || term->cidr6 != 128))
        *size += UNIT;
    return measure_string(term->domain_spec, max, size);
}

static bool
measure_modifier(const struct mfx_spf_term *term, size_t *size)
{
    size_t max = MFX_SPF_LIBSPF2_COMPILED_MAX - 2 * UNIT;
    *size += aligned(UNIT + mfx_str_find(term->text, '='));
    return *size <= MFX_SPF_LIBSPF2_COMPILED_MAX &&
           measure_string(term->domain_spec, max, size);
}

/* What does not fit is left out in silence by libspf2, "-all" included. */
bool
mfx_spf_libspf2_holds(struct mfx_str record)
{
    struct mfx_spf_term term;
    size_t at = 0, mechanisms = 0, modifiers = 0;
    while (mfx_spf_record_next(record, &at, &term)) {
        bool is_modifier =
            term.kind == MFX_SPF_EXPLANATION || term.kind == MFX_SPF_UNKNOWN;
        if (!is_modifier && mechanisms + UNIT > MFX_SPF_LIBSPF2_COMPILED_MAX)
            return false;
        if (is_modifier ? !measure_modifier(&term, &modifiers)
                        : !measure_mechanism(&term, &mechanisms))
            return false;
    }
    return true;
}

bool
mfx_spf_libspf2_holds_text(struct mfx_str text)
{
    size_t size = 0;
    return measure_string(text, MFX_SPF_LIBSPF2_COMPILED_MAX - 4 * UNIT, &size);
}
