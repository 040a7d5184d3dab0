#include "sim/backend/host/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/error.h"

#define CA_DAYS 3650
#define LEAF_DAYS 365
#define RENEW_BEFORE_S (30 * 24 * 3600)
#define DAY_S (24 * 3600)
#define PEM_MAX 8192

G_DEFINE_AUTO_CLEANUP_FREE_FUNC(gnutls_x509_crt_t, gnutls_x509_crt_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(gnutls_x509_privkey_t, gnutls_x509_privkey_deinit, NULL)

/* What a certificate is for. */
typedef struct Subject {
    const char *common_name;
    const char *const *organizations; /* NULL terminated, or NULL */
    const char *const *names;         /* of a server; NULL for a client */
    gboolean authority;
    int days;
} Subject;

static gboolean
tls_fail(GError **error, const char *what, int code)
{
    return fail(error, TIMONEL_ERROR_IO, "certificates: %s: %s", what, gnutls_strerror(code));
}

void
pki_free(Pki *pki)
{
    if (pki == NULL)
        return;
    char *texts[] = {pki->directory,  pki->ca_cert,   pki->ca_key, pki->server_cert,
                     pki->server_key, pki->admin_cert, pki->admin_key, pki->sa_key,
                     pki->sa_pub,     pki->token};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(pki);
}

/* ---- keys and certificates as texts -------------------------------------------------------------------- */

static char *
key_pem(gnutls_x509_privkey_t key)
{
    char *text = g_malloc0(PEM_MAX);
    size_t size = PEM_MAX - 1;
    int code = gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                text, &size);
    g_assert(code == 0);
    return text;
}

static gboolean
key_read(const char *pem, gnutls_x509_privkey_t *ret_key, GError **error)
{
    gnutls_x509_privkey_t key;
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)};
    gnutls_x509_privkey_init(&key);
    int code = gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0) {
        gnutls_x509_privkey_deinit(key);
        return tls_fail(error, "read a private key", code);
    }
    *ret_key = key;
    return TRUE;
}

static gboolean
cert_read(const char *pem, gnutls_x509_crt_t *ret_cert, GError **error)
{
    gnutls_x509_crt_t cert;
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)};
    gnutls_x509_crt_init(&cert);
    int code = gnutls_x509_crt_import(cert, &text, GNUTLS_X509_FMT_PEM);
    if (code < 0) {
        gnutls_x509_crt_deinit(cert);
        return tls_fail(error, "read a certificate", code);
    }
    *ret_cert = cert;
    return TRUE;
}

static gboolean
key_make(char **ret_pem, GError **error)
{
    g_auto(gnutls_x509_privkey_t) key = NULL;
    gnutls_x509_privkey_init(&key);
    int code = gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code < 0)
        return tls_fail(error, "make a private key", code);
    *ret_pem = key_pem(key);
    return TRUE;
}

static void
add_server_names(gnutls_x509_crt_t cert, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        unsigned char address[16];
        if (inet_pton(AF_INET, names[i], address) == 1)
            gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, address, 4,
                                                 GNUTLS_FSAN_APPEND);
        else if (inet_pton(AF_INET6, names[i], address) == 1)
            gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, address, 16,
                                                 GNUTLS_FSAN_APPEND);
        else
            gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, names[i],
                                                 (unsigned)strlen(names[i]), GNUTLS_FSAN_APPEND);
    }
}

static void
describe(gnutls_x509_crt_t cert, const Subject *subject)
{
    unsigned char serial[16];
    gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7f;
    time_t now = time(NULL);
    gnutls_x509_crt_set_version(cert, 3);
    gnutls_x509_crt_set_serial(cert, serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(cert, now - 3600);
    gnutls_x509_crt_set_expiration_time(cert, now + (time_t)subject->days * DAY_S);
    gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, subject->common_name,
                                  (unsigned)strlen(subject->common_name));
    for (size_t i = 0; subject->organizations != NULL && subject->organizations[i] != NULL; i++)
        gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
                                      subject->organizations[i],
                                      (unsigned)strlen(subject->organizations[i]));
    gnutls_x509_crt_set_basic_constraints(cert, subject->authority ? 1 : 0, -1);
    if (subject->authority) {
        gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN |
                                                GNUTLS_KEY_DIGITAL_SIGNATURE);
        return;
    }
    gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
    const char *purpose =
        subject->names != NULL ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_x509_crt_set_key_purpose_oid(cert, purpose, 0);
    add_server_names(cert, subject->names);
}

/* Signs by the authority, or by itself when ca_cert is NULL. */
static gboolean
cert_make(const Subject *subject, const char *key_text, const char *ca_cert, const char *ca_key,
          char **ret_pem, GError **error)
{
    g_auto(gnutls_x509_privkey_t) key = NULL, issuer_key = NULL;
    g_auto(gnutls_x509_crt_t) cert = NULL, issuer = NULL;
    if (!key_read(key_text, &key, error))
        return FALSE;
    gnutls_x509_crt_init(&cert);
    describe(cert, subject);
    gnutls_x509_crt_set_key(cert, key);
    unsigned char id[20];
    size_t id_size = sizeof id;
    if (gnutls_x509_crt_get_key_id(cert, 0, id, &id_size) == 0)
        gnutls_x509_crt_set_subject_key_id(cert, id, id_size);
    int code;
    if (ca_cert == NULL) {
        code = gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
    } else {
        if (!cert_read(ca_cert, &issuer, error) || !key_read(ca_key, &issuer_key, error))
            return FALSE;
        id_size = sizeof id;
        if (gnutls_x509_crt_get_subject_key_id(issuer, id, &id_size, NULL) == 0)
            gnutls_x509_crt_set_authority_key_id(cert, id, id_size);
        code = gnutls_x509_crt_sign2(cert, issuer, issuer_key, GNUTLS_DIG_SHA256, 0);
    }
    if (code < 0)
        return tls_fail(error, "sign a certificate", code);
    char *text = g_malloc0(PEM_MAX);
    size_t size = PEM_MAX - 1;
    gnutls_x509_crt_export(cert, GNUTLS_X509_FMT_PEM, text, &size);
    *ret_pem = text;
    return TRUE;
}

/* ---- files ------------------------------------------------------------------------------------------------ */

static char *
file_path(const char *directory, const char *file)
{
    return g_build_filename(directory, file, NULL);
}

static char *
file_read(const char *directory, const char *file)
{
    g_autofree char *path = file_path(directory, file);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static gboolean
file_write(const char *directory, const char *file, const char *text, GError **error)
{
    g_autofree char *path = file_path(directory, file);
    return g_file_set_contents_full(path, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

static gboolean
cert_holds_names(gnutls_x509_crt_t cert, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        if (!gnutls_x509_crt_check_hostname(cert, names[i]))
            return FALSE;
    return TRUE;
}

/* Is it there, not about to expire, of this key and authority, and does it hold the names? */
static gboolean
cert_is_good(const char *pem, const char *ca_pem, const char *const *names)
{
    g_auto(gnutls_x509_crt_t) cert = NULL, authority = NULL;
    if (pem == NULL || !cert_read(pem, &cert, NULL))
        return FALSE;
    if (gnutls_x509_crt_get_expiration_time(cert) < time(NULL) + RENEW_BEFORE_S)
        return FALSE;
    if (!cert_holds_names(cert, names))
        return FALSE;
    if (ca_pem == NULL)
        return TRUE;
    unsigned status = 1;
    return cert_read(ca_pem, &authority, NULL) &&
           gnutls_x509_crt_verify(cert, &authority, 1, 0, &status) == 0 && status == 0;
}

static gboolean
key_ensure(const char *directory, const char *file, char **slot, GError **error)
{
    *slot = file_read(directory, file);
    return *slot != NULL || (key_make(slot, error) && file_write(directory, file, *slot, error));
}

static gboolean
cert_ensure(Pki *pki, const char *file, const Subject *subject, const char *key, char **slot,
            GError **error)
{
    *slot = file_read(pki->directory, file);
    if (cert_is_good(*slot, subject->authority ? NULL : pki->ca_cert, subject->names))
        return TRUE;
    g_clear_pointer(slot, g_free);
    const char *ca_cert = subject->authority ? NULL : pki->ca_cert;
    return cert_make(subject, key, ca_cert, pki->ca_key, slot, error) &&
           file_write(pki->directory, file, *slot, error);
}

static gboolean
token_ensure(Pki *pki, GError **error)
{
    pki->token = file_read(pki->directory, "token");
    if (pki->token != NULL && strlen(pki->token) >= 32)
        return TRUE;
    g_free(pki->token);
    unsigned char bytes[24];
    gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof bytes);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < sizeof bytes; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    pki->token = g_string_free(text, FALSE);
    return file_write(pki->directory, "token", pki->token, error);
}

/* The public half, for whoever checks tokens. */
static gboolean
public_key_of(const char *key_text, char **ret_pem, GError **error)
{
    g_auto(gnutls_x509_privkey_t) key = NULL;
    if (!key_read(key_text, &key, error))
        return FALSE;
    gnutls_privkey_t private_;
    gnutls_pubkey_t public_;
    gnutls_privkey_init(&private_);
    gnutls_pubkey_init(&public_);
    gnutls_privkey_import_x509(private_, key, 0);
    int code = gnutls_pubkey_import_privkey(public_, private_, 0, 0);
    char *text = g_malloc0(PEM_MAX);
    size_t size = PEM_MAX - 1;
    if (code >= 0)
        code = gnutls_pubkey_export(public_, GNUTLS_X509_FMT_PEM, text, &size);
    gnutls_pubkey_deinit(public_);
    gnutls_privkey_deinit(private_);
    if (code < 0) {
        g_free(text);
        return tls_fail(error, "export a public key", code);
    }
    *ret_pem = text;
    return TRUE;
}

Pki *
pki_open(const char *directory, const char *const *names, GError **error)
{
    static const char *const MASTERS[] = {"system:masters", NULL};
    if (g_mkdir_with_parents(directory, 0700) != 0) {
        fail(error, TIMONEL_ERROR_IO, "make folder %s: %s", directory, g_strerror(errno));
        return NULL;
    }
    g_autoptr(Pki) pki = g_new0(Pki, 1);
    pki->directory = g_strdup(directory);
    const Subject ca = {.common_name = "kubernetes", .authority = TRUE, .days = CA_DAYS};
    const Subject server = {.common_name = "kube-apiserver", .names = names, .days = LEAF_DAYS};
    const Subject admin = {
        .common_name = "kubernetes-admin", .organizations = MASTERS, .days = LEAF_DAYS};
    if (!key_ensure(directory, "ca.key.pem", &pki->ca_key, error) ||
        !cert_ensure(pki, "ca.pem", &ca, pki->ca_key, &pki->ca_cert, error) ||
        !key_ensure(directory, "apiserver.key.pem", &pki->server_key, error) ||
        !cert_ensure(pki, "apiserver.pem", &server, pki->server_key, &pki->server_cert, error) ||
        !key_ensure(directory, "admin.key.pem", &pki->admin_key, error) ||
        !cert_ensure(pki, "admin.pem", &admin, pki->admin_key, &pki->admin_cert, error) ||
        !key_ensure(directory, "sa.key.pem", &pki->sa_key, error) ||
        !public_key_of(pki->sa_key, &pki->sa_pub, error) || !token_ensure(pki, error))
        return NULL;
    return g_steal_pointer(&pki);
}

gboolean
pki_sign_client(const Pki *pki, const char *user, const char *const *groups, char **ret_cert,
                char **ret_key, GError **error)
{
    const Subject subject = {.common_name = user, .organizations = groups, .days = LEAF_DAYS};
    g_autofree char *key = NULL;
    if (!key_make(&key, error) ||
        !cert_make(&subject, key, pki->ca_cert, pki->ca_key, ret_cert, error))
        return FALSE;
    *ret_key = g_steal_pointer(&key);
    return TRUE;
}
