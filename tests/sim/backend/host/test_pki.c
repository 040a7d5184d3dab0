#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/backend/host/pki.h"
#include "tests/sim/backend/host/suites.h"

static const char *const NAMES[] = {"127.0.0.1", "localhost", NULL};

static char *
directory_new(void)
{
    g_autofree char *parent = g_dir_make_tmp("timonel-pki-XXXXXX", NULL);
    return g_build_filename(parent, "pki", NULL);
}

static void
directory_free(char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_autofree char *parent = g_path_get_dirname(path);
    g_rmdir(path);
    g_rmdir(parent);
    g_free(path);
}

static Pki *
open_with(const char *directory, const char *const *names)
{
    g_autoptr(GError) error = NULL;
    Pki *pki = pki_open(directory, names, &error);
    g_assert_no_error(error);
    return pki;
}

static gnutls_x509_crt_t
read_cert(const char *pem)
{
    gnutls_x509_crt_t cert;
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)};
    gnutls_x509_crt_init(&cert);
    ck_assert_int_eq(gnutls_x509_crt_import(cert, &text, GNUTLS_X509_FMT_PEM), 0);
    return cert;
}

static bool
holds_name(const char *pem, const char *name)
{
    gnutls_x509_crt_t cert = read_cert(pem);
    bool holds = gnutls_x509_crt_check_hostname2(cert, name, 0) != 0;
    gnutls_x509_crt_deinit(cert);
    return holds;
}

START_TEST(its_files_are_made_once)
{
    char *directory = directory_new();
    g_autoptr(Pki) first = open_with(directory, NAMES);
    g_autoptr(Pki) second = open_with(directory, NAMES);
    ck_assert_str_eq(first->ca_cert, second->ca_cert);
    ck_assert_str_eq(first->server_cert, second->server_cert);
    ck_assert_str_eq(first->admin_key, second->admin_key);
    ck_assert_str_eq(first->sa_key, second->sa_key);
    ck_assert_str_eq(first->token, second->token);
    directory_free(directory);
}
END_TEST

START_TEST(two_directories_share_no_secret)
{
    char *a = directory_new(), *b = directory_new();
    g_autoptr(Pki) first = open_with(a, NAMES);
    g_autoptr(Pki) second = open_with(b, NAMES);
    ck_assert_str_ne(first->ca_key, second->ca_key);
    ck_assert_str_ne(first->token, second->token);
    ck_assert_uint_ge(strlen(first->token), 32);
    directory_free(a);
    directory_free(b);
}
END_TEST

START_TEST(a_new_name_renews_the_server_certificate_only)
{
    static const char *const more[] = {"127.0.0.1", "192.168.0.9", NULL};
    char *directory = directory_new();
    g_autoptr(Pki) first = open_with(directory, NAMES);
    g_autoptr(Pki) second = open_with(directory, more);
    ck_assert(holds_name(first->server_cert, "127.0.0.1"));
    ck_assert(!holds_name(first->server_cert, "192.168.0.9"));
    ck_assert(holds_name(second->server_cert, "192.168.0.9"));
    ck_assert_str_eq(first->ca_cert, second->ca_cert);
    ck_assert_str_eq(first->admin_cert, second->admin_cert);
    ck_assert_str_eq(first->token, second->token);
    directory_free(directory);
}
END_TEST

START_TEST(only_the_owner_reads_its_files)
{
    char *directory = directory_new();
    g_autoptr(Pki) pki = open_with(directory, NAMES);
    struct stat info;
    ck_assert_int_eq(stat(directory, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    int files = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; files++) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        ck_assert_int_eq(stat(path, &info), 0);
        ck_assert_msg((info.st_mode & 0777) == 0600, "%s has mode %o", name, info.st_mode & 0777);
    }
    ck_assert_int_ge(files, 7);
    directory_free(directory);
}
END_TEST

START_TEST(the_authority_signs_server_admin_and_clients)
{
    static const char *const groups[] = {"developers", NULL};
    char *directory = directory_new();
    g_autoptr(Pki) pki = open_with(directory, NAMES);
    g_autofree char *cert = NULL, *key = NULL;
    ck_assert(pki_sign_client(pki, "jane", groups, &cert, &key, NULL));
    const char *const signed_texts[] = {pki->server_cert, pki->admin_cert, cert};
    gnutls_x509_crt_t authority = read_cert(pki->ca_cert);
    for (size_t i = 0; i < G_N_ELEMENTS(signed_texts); i++) {
        gnutls_x509_crt_t one = read_cert(signed_texts[i]);
        unsigned status = 1;
        ck_assert_int_eq(gnutls_x509_crt_verify(one, &authority, 1, 0, &status), 0);
        ck_assert_uint_eq(status, 0);
        gnutls_x509_crt_deinit(one);
    }
    gnutls_x509_crt_deinit(authority);
    directory_free(directory);
}
END_TEST

START_TEST(a_damaged_file_is_made_anew_or_named)
{
    char *directory = directory_new();
    g_autofree char *path = g_build_filename(directory, "apiserver.pem", NULL);
    pki_free(open_with(directory, NAMES));
    ck_assert(g_file_set_contents(path, "nonsense", -1, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(Pki) again = pki_open(directory, NAMES, &error);
    if (again != NULL)
        ck_assert(holds_name(again->server_cert, "localhost"));
    else
        ck_assert_ptr_nonnull(strstr(error->message, "apiserver.pem"));
    directory_free(directory);
}
END_TEST

TCase *
pki_case(void)
{
    return test_case("pki", its_files_are_made_once, two_directories_share_no_secret,
                     a_new_name_renews_the_server_certificate_only, only_the_owner_reads_its_files,
                     the_authority_signs_server_admin_and_clients,
                     a_damaged_file_is_made_anew_or_named);
}
