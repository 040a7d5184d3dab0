/* The names that kube-proxy derives by SHA-256 and base32, so that they are the real ones. */
#pragma once

#include "core/proxy/rules.h"

char *proxy_port_hash(const ProxyPort *port);                           /* 16 characters */
char *proxy_endpoint_chain(const ProxyPort *port, const char *address); /* KUBE-SEP-... */
char *proxy_port_nft_name(const ProxyPort *port, const char *port_name);
char *proxy_endpoint_nft_name(const ProxyPort *port, const char *ip, uint16_t number);
