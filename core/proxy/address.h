/* IP addresses and prefixes, as little as rules need. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct IpAddress {
    uint8_t bytes[16];
    uint8_t length; /* 4 or 16; 0: none */
} IpAddress;

/* Spaces around are forgiven. False for anything but an address. */
bool ip_parse(const char *text, IpAddress *ret_address);
/* "10.0.0.0/8". False when either is malformed, or the families differ. */
bool ip_in_cidr(const char *ip, const char *cidr);
bool ip_in_any(const char *ip, char **cidrs); /* NULL: no */
bool ip_is_v6(const char *text);
