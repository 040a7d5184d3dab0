#include "core/proxy/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

bool
ip_parse(const char *text, IpAddress *ret_address)
{
    if (text == NULL)
        return false;
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    IpAddress address = {0};
    if (inet_pton(AF_INET, trimmed, address.bytes) == 1)
        address.length = 4;
    else if (inet_pton(AF_INET6, trimmed, address.bytes) == 1)
        address.length = 16;
    else
        return false;
    *ret_address = address;
    return true;
}

bool
ip_in_cidr(const char *ip, const char *cidr)
{
    IpAddress address, network;
    const char *slash = cidr != NULL ? strchr(cidr, '/') : NULL;
    if (slash == NULL || !ip_parse(ip, &address))
        return false;
    g_autofree char *base = g_strndup(cidr, (gsize)(slash - cidr));
    guint64 bits;
    g_autofree char *bits_text = g_strstrip(g_strdup(slash + 1));
    if (!ip_parse(base, &network) || network.length != address.length ||
        !g_ascii_string_to_unsigned(bits_text, 10, 0, address.length * 8u, &bits, NULL))
        return false;
    size_t whole = bits / 8, rest = bits % 8;
    if (memcmp(address.bytes, network.bytes, whole) != 0)
        return false;
    return rest == 0 || ((address.bytes[whole] ^ network.bytes[whole]) >> (8 - rest)) == 0;
}

bool
ip_in_any(const char *ip, char **cidrs)
{
    for (; cidrs != NULL && *cidrs != NULL; cidrs++)
        if (ip_in_cidr(ip, *cidrs))
            return true;
    return false;
}

bool
ip_is_v6(const char *text)
{
    IpAddress address;
    return ip_parse(text, &address) && address.length == 16;
}
