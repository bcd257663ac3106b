/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_libspf2_lib.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <netinet/in.h>

#include <spf2/spf.h>

/* Explanations are not read during a run: libspf2 would ask for one at each
 * record that does not pass, includes, too. These stand for them. */
static const char exp_is_there[] = "exp";
static const char exp_is_not_there[] = "none";

struct run {
    SPF_dns_server_t dns;
    const struct mfx_spf_libspf2_source *source;
    const struct mfx_spf_libspf2_person *person;
    SPF_server_t *server;
    SPF_request_t *request;
    SPF_response_t *response;
    struct mfx_spf_libspf2_verdict *verdict;
    const char *current, *text; /* expand */
    struct mfx_buf *out;
    bool ok;
};

/* libspf2's handler of fatal errors must not return and is given nothing to
 * know the run by; a run stays in its thread. */
static _Thread_local struct {
    jmp_buf *back;
    char *problem;
} fatal;

__attribute__((noreturn)) static void
leave(const char *file, int line, const char *text)
{
    (void)file;
    (void)line;
    if (fatal.back == NULL)
        MFX_BUG("an error of libspf2 in no run of ours");
    (void)snprintf(fatal.problem, MFX_SPF_LIBSPF2_PROBLEM, "%s", text);
    longjmp(*fatal.back, 1);
}

/* Before threads are: the handlers are global in libspf2. */
__attribute__((constructor)) static void
set_handlers(void)
{
    SPF_error_handler = leave;
    SPF_warning_handler = NULL;
    SPF_info_handler = NULL;
    SPF_debug_handler = NULL;
}

static bool
guarded(void (*work)(struct run *), struct run *run)
{
    jmp_buf back;
    fatal.back = &back;
    fatal.problem = run->verdict->problem;
    if (setjmp(back) != 0) {
        fatal.back = NULL;
        return false;
    }
    work(run);
    fatal.back = NULL;
    return true;
}

static SPF_dns_stat_t
error_number(const struct mfx_dns_answer *answer)
{
    if (answer == NULL)
        return TRY_AGAIN;
    switch (answer->status) {
    case MFX_DNS_ANSWER:
        return NETDB_SUCCESS;
    case MFX_DNS_NO_NAME:
        return HOST_NOT_FOUND;
    case MFX_DNS_NO_DATA:
        return NO_DATA;
    case MFX_DNS_FAILED:
    case MFX_DNS_TIMEOUT:
    case MFX_DNS_MALFORMED:
        return TRY_AGAIN;
    }
    return TRY_AGAIN;
}

/* Printable, as all that libspf2 is given. */
static void
set_name(char *out, struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        out[i] = name.p[i] > ' ' && name.p[i] <= '~' ? name.p[i]
                                                     : MFX_SPF_LIBSPF2_STAND_IN;
    out[name.len] = '\0';
}

static bool
add_record(SPF_dns_rr_t *rr, const struct mfx_dns_record *record)
{
    int at = rr->num_rr;
    if (SPF_dns_rr_buf_realloc(rr, at, record->text.len + 1) != SPF_E_SUCCESS)
        return false;
    if (record->type == MFX_DNS_A)
        memcpy(&rr->rr[at]->a, record->ip.bytes, 4);
    else if (record->type == MFX_DNS_AAAA)
        memcpy(&rr->rr[at]->aaaa, record->ip.bytes, 16);
    else
        set_name(rr->rr[at]->ptr, record->text);
    rr->num_rr = at + 1;
    return true;
}

static SPF_dns_rr_t *
lookup(SPF_dns_server_t *dns, const char *name, ns_type type, int should_cache)
{
    struct run *run = dns->hook;
    const struct mfx_dns_answer *answer =
        run->source->lookup(run->source->arg, name, (enum mfx_dns_type)type);
    SPF_dns_rr_t *rr =
        SPF_dns_rr_new_init(dns, name, type, 0, error_number(answer));
    (void)should_cache;
    if (rr == NULL || answer == NULL || answer->status != MFX_DNS_ANSWER)
        return rr;
    for (size_t i = 0; i < answer->count; i++)
        if (answer->records[i].type == (enum mfx_dns_type)type &&
            !add_record(rr, &answer->records[i])) {
            SPF_dns_rr_free(rr);
            return NULL; /* libspf2 calls its fatal handler */
        }
    return rr;
}

static SPF_errcode_t
get_record(SPF_server_t *server, SPF_request_t *request,
           SPF_response_t *response, SPF_record_t **record)
{
    struct run *run = server->resolver->hook;
    const char *text = NULL;
    *record = NULL;
    switch (run->source->record(run->source->arg, request->cur_dom, &text)) {
    case MFX_SPF_LIBSPF2_RECORD:
        if (SPF_record_compile(server, response, record, text) != SPF_E_SUCCESS)
            return SPF_E_SYNTAX;
        return SPF_E_SUCCESS;
    case MFX_SPF_LIBSPF2_NO_RECORD:
        response->result = SPF_RESULT_NONE;
        return SPF_E_NOT_SPF;
    case MFX_SPF_LIBSPF2_LATER:
        return SPF_E_DNS_ERROR;
    case MFX_SPF_LIBSPF2_BROKEN:
        break;
    }
    return SPF_E_SYNTAX;
}

static SPF_errcode_t
set_text(char **text, size_t *size, const char *value)
{
    size_t len = strlen(value) + 1;
    char *copy = realloc(*text, len);
    if (copy == NULL)
        return SPF_E_NO_MEMORY;
    memcpy(copy, value, len);
    *text = copy;
    *size = len;
    return SPF_E_SUCCESS;
}

static SPF_errcode_t
get_explanation(SPF_server_t *server, const char *name, char **text,
                size_t *size)
{
    struct run *run = server->resolver->hook;
    run->source->explained_at(run->source->arg, name, run->request->cur_dom);
    return set_text(text, size, exp_is_there);
}

static bool
set_request(struct run *run)
{
    const struct mfx_ip *ip = &run->person->ip;
    struct in_addr v4;
    struct in6_addr v6;
    run->request = SPF_request_new(run->server);
    if (run->request == NULL)
        return false;
    memcpy(&v4, ip->bytes, sizeof(v4));
    memcpy(&v6, ip->bytes, sizeof(v6));
    if (ip->family == MFX_IP_V4)
        SPF_request_set_ipv4(run->request, v4);
    else
        SPF_request_set_ipv6(run->request, v6);
    return SPF_request_set_env_from(run->request, run->person->sender) ==
               SPF_E_SUCCESS &&
           SPF_request_set_helo_dom(run->request, run->person->helo) ==
               SPF_E_SUCCESS;
}

static bool
set_server(struct run *run)
{
    SPF_response_t *said = NULL;
    SPF_errcode_t rc;
    run->dns = (SPF_dns_server_t){.lookup = lookup,
                                  .get_spf = get_record,
                                  .get_exp = get_explanation,
                                  .name = "mfx",
                                  .hook = run};
    run->server = SPF_server_new_dns(&run->dns, 0);
    if (run->server == NULL)
        return false;
    rc = SPF_server_set_explanation(run->server, exp_is_not_there, &said);
    if (said != NULL)
        SPF_response_free(said);
    return rc == SPF_E_SUCCESS &&
           SPF_server_set_rec_dom(run->server, run->person->receiver) ==
               SPF_E_SUCCESS;
}

static void
free_all(struct run *run)
{
    if (run->response != NULL)
        SPF_response_free(run->response);
    if (run->request != NULL)
        SPF_request_free(run->request);
    if (run->server != NULL)
        SPF_server_free(run->server);
}

static enum mfx_spf_result
result_of(const SPF_response_t *response, SPF_errcode_t error)
{
    switch (response->result) {
    case SPF_RESULT_NEUTRAL:
        return MFX_SPF_NEUTRAL;
    case SPF_RESULT_PASS:
        return MFX_SPF_PASS;
    case SPF_RESULT_FAIL:
        return MFX_SPF_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return MFX_SPF_SOFTFAIL;
    case SPF_RESULT_NONE:
        return MFX_SPF_NONE;
    case SPF_RESULT_TEMPERROR:
        return MFX_SPF_TEMPERROR;
    case SPF_RESULT_PERMERROR:
        return MFX_SPF_PERMERROR;
    case SPF_RESULT_INVALID: /* the first record could not be had */
        break;
    }
    return error == SPF_E_DNS_ERROR || error == SPF_E_NO_MEMORY
               ? MFX_SPF_TEMPERROR
               : MFX_SPF_PERMERROR;
}

/* The first error of a record, else the one that ended the run. */
static void
describe(const struct run *run, SPF_errcode_t error)
{
    const char *text = SPF_strerror(error);
    for (int i = SPF_response_messages(run->response) - 1; i >= 0; i--) {
        SPF_error_t *message = SPF_response_message(run->response, i);
        if (SPF_error_errorp(message) && SPF_error_message(message) != NULL)
            text = SPF_error_message(message);
    }
    (void)snprintf(run->verdict->problem, sizeof(run->verdict->problem), "%s",
                   text);
}

static void
ask(struct run *run)
{
    struct mfx_spf_libspf2_verdict *v = run->verdict;
    SPF_errcode_t error;
    const char *explanation;
    if (!set_server(run) || !set_request(run))
        return;
    error = SPF_request_query_mailfrom(run->request, &run->response);
    if (run->response == NULL)
        return;
    v->result = result_of(run->response, error);
    v->is_default = run->response->reason == SPF_REASON_DEFAULT;
    v->terms = (unsigned)run->response->num_dns_mech;
    describe(run, error);
    explanation = SPF_response_get_explanation(run->response);
    v->has_exp = explanation != NULL && strcmp(explanation, exp_is_there) == 0;
}

void
mfx_spf_libspf2_run(const struct mfx_spf_libspf2_source *source,
                    const struct mfx_spf_libspf2_person *person,
                    struct mfx_spf_libspf2_verdict *verdict)
{
    struct run run = {.source = source, .person = person, .verdict = verdict};
    *verdict = (struct mfx_spf_libspf2_verdict){.result = MFX_SPF_TEMPERROR,
                                                .problem = "out of memory"};
    if (!guarded(ask, &run)) {
        verdict->gave_up = true;
        verdict->result = MFX_SPF_TEMPERROR;
        return; /* what it holds may be in any state */
    }
    free_all(&run);
}

static void
expand(struct run *run)
{
    SPF_macro_t *macro = NULL;
    char *text = NULL;
    size_t size = 0;
    if (!set_server(run) || !set_request(run))
        return;
    run->response = SPF_response_new(run->request);
    if (run->response == NULL ||
        SPF_record_compile_macro(run->server, run->response, &macro,
                                 run->text) != SPF_E_SUCCESS)
        return;
    run->request->cur_dom = run->current;
    run->ok =
        SPF_record_expand_data(run->server, run->request, run->response,
                               (SPF_data_t *)(void *)(macro + 1),
                               macro->macro_len, &text, &size) == SPF_E_SUCCESS;
    if (run->ok)
        mfx_buf_add(run->out, mfx_str_of(text));
    free(text);
    SPF_macro_free(macro);
}

bool
mfx_spf_libspf2_expand(const struct mfx_spf_libspf2_source *source,
                       const struct mfx_spf_libspf2_person *person,
                       const char *current, const char *text,
                       struct mfx_buf *out)
{
    struct mfx_spf_libspf2_verdict verdict = {0};
    struct run run = {.source = source,
                      .person = person,
                      .verdict = &verdict,
                      .current = current,
                      .text = text,
                      .out = out};
    if (!guarded(expand, &run))
        return false;
    free_all(&run);
    return run.ok;
}
