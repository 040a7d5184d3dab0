/* The few rtnetlink requests that a node's network needs; each is answered before the call returns. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

typedef struct Message {
    struct nlmsghdr header;
    char body[1024];
} Message;

int
netlink_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void *
message_end(Message *message)
{
    return (char *)message + NLMSG_ALIGN(message->header.nlmsg_len);
}

static void
message_begin(Message *message, uint16_t type, uint16_t flags, const void *family, size_t size)
{
    memset(message, 0, sizeof *message);
    message->header = (struct nlmsghdr){.nlmsg_len = NLMSG_LENGTH(0), .nlmsg_type = type,
                                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags, .nlmsg_seq = 1};
    memcpy(message_end(message), family, size);
    message->header.nlmsg_len += (uint32_t)NLMSG_ALIGN(size);
}

static struct rtattr *
message_add(Message *message, uint16_t type, const void *bytes, size_t size)
{
    struct rtattr *attribute = message_end(message);
    g_assert(NLMSG_ALIGN(message->header.nlmsg_len) + RTA_SPACE(size) <= sizeof *message);
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), bytes, size);
    message->header.nlmsg_len = NLMSG_ALIGN(message->header.nlmsg_len) + (uint32_t)RTA_SPACE(size);
    return attribute;
}

static void
message_close(Message *message, struct rtattr *attribute)
{
    attribute->rta_len = (uint16_t)((char *)message_end(message) - (char *)attribute);
}

static bool
message_send(int fd, Message *message)
{
    char answer[4096];
    if (send(fd, message, message->header.nlmsg_len, 0) < 0)
        return false;
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    struct nlmsghdr header;
    struct nlmsgerr status;
    if (got < (ssize_t)NLMSG_LENGTH(sizeof status)) {
        errno = EIO;
        return false;
    }
    memcpy(&header, answer, sizeof header);
    memcpy(&status, answer + NLMSG_LENGTH(0), sizeof status);
    errno = header.nlmsg_type == NLMSG_ERROR ? -status.error : EIO;
    return errno == 0;
}

bool
netlink_link_up(int fd, const char *link)
{
    const struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(link), .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    Message message;
    message_begin(&message, RTM_NEWLINK, 0, &info, sizeof info);
    return message_send(fd, &message);
}

bool
netlink_delete_link(int fd, const char *link)
{
    const struct ifinfomsg info = {.ifi_index = (int)if_nametoindex(link)};
    Message message;
    if (info.ifi_index == 0)
        return true;
    message_begin(&message, RTM_DELLINK, 0, &info, sizeof info);
    return message_send(fd, &message);
}

bool
netlink_add_veth(int fd, const char *name, const char *peer, int peer_ns)
{
    const struct ifinfomsg info = {0};
    Message message;
    message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    message_add(&message, IFLA_IFNAME, name, strlen(name) + 1);
    struct rtattr *link = message_add(&message, IFLA_LINKINFO, NULL, 0);
    message_add(&message, IFLA_INFO_KIND, "veth", 5);
    struct rtattr *data = message_add(&message, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *other = message_add(&message, VETH_INFO_PEER, &info, sizeof info);
    message_add(&message, IFLA_IFNAME, peer, strlen(peer) + 1);
    message_add(&message, IFLA_NET_NS_FD, &peer_ns, sizeof peer_ns);
    message_close(&message, other);
    message_close(&message, data);
    message_close(&message, link);
    return message_send(fd, &message);
}

bool
netlink_add_address(int fd, const char *link, uint32_t address, int prefix)
{
    const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)prefix,
                                   .ifa_index = if_nametoindex(link)};
    uint32_t bytes = htonl(address);
    Message message;
    message_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    message_add(&message, IFA_LOCAL, &bytes, sizeof bytes);
    message_add(&message, IFA_ADDRESS, &bytes, sizeof bytes);
    return message_send(fd, &message);
}

bool
netlink_add_route(int fd, const char *link, uint32_t destination, int prefix, uint32_t gateway, uint32_t source)
{
    const struct rtmsg info = {.rtm_family = AF_INET, .rtm_dst_len = (uint8_t)prefix, .rtm_table = RT_TABLE_MAIN,
                               .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST,
                               .rtm_scope = gateway == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE};
    uint32_t index = if_nametoindex(link), bytes;
    Message message;
    message_begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    if (prefix > 0) {
        bytes = htonl(destination);
        message_add(&message, RTA_DST, &bytes, sizeof bytes);
    }
    if (gateway != 0) {
        bytes = htonl(gateway);
        message_add(&message, RTA_GATEWAY, &bytes, sizeof bytes);
    }
    if (source != 0) {
        bytes = htonl(source);
        message_add(&message, RTA_PREFSRC, &bytes, sizeof bytes);
    }
    message_add(&message, RTA_OIF, &index, sizeof index);
    return message_send(fd, &message);
}
