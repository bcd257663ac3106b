/* SPDX-License-Identifier: BSD-2-Clause
 *
 * certs - certificates for tests with TLS
 *
 *     certs_make(&certs);   a folder of its own: an authority, and certificates
 *     ... certs_path(&certs, "good.pem", path) ...
 *     certs_remove(&certs);
 *
 * Files (certificate, then its key): ca.pem, good.pem (peer.test,
 * localhost, 127.0.0.1, ::1), other.pem (other.test), expired.pem, early.pem,
 * alone.pem (self-signed, the names of good.pem), client.pem.
 */
#ifndef MFX_T_CERTS_H
#define MFX_T_CERTS_H

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct certs {
    char dir[64];
    X509 *ca;
    EVP_PKEY *ca_key;
    long serial;
};

enum {
    CERTS_PATH = 100,
    CERTS_DAY = 24 * 3600,
};

static inline const char *
certs_path(const struct certs *certs, const char *name, char path[CERTS_PATH])
{
    (void)snprintf(path, CERTS_PATH, "%s/%s", certs->dir, name);
    return path;
}

static inline void
certs_extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    (void)X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static inline bool
certs_write(const struct certs *certs, const char *file, X509 *cert,
            EVP_PKEY *key)
{
    char path[CERTS_PATH];
    FILE *out = fopen(certs_path(certs, file, path), "w");
    if (out == NULL)
        return false;
    bool is_written =
        PEM_write_X509(out, cert) == 1 &&
        PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
    return fclose(out) == 0 && is_written;
}

/* Valid for a day, from `from_s` seconds after now. Signed by the authority,
 * or by itself while there is none. */
static inline bool
certs_add(struct certs *certs, const char *file, const char *names, long from_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), ++certs->serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), from_s + CERTS_DAY);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)file, -1, -1, 0);
    (void)X509_set_pubkey(cert, key);
    certs_extend(cert, NID_basic_constraints,
                 names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL)
        certs_extend(cert, NID_subject_alt_name, names);
    X509 *issuer = certs->ca == NULL ? cert : certs->ca;
    EVP_PKEY *signer = certs->ca == NULL ? key : certs->ca_key;
    (void)X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    bool is_made = X509_sign(cert, signer, EVP_sha256()) != 0 &&
                   certs_write(certs, file, cert, key);
    if (certs->ca == NULL && names == NULL) {
        certs->ca = cert;
        certs->ca_key = key;
        return is_made;
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return is_made;
}

static inline bool
certs_make(struct certs *certs)
{
    static const char names[] =
        "DNS:peer.test,DNS:localhost,IP:127.0.0.1,IP:::1";
    *certs = (struct certs){.dir = "/tmp/mfx-certs-XXXXXX"};
    return mkdtemp(certs->dir) != NULL &&
           certs_add(certs, "alone.pem", names, -3600) &&
           certs_add(certs, "ca.pem", NULL, -3600) &&
           certs_add(certs, "good.pem", names, -3600) &&
           certs_add(certs, "other.pem", "DNS:other.test", -3600) &&
           certs_add(certs, "client.pem", "DNS:client.test", -3600) &&
           certs_add(certs, "early.pem", names, CERTS_DAY) &&
           certs_add(certs, "expired.pem", names, -3L * CERTS_DAY);
}

static inline void
certs_remove(struct certs *certs)
{
    char path[400];
    DIR *dir = opendir(certs->dir);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof path, "%s/%s", certs->dir, e->d_name);
        (void)unlink(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(certs->dir);
    X509_free(certs->ca);
    EVP_PKEY_free(certs->ca_key);
}

#endif
