/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_script.h>

#include <openssl/evp.h>

/* In this order: the blank lines keep them from being sorted. */
static const char uses[] = {
#include "libmfx/store/redis_head.inc"

#include "libmfx/store/redis_plain.inc"

#include "libmfx/store/redis_windows.inc"

#include "libmfx/store/redis_uses.inc"
};

static const char elements[] = {
#include "libmfx/store/redis_head.inc"

#include "libmfx/store/redis_windows.inc"

#include "libmfx/store/redis_elements.inc"

#include "libmfx/store/redis_uses.inc"
};

static const char other[] = {
#include "libmfx/store/redis_other.inc"
};

enum mfx_rc
mfx_redis_scripts_init(struct mfx_redis_scripts *scripts)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    *scripts = (struct mfx_redis_scripts){
        .text = {mfx_str(uses, sizeof uses - 1),
                 mfx_str(elements, sizeof elements - 1),
                 mfx_str(other, sizeof other - 1)},
    };
    for (size_t i = 0; i < MFX_REDIS_SCRIPT_COUNT; i++) {
        if (EVP_Digest(scripts->text[i].p, scripts->text[i].len, digest, NULL,
                       EVP_sha1(), NULL) != 1)
            return MFX_TEMPFAIL;
        for (size_t at = 0; at < MFX_REDIS_SHA_TEXT - 1; at++) {
            unsigned octet = digest[at / 2];
            scripts->sha[i][at] = hex[at % 2 == 0 ? octet >> 4 : octet & 15];
        }
    }
    return MFX_OK;
}
