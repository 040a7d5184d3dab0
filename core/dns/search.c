/* What a resolver makes of a name that a person typed (glibc's resolv.conf(5)). */
#include <string.h>

#include "core/dns/records.h"

#define SEARCH_MAX 32 /* Kubernetes' MaxDNSSearchPaths */

char **
dns_search_path(const char *namespace_, const char *domain)
{
    char **path = g_new0(char *, 4);
    path[0] = g_strdup_printf("%s.svc.%s", namespace_, domain);
    path[1] = g_strdup_printf("svc.%s", domain);
    path[2] = g_strdup(domain);
    return path;
}

static void
add_name(GPtrArray *names, char *take)
{
    if (strlen(take) < DNS_NAME_MAX)
        g_ptr_array_add(names, take);
    else
        g_free(take);
}

char **
dns_search_names(const char *name, const char *const *search, unsigned ndots)
{
    GPtrArray *names = g_ptr_array_new();
    size_t length = strlen(name);
    unsigned dots = 0;
    for (const char *p = name; *p != '\0'; p++)
        dots += *p == '.' ? 1 : 0;
    bool absolute = length > 0 && name[length - 1] == '.';
    g_autofree char *plain = absolute ? g_strndup(name, length - 1) : g_strdup(name);
    if (absolute || dots >= ndots)
        add_name(names, g_strdup(plain));
    for (unsigned i = 0; !absolute && search != NULL && search[i] != NULL && i < SEARCH_MAX; i++)
        add_name(names, g_strconcat(plain, ".", search[i], NULL));
    if (!absolute && dots < ndots)
        add_name(names, g_strdup(plain));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
