#include "core/port/net.h"

const char *
net_status_text(NetStatus status)
{
    switch (status) {
    case NET_OK:
        return "ok";
    case NET_REFUSED:
        return "connect: connection refused";
    case NET_TIMEOUT:
        return "i/o timeout";
    case NET_RESET:
        return "read: connection reset by peer";
    case NET_UNREACHABLE:
        return "connect: no route to host";
    }
    g_assert_not_reached();
}
