/* SPDX-License-Identifier: BSD-2-Clause */
#include "operator.h"

const struct mfx_control_verb quota_operator_verbs[] = {
    {NULL, NULL, NULL},
};
