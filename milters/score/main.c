/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

int
main(int argc, char **argv)
{
    return mfx_main(argc, argv, &score_filter);
}
