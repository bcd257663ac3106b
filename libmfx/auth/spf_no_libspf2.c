/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_engine.h>

const struct mfx_spf_engine_ops *
mfx_spf_engine_libspf2(void)
{
    return NULL;
}
