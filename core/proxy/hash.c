#include "core/proxy/hash.h"

#include <string.h>

#define NFT_NAME_MAX 108 /* pkg/proxy/nftables: what is left of nft's 127 beside the prefixes */

/* The first `length` characters of base32(sha256(text)). */
static void
hash32(const char *text, char *ret_characters, size_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    guint8 digest[32];
    gsize size = sizeof digest;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, digest, &size);
    g_checksum_free(sum);
    for (size_t i = 0; i < length; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        ret_characters[i] = alphabet[(pair >> (11 - bit % 8)) & 31];
    }
    ret_characters[length] = '\0';
}

char *
proxy_port_hash(const ProxyPort *port)
{
    char hash[17];
    g_autofree char *text = g_strconcat(port->name, proxy_protocol_name(port->protocol), NULL);
    hash32(text, hash, 16);
    return g_strdup(hash);
}

char *
proxy_endpoint_chain(const ProxyPort *port, const char *address)
{
    char hash[17];
    g_autofree char *text =
        g_strconcat(port->name, proxy_protocol_name(port->protocol), address, NULL);
    hash32(text, hash, 16);
    return g_strconcat("KUBE-SEP-", hash, NULL);
}

static char *
hash_and_cut(const char *name)
{
    char hash[9];
    hash32(name, hash, 8);
    char *full = g_strconcat(hash, "-", name, NULL);
    if (strlen(full) > NFT_NAME_MAX)
        memcpy(full + NFT_NAME_MAX - 3, "...", 4);
    return full;
}

char *
proxy_port_nft_name(const ProxyPort *port, const char *port_name)
{
    g_autofree char *name = g_strdup_printf("%s/%s/%s/%s", port->namespace_, port->service,
                                            proxy_protocol_name(port->protocol), port_name);
    return hash_and_cut(name);
}

char *
proxy_endpoint_nft_name(const ProxyPort *port, const char *ip, uint16_t number)
{
    const char *colon = strchr(port->name, ':');
    g_autofree char *name = g_strdup_printf("%s/%s/%s/%s__%s/%u", port->namespace_, port->service,
                                            proxy_protocol_name(port->protocol),
                                            colon != NULL ? colon + 1 : "", ip, (unsigned)number);
    g_strdelimit(name, ":", '.');
    return hash_and_cut(name);
}
