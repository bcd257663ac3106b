/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_http - libcurl's transfers on the scanners' loop (not installed)
 *
 *     transfer.easy = curl_easy_init(); ... curl_easy_setopt(...)
 *     transfer.done = done;
 *     mfx_scan_http_begin(http, &transfer)
 *     ... done(&transfer, code) is called, or mfx_scan_http_drop(http, &transfer)
 *
 * An upload whose read function had nothing yet (CURL_READFUNC_PAUSE) goes on by
 * mfx_scan_http_resume. Connections are kept by libcurl, for all transfers of
 * one mfx_scan_http.
 *
 * Ownership: a transfer and its easy handle are the caller's; they do not go
 * between begin and done (or drop). free: when there are none left.
 * Errors: begin: false: out of memory; else by done's code.
 * Threads: new: any; all else: the loop's, or after its end. Never from within a
 * callback of libcurl's; `done` is none.
 */
#ifndef MFX_SCAN_SCAN_HTTP_H
#define MFX_SCAN_SCAN_HTTP_H

#include <curl/curl.h>

#include <mfx/scan/scan_loop.h>

struct mfx_scan_http;

struct mfx_scan_transfer {
    CURL *easy; /* its CURLOPT_PRIVATE and CURLOPT_NOSIGNAL are set here */
    void (*done)(struct mfx_scan_transfer *transfer, CURLcode code);
    bool is_running;
};

/* NULL: out of memory. */
struct mfx_scan_http *mfx_scan_http_new(struct mfx_scan_loop *loop);
/* NULL is allowed. */
void mfx_scan_http_free(struct mfx_scan_http *http);

bool mfx_scan_http_begin(struct mfx_scan_http *http,
                         struct mfx_scan_transfer *transfer) MFX_NODISCARD;
/* It ends, and `done` is not called. One that does not run: nothing happens. */
void mfx_scan_http_drop(struct mfx_scan_http *http,
                        struct mfx_scan_transfer *transfer);
void mfx_scan_http_resume(struct mfx_scan_http *http,
                          struct mfx_scan_transfer *transfer);

#endif
