/* A cluster's own certificate authority and what it signs: ECDSA P-256 keys from the machine's random source, valid by
 * the machine's time. Its files lie in one directory, readable by their owner only. */
#pragma once

#include <glib.h>

typedef struct Pki {
    char *directory;
    char *ca_cert, *ca_key;         /* PEM texts, all NUL terminated */
    char *server_cert, *server_key; /* for the API server's addresses */
    char *admin_cert, *admin_key;   /* O=system:masters, CN=kubernetes-admin */
    char *sa_key, *sa_pub;          /* signs service account tokens */
    char *token;                    /* bearer token of the token user */
} Pki;

/* Reads the directory's files, makes those that are missing or expired (and the directory). `names` are the DNS names
 * and addresses that the server certificate must hold; a stored one that lacks any is made anew. */
Pki *pki_open(const char *directory, const char *const *names, GError **error);
void pki_free(Pki *pki);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pki, pki_free)

/* A further client certificate: user name and groups (NULL terminated). Texts are owned by the caller. */
gboolean pki_sign_client(const Pki *pki, const char *user, const char *const *groups, char **ret_cert,
                         char **ret_key, GError **error);
